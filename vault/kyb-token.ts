import { randomBytes } from 'node:crypto';
import { newestKey } from './key-ring.ts';
import { keyedHash } from './keyed-hash.ts';
import type { Vault } from './vault.ts';

const TOKEN = /^kyb_[A-Za-z0-9_-]{43}$/;
const SECRET_BYTES = 32;

/** A fresh token that opens one application, and the HMAC by which it is stored (channels 11). */
export function newKybToken(vault: Vault): { readonly token: string; readonly hash: Buffer } {
  const token = `kyb_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { token, hash: keyedHash(newestKey(vault.token), 'kyb', token) };
}

/** What a sent token may be stored as, under every key that lives; none for what is no such token. */
export const kybTokenHashes = (vault: Vault, token: string): Buffer[] =>
  TOKEN.test(token) ? [...vault.token.keys.values()].map((key) => keyedHash(key, 'kyb', token)) : [];
