import { Refusal } from '../domain/errors.ts';
import type { Trx } from './atomically.ts';

/** Who leaves: a customer with all cards in their name, or a corporation with all cards of its balances. */
export type Leaver = { readonly customerId: number } | { readonly corporationId: string };

/** Balances of a leaver that are not closed. */
export function openBalancesOf(trx: Trx, leaver: Leaver) {
  const query = trx.selectFrom('balances').where('state', '<>', 'CLOSED');
  return 'customerId' in leaver
    ? query.where('customer_id', '=', leaver.customerId)
    : query.where('corporation_id', '=', leaver.corporationId);
}

/**
 * Refuses to delete an owner whose money is not settled, for every balance, before anything changes
 * (onboarding 2, 4). The balances are held until the transaction ends, so that no posting or authorization comes
 * between. Throws `BALANCE_NOT_EMPTY`, `BALANCE_HAS_HOLDS`, and `PARTNER_UNAVAILABLE` for a balance whose amount
 * only the partner knows.
 */
export async function refuseUnsettled(trx: Trx, leaver: Leaver): Promise<void> {
  const balances = await openBalancesOf(trx, leaver)
    .select(['holder', 'posted', 'held'])
    .orderBy('balance_id')
    .forNoKeyUpdate()
    .execute();
  if (balances.some(({ posted }) => posted !== 0)) {
    throw new Refusal('BALANCE_NOT_EMPTY', 'A balance is not at zero.');
  }
  if (balances.some(({ held }) => held !== 0)) {
    throw new Refusal('BALANCE_HAS_HOLDS', 'Authorizations hold money of a balance.');
  }
  if (balances.some(({ holder }) => holder === 'external')) {
    throw new Refusal('PARTNER_UNAVAILABLE', 'The amount of a balance at the partner could not be read.');
  }
}
