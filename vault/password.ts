import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Refusal } from '../domain/errors.ts';
import { createGate } from './gate.ts';
import { keyedHash } from './keyed-hash.ts';
import type { Vault } from './vault.ts';

const derive = promisify<Buffer, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);
/** channels 11; one derivation takes 32 MB, so the room is given explicitly. */
const COST = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

// Derivations are slow on purpose: without a bound a burst of guesses would take every thread of the process.
const derivations = createGate({ atOnce: 4, waiting: 200 });

/**
 * The stored form of a password or PIN: `s1.<pepper version>.<salt>.<hash>`, scrypt over an HMAC under the
 * vault's pepper. `secret` is normalised to NFC. Throws `OVERLOADED` in a burst.
 */
export async function hashSecret(vault: Vault, secret: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const version = vault.pepper.newest;
  const hash = await stretch(vault, version, secret, salt);
  return ['s1', version, salt.toString('base64url'), hash.toString('base64url')].join('.');
}

/**
 * True when `secret` is the one that `stored` was made from. Without a stored form (an unknown account) the same
 * work is done and the answer is false.
 */
export async function isSecret(vault: Vault, secret: string, stored: string | null): Promise<boolean> {
  const { version, salt, hash } = parse(vault, stored);
  const given = await stretch(vault, version, secret, salt);
  return timingSafeEqual(given, hash) && stored !== null;
}

interface Parts {
  readonly version: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

function parse(vault: Vault, stored: string | null): Parts {
  if (stored === null) {
    return { version: vault.pepper.newest, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };
  }
  const [scheme, version, salt = '', hash = ''] = stored.split('.');
  if (scheme !== 's1') throw new Error('a stored secret has an unknown form');
  return {
    version: Number(version),
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url'),
  };
}

async function stretch(vault: Vault, version: number, secret: string, salt: Buffer): Promise<Buffer> {
  const pepper = vault.pepper.keys.get(version);
  if (pepper === undefined) throw new Error('the pepper lacks a version');
  const peppered = keyedHash(pepper, 'secret', secret.normalize('NFC'));
  const hash = await derivations.run(async () => await derive(peppered, salt, HASH_BYTES, COST));
  if (hash !== 'OVERLOADED') return hash;
  throw new Refusal('OVERLOADED', 'Too many sign-ins at once. Send it again.');
}
