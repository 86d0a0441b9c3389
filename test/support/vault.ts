import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import type { KeySources } from '../../vault/key-files.ts';
import { keyRing } from '../../vault/key-ring.ts';
import { KEY_PURPOSES, type KeyPurpose } from '../../vault/keys.ts';
import { assembleVault, type OpenedKey, type Vault } from '../../vault/vault.ts';

const secret = (fill: number, bytes = 32) => createSecretKey(Buffer.alloc(bytes, fill));
export const TEST_CVK = '0123456789ABCDEFFEDCBA9876543210';

/** The same in every test: the keys that one file stores in the database open in the next. */
export const testKeySources = (): KeySources => ({
  kek: keyRing(new Map([[1, secret(0x4b)]])),
  cvk: { version: 1, key: createSecretKey(Buffer.from(TEST_CVK, 'hex')) },
  cvc2ExpiryOrder: 'YYMM',
});

const rsaPkcs8 = (): Buffer =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'der' });

const ed25519Pkcs8 = (): Buffer =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' });

/** An opened key; RSA for `jwe`, Ed25519 for `audit-anchor`, fixed bytes for the rest. */
export function testKey(
  purpose: KeyPurpose,
  version = 1,
  createdAt = new Date('2026-01-01T00:00:00Z'),
): OpenedKey {
  switch (purpose) {
    case 'jwe':
      return { purpose, version, createdAt, secret: createSecretKey(rsaPkcs8()) };
    case 'audit-anchor':
      return { purpose, version, createdAt, secret: createSecretKey(ed25519Pkcs8()) };
    case 'cvk':
      return { purpose, version, createdAt, secret: createSecretKey(Buffer.from(TEST_CVK, 'hex')) };
    case 'pan-index':
    case 'personal-data-index':
    case 'token':
    case 'pepper':
    case 'connection-secrets':
    case 'message-bodies':
      return { purpose, version, createdAt, secret: secret(KEY_PURPOSES.indexOf(purpose) + 16 * version) };
  }
}

interface TestVaultOptions {
  readonly moreKeys?: readonly OpenedKey[];
  readonly now?: () => Date;
}

/** A vault in memory: one version of every key, and those of `moreKeys`. */
export function testVault({ moreKeys = [], now }: TestVaultOptions = {}): Vault {
  const keys = [...KEY_PURPOSES.map((purpose) => testKey(purpose)), ...moreKeys];
  return assembleVault({ ...testKeySources(), keys, ...(now === undefined ? {} : { now }) });
}
