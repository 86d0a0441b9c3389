import { activityInfo } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import { atomically, type Trx } from '../../db/atomically.ts';
import { readCorporation } from '../../db/corporations.ts';
import { lockCustomer, readCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { unpairAllDevices } from '../../db/devices.ts';
import { removeCard } from '../../db/card-removals.ts';
import type { LockTarget } from '../../db/card-locks.ts';
import type { EventOwner } from '../../db/outbox.ts';
import type { Leaver } from '../../db/removal-guards.ts';
import { cardsToRemove, closeBalances } from '../../db/removals.ts';
import { closeRunningVerification } from '../../db/verifications.ts';
import type { Caller } from '../../domain/actor.ts';
import { Refusal } from '../../domain/errors.ts';
import { awayFailure } from '../errors.ts';

export interface RemovalCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
}

/** Steps that clean up after a customer or corporation who was deleted (onboarding 2, 4). */
export function createRemovalActivities({ db }: RemovalCollaborators) {
  const inOneCommit = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(db, systemCaller(), work);

  return {
    /** To whom the leaver belonged. */
    async readLeaver(leaver: Leaver): Promise<EventOwner> {
      const { partnerId, programmeId } = await inOneCommit<EventOwner>((trx) =>
        'customerId' in leaver
          ? readCustomer(trx, 'every', leaver.customerId)
          : readCorporation(trx, 'every', leaver.corporationId),
      );
      return { partnerId, programmeId };
    },

    /**
     * Removes every card, each in a commit of its own; answers how many. Throws CARD_PENDING, to be run again, for
     * one that is still being made.
     */
    async removeCards(leaver: Leaver): Promise<number> {
      const cards = await inOneCommit((trx) => cardsToRemove(trx, leaver));
      for (const { cardId, programmeId } of cards.filter((one) => !one.pending)) {
        await inOneCommit((trx) => removeOne(trx, { cardId, programmeIds: [programmeId] }));
      }
      if (cards.some((one) => one.pending)) {
        throw awayFailure('CARD_PENDING', 'a card is still being made', null);
      }
      return cards.length;
    },

    /** Unpairs every device, and ends its sessions with it. */
    async unpairDevices({ customerId }: { readonly customerId: number }): Promise<void> {
      await inOneCommit((trx) => unpairAllDevices(trx, customerId));
    },

    /** Ends a running verification; nobody is told. */
    async closeVerifications({ customerId }: { readonly customerId: number }): Promise<void> {
      await inOneCommit(async (trx) =>
        closeRunningVerification(trx, await lockCustomer(trx, 'every', customerId)),
      );
    },

    /**
     * Closes every balance; answers how many. Throws BALANCE_NOT_SETTLED, to be run again, while something that was
     * posted after the deletion is not settled.
     */
    async closeBalances(leaver: Leaver): Promise<number> {
      try {
        return await inOneCommit((trx) => closeBalances(trx, leaver));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        throw awayFailure('BALANCE_NOT_SETTLED', `a balance cannot be closed yet: ${error.code}`, null);
      }
    },
  };
}

const systemCaller = (): Caller => ({
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'removal' },
  requestId: activityInfo().workflowExecution?.workflowId ?? 'removal',
  ip: null,
});

/** One that somebody else removed since is gone as well. */
async function removeOne(trx: Trx, target: LockTarget): Promise<void> {
  try {
    await removeCard(trx, target, 'system');
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'CARD_NOT_FOUND') throw error;
  }
}
