import { type KeyObject, createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { VaultFault } from './errors.ts';
import { type KeyRing, keyRing, newestKey } from './key-ring.ts';

/** Where a sealed value lives. It is authenticated, so that a value moved elsewhere does not open. */
export interface Place {
  /** Null where the value belongs to the platform. */
  readonly partnerId: number | null;
  readonly table: string;
  readonly rowId: string;
  readonly field: string;
}

/** A data key under the key encryption key, as it is stored. */
export interface WrappedKey {
  readonly wrapped: Buffer;
  readonly kekVersion: number;
}

// Sealed form: format byte, key version (4 bytes), nonce, ciphertext, tag.
const FORMAT = 1;
const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_AT = 5;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHERTEXT_AT = NONCE_AT + NONCE_BYTES;
const FIRST_VERSION = 1;

// JSON of an array is unambiguous: no two places share these bytes.
const additionalData = (place: Place, keyVersion: number): Buffer =>
  Buffer.from(JSON.stringify([place.partnerId, place.table, place.rowId, place.field, keyVersion]));

/** Seals with the newest key of a ring: AES-256-GCM, random nonce, bound to `place` and the key's version. */
export function seal(ring: KeyRing, place: Place, plaintext: Uint8Array): Buffer {
  const header = Buffer.alloc(NONCE_AT);
  header.writeUInt8(FORMAT, 0);
  header.writeUInt32BE(ring.newest, 1);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, newestKey(ring), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(place, ring.newest));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, nonce, ciphertext, cipher.getAuthTag()]);
}

/**
 * Opens what `seal` made for the same place. The caller zeroes the plaintext when it is card data.
 * Throws a `VaultFault` for a foreign place, an unknown key version, a changed or truncated value.
 */
export function open(ring: KeyRing, place: Place, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < CIPHERTEXT_AT + TAG_BYTES || bytes.readUInt8(0) !== FORMAT) throw cannotOpen(place);
  const version = bytes.readUInt32BE(1);
  const key = ring.keys.get(version);
  if (key === undefined) throw cannotOpen(place);
  const nonce = bytes.subarray(NONCE_AT, CIPHERTEXT_AT);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(place, version));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    const plaintext = decipher.update(bytes.subarray(CIPHERTEXT_AT, bytes.length - TAG_BYTES));
    decipher.final();
    return plaintext;
  } catch {
    throw cannotOpen(place);
  }
}

const cannotOpen = (place: Place): VaultFault =>
  new VaultFault(`a sealed value of ${place.table}.${place.field} cannot be opened`);

/** A fresh data key for one record, and its wrapped form to be stored beside what it seals. */
export function newDataKey(kek: KeyRing, place: Place): WrappedKey & { readonly dataKey: KeyRing } {
  const bytes = randomBytes(KEY_BYTES);
  try {
    return { dataKey: dataKeyRing(bytes), wrapped: seal(kek, place, bytes), kekVersion: kek.newest };
  } finally {
    bytes.fill(0);
  }
}

/** The data key of one record. */
export function openDataKey(kek: KeyRing, place: Place, wrapped: Uint8Array): KeyRing {
  const bytes = open(kek, place, wrapped);
  try {
    return dataKeyRing(bytes);
  } finally {
    bytes.fill(0);
  }
}

const dataKeyRing = (bytes: Buffer): KeyRing =>
  keyRing(new Map<number, KeyObject>([[FIRST_VERSION, createSecretKey(bytes)]]));
