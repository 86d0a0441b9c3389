import { randomBytes } from 'node:crypto';
import { timeOrderedUuid } from '../domain/ids.ts';

const POOL_BYTES = 8192;
const BYTES_AN_ID = 10;
let pool = Buffer.alloc(0);
let used = 0;

function randomHex(bytes: number): string {
  // One system call for hundreds of ids: single calls cost more than the rest of an id (data-model).
  if (used + bytes > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}

/** A new time-ordered UUID; `at` is the transaction's `cardloom_now()`, never the clock of this machine. */
export const newIdAt = (at: Date): string => timeOrderedUuid(at.getTime(), randomHex(BYTES_AN_ID));

const CODE_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Six random characters of A-Z and 0-9: an approval code (DE 38). */
export function newApprovalCode(): string {
  let code = '';
  while (code.length < 6) {
    const byte = Number.parseInt(randomHex(1), 16);
    // 252 is the largest multiple of 36 in a byte; higher values would favour some characters.
    if (byte < 252) code += CODE_ALPHABET[byte % 36];
  }
  return code;
}
