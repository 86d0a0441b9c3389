import type { Selectable } from 'kysely';
import {
  type Charge,
  chargeGuess,
  type GuessGuard,
  type GuessPolicy,
  NO_GUESSES,
  settleRight,
  settleWrong,
} from '../domain/guess-guard.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { GuessGuardsTable } from './database.ts';

/** What is guessed at, in which programme. */
export interface Guarded {
  readonly programmeId: number;
  readonly partnerId: number;
  /** `device:<installation>`, `password:user:<customer>`, `password:device:<unknown installation>`. */
  readonly name: string;
}

/** The guard of the secrets of an installation: app PIN and signing key. */
export const deviceGuard = (installationId: string): string => `device:${installationId}`;

/** The guard of a user's password. */
export const passwordGuard = (customerId: number): string => `password:user:${customerId}`;

/**
 * Charges a guess and holds the guard's row until the transaction ends. The caller commits before the guess is
 * looked at, so that a hundred guesses at once, or one that breaks off, are counted each.
 */
export async function chargeGuard(trx: Trx, guarded: Guarded, policy: GuessPolicy): Promise<Charge> {
  const charge = chargeGuess(await holdGuard(trx, guarded), policy, nowOf(trx));
  if (charge.verdict !== 'BLOCKED') await writeGuard(trx, guarded, charge.guard);
  return charge;
}

/** Settles the guess charged at `at`. True when nothing is tried any more from now on. */
export async function settleGuard(
  trx: Trx,
  guarded: Guarded,
  policy: GuessPolicy,
  outcome: { readonly right: boolean; readonly at: Date },
): Promise<boolean> {
  const held = await holdGuard(trx, guarded);
  const settled = outcome.right ? settleRight(held, policy, outcome.at) : settleWrong(held, policy);
  await writeGuard(trx, guarded, settled);
  return settled.closed;
}

/** Forgets the wrong guesses at a secret: it was set anew, or an operator lifts the lock. */
export async function liftGuard(trx: Trx, programmeId: number, name: string): Promise<void> {
  await trx
    .deleteFrom('guess_guards')
    .where('programme_id', '=', programmeId)
    .where('guarded', '=', name)
    .execute();
}

async function holdGuard(trx: Trx, { programmeId, partnerId, name }: Guarded): Promise<GuessGuard> {
  const row = { programme_id: programmeId, partner_id: partnerId, guarded: name, blocked_until: null };
  // An insert that waits for another one's row, and the lock of that row: one guess after the other.
  await trx
    .insertInto('guess_guards')
    .values(row)
    .onConflict((conflict) => conflict.columns(['programme_id', 'guarded']).doNothing())
    .execute();
  const held = await trx
    .selectFrom('guess_guards')
    .selectAll()
    .where('programme_id', '=', programmeId)
    .where('guarded', '=', name)
    .forUpdate()
    .executeTakeFirst();
  return held === undefined ? NO_GUESSES : toGuard(held);
}

async function writeGuard(trx: Trx, { programmeId, name }: Guarded, guard: GuessGuard): Promise<void> {
  await trx
    .updateTable('guess_guards')
    .set({
      in_a_row: guard.inARow,
      wrong_at: [...guard.wrongAt],
      blocked_until: guard.blockedUntil,
      closed: guard.closed,
      updated_at: nowOf(trx),
    })
    .where('programme_id', '=', programmeId)
    .where('guarded', '=', name)
    .execute();
}

const toGuard = (row: Selectable<GuessGuardsTable>): GuessGuard => ({
  inARow: row.in_a_row,
  wrongAt: row.wrong_at,
  blockedUntil: row.blocked_until,
  closed: row.closed,
});
