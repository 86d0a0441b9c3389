import {
  type AddressGuard,
  chargeSending,
  countKilled,
  forgetKilled,
  NOTHING_SENT,
} from '../domain/address-guard.ts';
import { Refusal } from '../domain/errors.ts';
import { nowOf, type Trx } from './atomically.ts';

/** A phone number or e-mail address, by its keyed index, in one programme. */
export interface GuardedAddress {
  readonly programmeId: number;
  readonly partnerId: number;
  readonly addressIndex: Buffer;
}

/**
 * Counts one more code to an address, whoever it belongs to. Throws `TOO_MANY_REQUESTS` (channels 14) and, after
 * too many killed codes, `TOO_MANY_ATTEMPTS` (channels 11).
 */
export async function countSending(trx: Trx, address: GuardedAddress): Promise<void> {
  const verdict = chargeSending(await hold(trx, address), nowOf(trx));
  switch (verdict.verdict) {
    case 'SEND':
      return await write(trx, address, verdict.guard);
    case 'TOO_MANY_REQUESTS':
    case 'TOO_MANY_ATTEMPTS':
      throw new Refusal(verdict.verdict, 'Too many codes were asked for. Wait before asking again.', {
        retryAfterSeconds: verdict.seconds,
      });
  }
}

/** Counts a code that died of guesses at `at`. */
export async function countKilledCode(trx: Trx, address: GuardedAddress, at: Date): Promise<void> {
  await write(trx, address, countKilled(await hold(trx, address), at));
}

/** The last guess at the code that died at `at` was right: it did not die. */
export async function forgetKilledCode(trx: Trx, address: GuardedAddress, at: Date): Promise<void> {
  await write(trx, address, forgetKilled(await hold(trx, address), at));
}

async function hold(trx: Trx, address: GuardedAddress): Promise<AddressGuard> {
  const { programmeId, partnerId, addressIndex } = address;
  const key = { programme_id: programmeId, address_index: addressIndex };
  await trx
    .insertInto('address_guards')
    .values({ ...key, partner_id: partnerId, blocked_until: null })
    .onConflict((conflict) => conflict.columns(['programme_id', 'address_index']).doNothing())
    .execute();
  const row = await trx
    .selectFrom('address_guards')
    .selectAll()
    .where('programme_id', '=', programmeId)
    .where('address_index', '=', addressIndex)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) return NOTHING_SENT;
  return { sentAt: row.sent_at, killedAt: row.killed_at, blockedUntil: row.blocked_until };
}

async function write(trx: Trx, address: GuardedAddress, guard: AddressGuard): Promise<void> {
  await trx
    .updateTable('address_guards')
    .set({
      sent_at: [...guard.sentAt],
      killed_at: [...guard.killedAt],
      blocked_until: guard.blockedUntil,
    })
    .where('programme_id', '=', address.programmeId)
    .where('address_index', '=', address.addressIndex)
    .execute();
}
