import { type KeyObject, createPrivateKey, createPublicKey } from 'node:crypto';

/** One of our own JWE keys. The newest is announced; the one before it opens requests for 30 days more. */
export interface PlatformKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly createdAt: Date;
}

/** The part of the vault that these functions need: keys newest first, and the clock of their lifetimes. */
export interface PlatformKeys {
  readonly platformKeys: readonly PlatformKey[];
  readonly now: () => Date;
}

/** Body of `GET /public-key` (channels 8). */
export interface PlatformPublicKey {
  readonly publicKey: string;
  readonly kid: string;
  readonly alg: 'RSA-OAEP-256';
  readonly enc: 'A256GCM';
  readonly validUntil: string;
}

const OVERLAP_DAYS = 30;

/** A platform key from its PKCS8 bytes; the key id is the year it was made in and its version. */
export function platformKey(version: number, pkcs8: Buffer, createdAt: Date): PlatformKey {
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  return {
    kid: `${createdAt.getUTCFullYear()}-${version}`,
    privateKey,
    publicKey: createPublicKey(privateKey),
    createdAt,
  };
}

/** The keys that open requests now, newest first: one, or two while a rotation lasts. */
export function livePlatformKeys({ platformKeys, now }: PlatformKeys): PlatformKey[] {
  const [newest, previous] = platformKeys;
  if (newest === undefined) return [];
  if (previous === undefined || now() >= addDays(newest.createdAt, OVERLAP_DAYS)) return [newest];
  return [newest, previous];
}

/** The key that callers encrypt to. It is replaced after a year and understood for 30 days more. */
export function platformPublicKey(keys: PlatformKeys): PlatformPublicKey {
  const [newest] = livePlatformKeys(keys);
  if (newest === undefined) throw new Error('the vault holds no platform key');
  const replacedAt = new Date(newest.createdAt);
  replacedAt.setUTCFullYear(replacedAt.getUTCFullYear() + 1);
  replacedAt.setUTCHours(0, 0, 0, 0);
  return {
    publicKey: Buffer.from(newest.publicKey.export({ type: 'spki', format: 'pem' })).toString('base64'),
    kid: newest.kid,
    alg: 'RSA-OAEP-256',
    enc: 'A256GCM',
    validUntil: addDays(replacedAt, OVERLAP_DAYS).toISOString(),
  };
}

function addDays(date: Date, days: number): Date {
  const result = new Date(date);
  result.setUTCDate(result.getUTCDate() + days);
  return result;
}
