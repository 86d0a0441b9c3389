import { deleteCustomer, markLocked, markUnlocked } from '../../db/customer-states.ts';
import { lockCustomer } from '../../db/customers.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { sealLockReason } from '../personal-data.ts';
import { lockReasonBody, pathIntegerId, z } from '../schemas/shared.ts';

const shared = {
  role: { scopes: ['partner'] },
  owner: 'programme',
  jwe: 'open',
  idempotency: 'accepted',
  params: z.strictObject({ userId: pathIntegerId() }),
} as const;

const lock = partnerRoute({
  ...shared,
  operation: 'lockUser',
  method: 'POST',
  path: '/users/{userId}/lock',
  summary: 'Lock a user: nothing of theirs moves money anew',
  body: lockReasonBody,
  answers: { 204: { description: 'locked, or already so' } },
  refusals: ['USER_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const customer = await lockCustomer(trx, programmeIds(call.principal), call.params.userId);
      await markLocked(trx, customer, sealLockReason(call.services.vault, customer, call.body.reason));
      return { status: 204 };
    }),
});

const unlock = partnerRoute({
  ...shared,
  operation: 'unlockUser',
  method: 'POST',
  path: '/users/{userId}/unlock',
  summary: 'Give a locked user the earlier state back',
  answers: { 204: { description: 'unlocked, or already so' } },
  refusals: ['USER_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      await markUnlocked(trx, await lockCustomer(trx, programmeIds(call.principal), call.params.userId));
      return { status: 204 };
    }),
});

const remove = partnerRoute({
  ...shared,
  operation: 'deleteUser',
  method: 'DELETE',
  path: '/users/{userId}',
  aliases: [{ path: '/wallet/{userId}' }],
  summary: 'Delete a user whose balances are at zero',
  answers: { 204: { description: 'deleted, or already so' } },
  refusals: ['USER_NOT_FOUND', 'BALANCE_NOT_EMPTY', 'BALANCE_HAS_HOLDS', 'PARTNER_UNAVAILABLE'],
  handle: (call) =>
    call.once(async (trx) => {
      await deleteCustomer(trx, await lockCustomer(trx, programmeIds(call.principal), call.params.userId));
      return { status: 204 };
    }),
});

export const userStates = [lock, unlock, remove];
