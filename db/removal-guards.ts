import { Refusal } from '../domain/errors.ts';
import type { Trx } from './atomically.ts';

/** Whose balances are looked at. */
type BalanceOwner = { readonly customerId: number } | { readonly corporationId: string };

/**
 * Refuses to delete an owner whose money is not settled, for every balance, before anything changes
 * (onboarding 2, 4). The balances are held until the transaction ends, so that no posting or authorization comes
 * between. Throws `BALANCE_NOT_EMPTY`, `BALANCE_HAS_HOLDS`, and `PARTNER_UNAVAILABLE` for a balance whose amount
 * only the partner knows.
 */
export async function refuseUnsettled(trx: Trx, owner: BalanceOwner): Promise<void> {
  const query = trx
    .selectFrom('balances')
    .select(['holder', 'posted', 'held'])
    .where('state', '<>', 'CLOSED');
  const balances = await (
    'customerId' in owner
      ? query.where('customer_id', '=', owner.customerId)
      : query.where('corporation_id', '=', owner.corporationId)
  )
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
