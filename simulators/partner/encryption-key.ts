import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compactDecrypt } from 'jose';

export interface EncryptionKey {
  /** Content of `publicKey` in the answer of `GET /public-key`: base64 of the PEM text. */
  readonly publicKeyBase64: string;
  /** Plain text of a compact JWE made for this key; null when it cannot be read. */
  open(compactJwe: string): Promise<Buffer | null>;
}

const modulusBits = 3_072;

/**
 * The partner's RSA key for sensitive bodies (partner-integrations 2.3). With a folder it survives restarts,
 * because the platform resends cipher text that it made for the earlier run.
 */
export async function openEncryptionKey(folder: string | null): Promise<EncryptionKey> {
  const privateKey = await loadOrMake(folder);
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  return {
    publicKeyBase64: Buffer.from(publicPem).toString('base64'),
    async open(compactJwe) {
      try {
        const { plaintext } = await compactDecrypt(compactJwe, privateKey, {
          keyManagementAlgorithms: ['RSA-OAEP-256'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        return Buffer.from(plaintext);
      } catch {
        return null;
      }
    },
  };
}

async function loadOrMake(folder: string | null): Promise<KeyObject> {
  const file = folder === null ? null : join(folder, 'encryption.key');
  if (file !== null && existsSync(file)) return createPrivateKey(readFileSync(file));
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: modulusBits });
  if (file !== null && folder !== null) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  return privateKey;
}
