import { type KeyObject, createHmac } from 'node:crypto';

/** HMAC-SHA-256 of a value under a key, apart for each kind of value: equal values of two kinds differ. */
export const keyedHash = (key: KeyObject, kind: string, value: string | Uint8Array): Buffer =>
  createHmac('sha256', key).update(`${kind}\0`).update(value).digest();
