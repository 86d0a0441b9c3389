import { hasPassed } from '../domain/verification.ts';
import type { Trx } from './atomically.ts';
import { openBalance } from './balances.ts';

/**
 * `OFF`: the programme opens none, is closed, or its balances are at the partner, whose linking this release does not
 * have; `NOT_PASSED`: kyc is not SUCCESS or the customer is not active; `POSTPONED`: a transactional lock
 * stands; `EXISTS`: there is one in that currency already.
 */
export type DefaultBalance =
  | { readonly kind: 'OPENED'; readonly balanceId: string }
  | { readonly kind: 'EXISTS' | 'POSTPONED' | 'OFF' | 'NOT_PASSED' };

/**
 * Opens the balance that a customer gets with kyc SUCCESS, in the programme's default currency (onboarding
 * 6.4). Repeats find it and change nothing; the customer's row is held meanwhile.
 */
export async function openDefaultBalance(trx: Trx, customerId: number): Promise<DefaultBalance> {
  const customer = await trx
    .selectFrom('customers')
    .select(['partner_id', 'programme_id', 'kyc', 'state', 'transactional_locks'])
    .where('customer_id', '=', customerId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  if (!hasPassed(customer.kyc) || customer.state === 'DELETED' || customer.state === 'LOCKED') {
    return { kind: 'NOT_PASSED' };
  }
  const programme = await trx
    .selectFrom('programmes')
    .select(['auto_create_balance', 'default_currency', 'balance_holder', 'state'])
    .where('programme_id', '=', customer.programme_id)
    .executeTakeFirstOrThrow();
  const { balance_holder: balanceHolder, state } = programme;
  if (!programme.auto_create_balance || balanceHolder === 'external' || state === 'CLOSED') {
    return { kind: 'OFF' };
  }
  if (customer.transactional_locks > 0) return { kind: 'POSTPONED' };
  if (await hasBalance(trx, customerId, programme.default_currency)) return { kind: 'EXISTS' };
  const balance = await openBalance(trx, {
    programme: {
      partnerId: customer.partner_id,
      programmeId: customer.programme_id,
      balanceHolder,
      state,
    },
    customerId,
    corporationId: null,
    currency: programme.default_currency,
    automatic: true,
  });
  return { kind: 'OPENED', balanceId: balance.balance_id };
}

// A default balance that was refused or closed is not opened again; the partner may then open one itself.
async function hasBalance(trx: Trx, customerId: number, currency: string): Promise<boolean> {
  const found = await trx
    .selectFrom('balances')
    .select('balance_id')
    .where('customer_id', '=', customerId)
    .where('currency', '=', currency)
    .where((is) => is.or([is('automatic', '=', true), is('state', '<>', 'CLOSED')]))
    .executeTakeFirst();
  return found !== undefined;
}
