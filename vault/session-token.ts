import { randomBytes } from 'node:crypto';
import { keyedHash } from './keyed-hash.ts';
import { newestKey } from './key-ring.ts';
import type { Vault } from './vault.ts';

/** What a token opens, as its prefix says (channels 11): session of a user or operator, pairing, KYB, a mailed link. */
export type TokenKind = 'cst' | 'ost' | 'cpt' | 'kyb' | 'lnk';

const RANDOM_BYTES = 32;

/** A new token, and the hash under which it is stored; the token itself is told once and kept nowhere. */
export function newToken(vault: Vault, kind: TokenKind): { readonly token: string; readonly hash: Buffer } {
  const token = `${kind}_${randomBytes(RANDOM_BYTES).toString('base64url')}`;
  return { token, hash: keyedHash(newestKey(vault.token), kind, token) };
}

/**
 * The hashes under which `token` may be stored, one for each living key version, newest first; none when it is
 * no token of that kind. HMAC-SHA-256, so a look-up by hash compares in constant time.
 */
export function tokenHashes(vault: Vault, kind: TokenKind, token: string): Buffer[] {
  if (!new RegExp(`^${kind}_[A-Za-z0-9_-]{43}$`).test(token)) return [];
  return [...vault.token.keys]
    .toSorted(([left], [right]) => right - left)
    .map(([, key]) => keyedHash(key, kind, token));
}
