import { type KeyObject, createSecretKey, generateKeyPair, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { open, type Place, seal } from './envelope.ts';
import { VaultFault } from './errors.ts';
import type { ImportedCvk } from './key-files.ts';
import type { KeyRing } from './key-ring.ts';

/**
 * One purpose a key (cards 9). `jwe` holds PKCS8 of an RSA key, `audit-anchor` of an Ed25519 key, `cvk` 16 bytes, the
 * others 32 bytes.
 */
export const KEY_PURPOSES = [
  'pan-index',
  'personal-data-index',
  'token',
  'pepper',
  'connection-secrets',
  'message-bodies',
  'jwe',
  'audit-anchor',
  'cvk',
] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/** A purpose key as it is stored: only ever under the key encryption key. */
export interface StoredKey {
  readonly purpose: KeyPurpose;
  readonly version: number;
  readonly wrapped: Buffer;
  readonly kekVersion: number;
}

/** An opened purpose key. */
export interface PurposeKey {
  readonly purpose: KeyPurpose;
  readonly version: number;
  /** Secret bytes as a key object, which prints nothing of them. */
  readonly secret: KeyObject;
}

const RSA_BITS = 2048;
const SECRET_BYTES = 32;

const placeOf = (purpose: KeyPurpose, version: number): Place => ({
  partnerId: null,
  table: 'vault.keys',
  rowId: `${purpose}.${version}`,
  field: 'wrapped',
});

/** Seals a purpose key for the database. */
export function wrapKey(kek: KeyRing, key: PurposeKey): StoredKey {
  const { purpose, version } = key;
  const bytes = key.secret.export();
  try {
    return { purpose, version, wrapped: seal(kek, placeOf(purpose, version), bytes), kekVersion: kek.newest };
  } finally {
    bytes.fill(0);
  }
}

/** Opens a stored purpose key. Throws a `VaultFault` that names purpose and version. */
export function unwrapKey(kek: KeyRing, stored: StoredKey): PurposeKey {
  const { purpose, version } = stored;
  try {
    const bytes = open(kek, placeOf(purpose, version), stored.wrapped);
    const secret = createSecretKey(bytes);
    bytes.fill(0);
    return { purpose, version, secret };
  } catch {
    throw new VaultFault(`key ${purpose} version ${version} cannot be opened with the key encryption key`);
  }
}

/**
 * The first version of each purpose that `present` lacks. The card verification key is never invented: the
 * processor must hold the same one, so its version comes with the file. Throws a `VaultFault` when there is
 * none, or when the file's key differs from the one that is kept under the same version.
 */
export async function missingKeys(
  present: readonly PurposeKey[],
  cvk: ImportedCvk | null,
): Promise<PurposeKey[]> {
  const missing: PurposeKey[] = [];
  for (const purpose of KEY_PURPOSES) {
    const kept = present.filter((one) => one.purpose === purpose);
    if (purpose === 'cvk') missing.push(...cvkToImport(kept, cvk));
    else if (kept.length === 0) missing.push({ purpose, version: 1, secret: await newSecret(purpose) });
  }
  return missing;
}

function cvkToImport(kept: readonly PurposeKey[], cvk: ImportedCvk | null): PurposeKey[] {
  if (cvk === null) {
    if (kept.length > 0) return [];
    throw new VaultFault('key cvk is missing: SIM_PROCESSOR_KEYS names no file');
  }
  const same = kept.find((one) => one.version === cvk.version);
  if (same === undefined) return [{ purpose: 'cvk', version: cvk.version, secret: cvk.key }];
  if (timingSafeEqual(same.secret.export(), cvk.key.export())) return [];
  throw new VaultFault(`key cvk version ${cvk.version} differs from the one of SIM_PROCESSOR_KEYS`);
}

async function newSecret(purpose: KeyPurpose): Promise<KeyObject> {
  const bytes = await newBytes(purpose);
  const secret = createSecretKey(bytes);
  bytes.fill(0);
  return secret;
}

async function newBytes(purpose: KeyPurpose): Promise<Buffer> {
  if (purpose === 'jwe') return await newRsaKey();
  return purpose === 'audit-anchor' ? await newSigningKey() : randomBytes(SECRET_BYTES);
}

async function newSigningKey(): Promise<Buffer> {
  const { privateKey } = await promisify(generateKeyPair)('ed25519', {});
  return privateKey.export({ type: 'pkcs8', format: 'der' });
}

async function newRsaKey(): Promise<Buffer> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
  return privateKey.export({ type: 'pkcs8', format: 'der' });
}
