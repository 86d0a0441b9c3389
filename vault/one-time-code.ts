import { randomInt, timingSafeEqual } from 'node:crypto';
import { keyedHash } from './keyed-hash.ts';
import type { Vault } from './vault.ts';

/** A new code of `digits` random digits. */
export const newCode = (digits: number): string => String(randomInt(10 ** digits)).padStart(digits, '0');

/**
 * The stored form of a code: HMAC-SHA-256 under a vault key, bound to what it was sent for, with the version of
 * the key in front. `place` is unique for each code's object, for example `operator-login:<id>`.
 */
export function hashCode(vault: Vault, place: string, code: string): Buffer {
  const { newest } = vault.token;
  return withVersion(vault, newest, place, code);
}

/** True when `code` is the one that `stored` was made from, for the same place; compares in constant time. */
export function isCode(vault: Vault, place: string, code: string, stored: Buffer): boolean {
  const version = stored[0] ?? 0;
  if (!vault.token.keys.has(version)) return false;
  const given = withVersion(vault, version, place, code);
  return given.length === stored.length && timingSafeEqual(given, stored);
}

function withVersion(vault: Vault, version: number, place: string, code: string): Buffer {
  const key = vault.token.keys.get(version);
  if (key === undefined) throw new Error('the token key lacks a version');
  return Buffer.concat([Buffer.from([version]), keyedHash(key, 'code', `${place}\0${code}`)]);
}
