import type { Trx } from '../../db/atomically.ts';
import { deleteCustomer, markLocked, markUnlocked } from '../../db/customer-states.ts';
import { type Customer, lockCustomer } from '../../db/customers.ts';
import { adminRoute, type OperatorPrincipal, operatorProgrammeIds } from '../operator-principal.ts';
import type { Answer, Call } from '../route.ts';
import { lockReasonBody, pathIntegerId, z } from '../schemas/shared.ts';

const shared = {
  jwe: 'open',
  idempotency: 'accepted',
  params: z.strictObject({ customerId: pathIntegerId() }),
} as const;

type CustomerCall<Body> = Call<OperatorPrincipal, { readonly customerId: number }, unknown, Body>;

/** Does something to a user of the operator's scope, held until it is done. */
const withCustomer = <Body>(
  call: CustomerCall<Body>,
  work: (trx: Trx, customer: Customer) => Promise<void>,
): Promise<Answer> =>
  call.once(async (trx) => {
    await work(trx, await lockCustomer(trx, operatorProgrammeIds(call.principal), call.params.customerId));
    return { status: 204 };
  });

const lock = adminRoute({
  ...shared,
  operation: 'adminLockCustomer',
  method: 'POST',
  path: '/customers/{customerId}/lock',
  summary: 'Lock a user: nothing of theirs moves money anew, their sessions end',
  permission: 'customers.lock',
  body: lockReasonBody,
  answers: { 204: { description: 'locked, or already so' } },
  refusals: ['USER_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    withCustomer(call, (trx, customer) => markLocked(trx, customer, call.body.reason ?? null)),
});

const unlock = adminRoute({
  ...shared,
  operation: 'adminUnlockCustomer',
  method: 'POST',
  path: '/customers/{customerId}/unlock',
  summary: 'Give a locked user the earlier state back',
  permission: 'customers.write',
  body: lockReasonBody,
  answers: { 204: { description: 'unlocked, or already so' } },
  refusals: ['USER_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    withCustomer(call, (trx, customer) => markUnlocked(trx, customer, call.body.reason ?? null)),
});

const remove = adminRoute({
  ...shared,
  operation: 'adminDeleteCustomer',
  method: 'DELETE',
  path: '/customers/{customerId}',
  summary: 'Delete a user whose balances are at zero',
  permission: 'customers.delete',
  answers: { 204: { description: 'deleted, or already so' } },
  refusals: ['USER_NOT_FOUND', 'BALANCE_NOT_EMPTY', 'BALANCE_HAS_HOLDS', 'PARTNER_UNAVAILABLE'],
  handle: (call) => withCustomer(call, deleteCustomer),
});

export const customerStates = [lock, unlock, remove];
