import type { Trx } from './atomically.ts';
import { deleteBalance } from './balance-states.ts';
import { type Leaver, openBalancesOf } from './removal-guards.ts';

/** Cards of a leaver that are not at their end yet, in the order of ids. Engine only. */
export async function cardsToRemove(
  trx: Trx,
  leaver: Leaver,
): Promise<{ readonly cardId: number; readonly programmeId: number; readonly pending: boolean }[]> {
  const query = trx
    .selectFrom('cards')
    .select(['card_id', 'programme_id', 'base_state'])
    .where('base_state', 'not in', ['REMOVED', 'FAILED'])
    .orderBy('card_id');
  const rows = await (
    'customerId' in leaver
      ? query.where('customer_id', '=', leaver.customerId)
      : query.where('corporation_id', '=', leaver.corporationId)
  ).execute();
  return rows.map((row) => ({
    cardId: row.card_id,
    programmeId: row.programme_id,
    pending: row.base_state === 'PENDING',
  }));
}

/** Closes the balances of a leaver whose cards are removed, or none of them. Throws as `deleteBalance`. */
export async function closeBalances(trx: Trx, leaver: Leaver): Promise<number> {
  const query = openBalancesOf(trx, leaver).select('balance_id').orderBy('balance_id');
  const rows = await query.execute();
  for (const { balance_id: balanceId } of rows) await deleteBalance(trx, { balanceId });
  return rows.length;
}
