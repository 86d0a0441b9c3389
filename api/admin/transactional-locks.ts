import type { Trx } from '../../db/atomically.ts';
import { holdCorporation, readCorporation } from '../../db/corporations.ts';
import { lockCustomer, readCustomer } from '../../db/customers.ts';
import { liftLockAsOperator, type Lockable, requestLock } from '../../db/lock-requests.ts';
import type { RefusalCode } from '../../domain/errors.ts';
import { adminRoute, operatorProgrammeIds } from '../operator-principal.ts';
import type { Route } from '../route.ts';
import { listOf, page, pathIntegerId, text, uuid, z } from '../schemas/shared.ts';
import {
  lockReasonBody,
  lockReasonName,
  toLockAnswer,
  transactionalLockSchema,
} from '../schemas/transactional-lock.ts';
import { lockPosition, locksAfter } from '../transactional-locks.ts';
import { operatorPage } from './lists.ts';

/** Users or corporations: where their locks are, and how one is found in the operator's programmes. */
interface Kind<P extends z.ZodRawShape> {
  /** Stands in the names of the operations. */
  readonly noun: 'Customer' | 'Corporation';
  readonly path: string;
  readonly params: z.ZodObject<P, z.core.$strict>;
  readonly missing: RefusalCode;
  readonly read: (trx: Trx, scope: readonly number[], params: z.output<z.ZodObject<P>>) => Promise<Lockable>;
  readonly hold: (trx: Trx, scope: readonly number[], params: z.output<z.ZodObject<P>>) => Promise<Lockable>;
}

/** The calls about transactional locks, alike for both kinds (onboarding 7); operators lift those of every origin. */
function lockRoutes<P extends z.ZodRawShape>(kind: Kind<P>): Route[] {
  const { noun, params, missing } = kind;
  const path = `${kind.path}/transactional-locks`;
  type Named = z.output<z.ZodObject<P>>;
  return [
    adminRoute({
      operation: `adminList${noun}Locks`,
      method: 'GET',
      path,
      summary: 'List transactional locks with who holds them',
      permission: 'transactionalLocks.read',
      jwe: 'open',
      idempotency: 'ignored',
      params,
      query: z.strictObject(page),
      answers: {
        200: { description: 'locks, by reason and origin', schema: listOf(transactionalLockSchema) },
      },
      refusals: [missing, 'INVALID_CURSOR'],
      handle: async (call) => {
        const body = await call.atomically(async (trx) => {
          const lockable = await kind.read(trx, operatorProgrammeIds(call.principal), call.params as Named);
          return await operatorPage(call, {
            operation: `adminList${noun}Locks`,
            filters: call.params,
            page: call.query,
            read: (after, limit) => locksAfter(trx, lockable, after, limit),
            positionOf: lockPosition,
            toItem: toLockAnswer,
          });
        });
        return { status: 200, body };
      },
    }),
    adminRoute({
      operation: `adminAdd${noun}Lock`,
      method: 'POST',
      path,
      summary: 'Add a transactional lock: money moves no more anew',
      permission: 'transactionalLocks.add',
      jwe: 'open',
      idempotency: 'accepted',
      params,
      body: lockReasonBody,
      answers: {
        200: { description: 'operators hold this reason already', schema: transactionalLockSchema },
        201: { description: 'the lock', schema: transactionalLockSchema },
      },
      refusals: [missing, 'STATE_CONFLICT'],
      handle: (call) =>
        call.once(async (trx) => {
          const lockable = await kind.hold(trx, operatorProgrammeIds(call.principal), call.params as Named);
          const { lockReason: reason, note = null, until = null } = call.body;
          const asked = { reason, origin: 'OPERATOR', note, until } as const;
          const { lock, outcome } = await requestLock(trx, lockable, asked);
          return { status: outcome === 'ADDED' ? 201 : 200, body: toLockAnswer(lock) };
        }),
    }),
    adminRoute({
      operation: `adminLift${noun}Lock`,
      method: 'DELETE',
      path: `${path}/{lockReason}`,
      summary: 'Lift a transactional lock, whoever has added it',
      permission: 'transactionalLocks.remove',
      jwe: 'open',
      idempotency: 'accepted',
      params: params.extend({ lockReason: lockReasonName() }),
      query: z.strictObject({ note: text(1, 500).optional() }),
      answers: { 204: { description: 'nobody holds the reason any more' } },
      refusals: [missing, 'LOCK_REASON_NOT_FOUND', 'LOCK_REASON_NOT_REMOVABLE'],
      handle: (call) =>
        call.once(async (trx) => {
          const sent = call.params as Named & { readonly lockReason: string };
          const lockable = await kind.hold(trx, operatorProgrammeIds(call.principal), sent);
          await liftLockAsOperator(trx, lockable, sent.lockReason, call.query.note ?? null);
          return { status: 204 };
        }),
    }),
  ];
}

export const transactionalLocks = [
  ...lockRoutes({
    noun: 'Customer',
    path: '/customers/{customerId}',
    params: z.strictObject({ customerId: pathIntegerId() }),
    missing: 'USER_NOT_FOUND',
    read: (trx, scope, { customerId }) => readCustomer(trx, scope, customerId),
    hold: (trx, scope, { customerId }) => lockCustomer(trx, scope, customerId),
  }),
  ...lockRoutes({
    noun: 'Corporation',
    path: '/corporations/{dcCorporationId}',
    params: z.strictObject({ dcCorporationId: uuid() }),
    missing: 'CORPORATION_NOT_FOUND',
    read: (trx, scope, { dcCorporationId }) => readCorporation(trx, scope, dcCorporationId),
    hold: (trx, scope, { dcCorporationId }) => holdCorporation(trx, scope, dcCorporationId),
  }),
];
