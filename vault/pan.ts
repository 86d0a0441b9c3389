import { VaultFault } from './errors.ts';
import { keyedHash } from './keyed-hash.ts';
import { newestKey } from './key-ring.ts';
import type { Vault } from './vault.ts';

const ZERO = 0x30;
const NINE = 0x39;
const MIN_DIGITS = 13;
const MAX_DIGITS = 19;

/** Keyed index of a PAN with the version of its key. */
export interface PanIndex {
  readonly index: Buffer;
  readonly version: number;
}

/** True for 13 to 19 decimal digits (ASCII) that end in their Luhn check digit. */
export function isPan(pan: Uint8Array): boolean {
  if (pan.length < MIN_DIGITS || pan.length > MAX_DIGITS) return false;
  let sum = 0;
  for (const [at, byte] of pan.entries()) {
    if (byte < ZERO || byte > NINE) return false;
    const digit = byte - ZERO;
    const doubled = (pan.length - at) % 2 === 0;
    sum += doubled ? ((digit * 2) % 10) + Math.floor(digit / 5) : digit;
  }
  return sum % 10 === 0;
}

/** Throws unless `pan` is a PAN; the fault does not hold it. */
export function requirePan(pan: Uint8Array): void {
  if (!isPan(pan)) throw new VaultFault('a card number is not 13 to 19 digits with a right check digit');
}

/** The index under which a new card is stored. */
export const panIndex = ({ panIndex: ring }: Vault, pan: Uint8Array): PanIndex => ({
  index: keyedHash(newestKey(ring), 'pan', pan),
  version: ring.newest,
});

/** The indexes a card may be stored under: one for each live version of the key. */
export const panIndexes = ({ panIndex: ring }: Vault, pan: Uint8Array): Buffer[] =>
  [...ring.keys.values()].map((key) => keyedHash(key, 'pan', pan));
