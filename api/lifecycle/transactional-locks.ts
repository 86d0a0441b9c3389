import type { Trx } from '../../db/atomically.ts';
import { holdCorporation, readCorporation } from '../../db/corporations.ts';
import { lockCustomer, readCustomer } from '../../db/customers.ts';
import { liftLockAsPartner, type Lockable, requestLock } from '../../db/lock-requests.ts';
import type { RefusalCode } from '../../domain/errors.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, type PartnerPrincipal, programmeIds } from '../partner-principal.ts';
import type { Answer, Call } from '../route.ts';
import { listOf, page, pathIntegerId, uuid, z } from '../schemas/shared.ts';
import {
  lockReasonBody,
  lockReasonName,
  toLockAnswer,
  transactionalLockSchema,
} from '../schemas/transactional-lock.ts';
import { lockPosition, locksAfter } from '../transactional-locks.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const ofUser = z.strictObject({ userId: pathIntegerId() });
const ofCorporation = z.strictObject({ dcCorporationId: uuid() });
const lockReason = lockReasonName();
const listQuery = z.strictObject(page);

/** How a kind of resource is found, in the programmes of the call, by the parameters of its path. */
interface Kind<Params> {
  readonly read: (trx: Trx, scope: readonly number[], params: Params) => Promise<Lockable>;
  readonly hold: (trx: Trx, scope: readonly number[], params: Params) => Promise<Lockable>;
  readonly path: (params: Params) => string;
}

type Locking<Params, Query, Body> = Call<PartnerPrincipal, Params, Query, Body>;

const listLocks =
  <Params>({ read }: Kind<Params>, operation: string) =>
  async (call: Locking<Params, z.output<typeof listQuery>, unknown>): Promise<Answer> => {
    const { vault, nowMs } = call.services;
    const body = await call.atomically(async (trx) => {
      const lockable = await read(trx, programmeIds(call.principal), call.params);
      const place = { principal: call.principal.partnerPublicId, operation, filters: call.params };
      const after = (position: string | undefined, limit: number) =>
        locksAfter(trx, lockable, position, limit);
      return await readPage(vault, place, call.query, nowMs(), after, lockPosition, toLockAnswer);
    });
    return { status: 200, body };
  };

const addLock =
  <Params>({ hold, path }: Kind<Params>) =>
  (call: Locking<Params, unknown, z.output<typeof lockReasonBody>>): Promise<Answer> =>
    call.once(async (trx) => {
      const lockable = await hold(trx, programmeIds(call.principal), call.params);
      const { lockReason: reason, note = null, until = null } = call.body;
      const { lock, outcome } = await requestLock(trx, lockable, { reason, origin: 'PARTNER', note, until });
      return {
        status: outcome === 'ADDED' ? 201 : 200,
        body: toLockAnswer(lock),
        location: `/lifecycle/v1${path(call.params)}/transactional-locks/${lock.reason}`,
      };
    });

const liftLock =
  <Params>({ hold }: Kind<Params>) =>
  (call: Locking<Params & { readonly lockReason: string }, unknown, unknown>): Promise<Answer> =>
    call.once(async (trx) => {
      const lockable = await hold(trx, programmeIds(call.principal), call.params);
      await liftLockAsPartner(trx, lockable, call.params.lockReason);
      return { status: 204 };
    });

const user: Kind<z.output<typeof ofUser>> = {
  read: (trx, scope, { userId }) => readCustomer(trx, scope, userId),
  hold: (trx, scope, { userId }) => lockCustomer(trx, scope, userId),
  path: ({ userId }) => `/users/${userId}`,
};

const corporation: Kind<z.output<typeof ofCorporation>> = {
  read: (trx, scope, { dcCorporationId }) => readCorporation(trx, scope, dcCorporationId),
  hold: (trx, scope, { dcCorporationId }) => holdCorporation(trx, scope, dcCorporationId),
  path: ({ dcCorporationId }) => `/corporations/${dcCorporationId}`,
};

const LIST_ANSWERS = {
  200: { description: 'locks, by reason and origin', schema: listOf(transactionalLockSchema) },
};
const ADD_ANSWERS = {
  200: { description: 'the partner holds this reason already', schema: transactionalLockSchema },
  201: { description: 'the lock', schema: transactionalLockSchema },
};
const LIFT_ANSWERS = { 204: { description: 'the partner holds the reason no more' } };
const LIFT_REFUSALS = ['LOCK_REASON_NOT_FOUND', 'LOCK_REASON_NOT_REMOVABLE'] as const satisfies RefusalCode[];

const listOfUser = partnerRoute({
  ...shared,
  operation: 'listUserLocks',
  method: 'GET',
  path: '/users/{userId}/transactional-locks',
  summary: 'List the transactional locks of a user',
  idempotency: 'ignored',
  params: ofUser,
  query: listQuery,
  answers: LIST_ANSWERS,
  refusals: ['USER_NOT_FOUND', 'INVALID_CURSOR'],
  handle: listLocks(user, 'listUserLocks'),
});

const addToUser = partnerRoute({
  ...shared,
  operation: 'addUserLock',
  method: 'POST',
  path: '/users/{userId}/transactional-locks',
  summary: 'Add a transactional lock to a user',
  idempotency: 'accepted',
  params: ofUser,
  body: lockReasonBody,
  answers: ADD_ANSWERS,
  refusals: ['USER_NOT_FOUND', 'STATE_CONFLICT'],
  handle: addLock(user),
});

const liftFromUser = partnerRoute({
  ...shared,
  operation: 'liftUserLock',
  method: 'DELETE',
  path: '/users/{userId}/transactional-locks/{lockReason}',
  summary: 'Lift a transactional lock that the partner has added',
  idempotency: 'accepted',
  params: ofUser.extend({ lockReason }),
  answers: LIFT_ANSWERS,
  refusals: ['USER_NOT_FOUND', ...LIFT_REFUSALS],
  handle: liftLock(user),
});

const listOfCorporation = partnerRoute({
  ...shared,
  operation: 'listCorporationLocks',
  method: 'GET',
  path: '/corporations/{dcCorporationId}/transactional-locks',
  summary: 'List the transactional locks of a corporation',
  idempotency: 'ignored',
  params: ofCorporation,
  query: listQuery,
  answers: LIST_ANSWERS,
  refusals: ['CORPORATION_NOT_FOUND', 'INVALID_CURSOR'],
  handle: listLocks(corporation, 'listCorporationLocks'),
});

const addToCorporation = partnerRoute({
  ...shared,
  operation: 'addCorporationLock',
  method: 'POST',
  path: '/corporations/{dcCorporationId}/transactional-locks',
  summary: 'Add a transactional lock to a corporation',
  idempotency: 'accepted',
  params: ofCorporation,
  body: lockReasonBody,
  answers: ADD_ANSWERS,
  refusals: ['CORPORATION_NOT_FOUND', 'STATE_CONFLICT'],
  handle: addLock(corporation),
});

const liftFromCorporation = partnerRoute({
  ...shared,
  operation: 'liftCorporationLock',
  method: 'DELETE',
  path: '/corporations/{dcCorporationId}/transactional-locks/{lockReason}',
  summary: 'Lift a transactional lock that the partner has added',
  idempotency: 'accepted',
  params: ofCorporation.extend({ lockReason }),
  answers: LIFT_ANSWERS,
  refusals: ['CORPORATION_NOT_FOUND', ...LIFT_REFUSALS],
  handle: liftLock(corporation),
});

export const transactionalLocks = [
  listOfUser,
  addToUser,
  liftFromUser,
  listOfCorporation,
  addToCorporation,
  liftFromCorporation,
];
