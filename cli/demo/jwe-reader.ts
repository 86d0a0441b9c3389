import { generateKeyPairSync } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { Difference } from './difference.ts';

/** The receiver of encrypted answers (channels 8). */
export interface JweReader {
  /** Value of the header `Public-Key`: base64 of the PEM SPKI. */
  readonly publicKey: string;
  /** The JSON inside `{"payload": "<compact JWE>"}`. */
  open(envelope: unknown): Promise<unknown>;
}

/** A reader with an RSA 2048 key pair that lives as long as it does. */
export function createReader(): JweReader {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return {
    publicKey: Buffer.from(pem).toString('base64'),
    async open(envelope) {
      const payload = (envelope as { payload?: unknown } | null)?.payload;
      if (typeof payload !== 'string') throw new Difference('the answer', '{"payload": JWE}', 'clear text');
      const { plaintext } = await compactDecrypt(payload, privateKey, {
        keyManagementAlgorithms: ['RSA-OAEP-256'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      return JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
    },
  };
}
