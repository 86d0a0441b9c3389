import { randomBytes } from 'node:crypto';
import type { Trx } from './atomically.ts';
import { voidCodes } from './one-time-codes.ts';
import { voidPairingTokens } from './pairing-tokens.ts';

const HASH_BYTES = 33;

/**
 * Takes the worth from all that was handed out to get in as this user: pairing tokens, and codes that were sent. For
 * when a secret, the phone or the e-mail address is another one, and for the end of a user; whoever held them before
 * has to begin anew. The caller holds the user.
 */
export async function closeWaysIn(trx: Trx, customerId: number): Promise<void> {
  await voidPairingTokens(trx, customerId);
  await voidCodes(trx, customerId, randomBytes(HASH_BYTES));
}
