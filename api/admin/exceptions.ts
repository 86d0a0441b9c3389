import type { Trx } from '../../db/atomically.ts';
import { assignException, claimException, resolveException } from '../../db/exception-queue.ts';
import { type ExceptionRow, findException, listExceptions } from '../../db/exceptions.ts';
import { findOperator } from '../../db/operators.ts';
import { findTransaction } from '../../db/transactions.ts';
import { Refusal } from '../../domain/errors.ts';
import { RESOLUTIONS, resolutionsOf } from '../../domain/exception-resolution.ts';
import { operatorStateAt } from '../../domain/operator.ts';
import { adminRoute, type OperatorPrincipal, operatorProgrammeIds } from '../operator-principal.ts';
import { amount, date, integerId, listOf, page, text, uuid, word, z } from '../schemas/shared.ts';
import { requireOperatorCard } from './cards.ts';
import { operatorPage } from './lists.ts';
import { waiting } from './waiting.ts';

const STATES = ['OPEN', 'IN_REVIEW', 'RESOLVED'] as const;
const SEVERITIES = ['INFO', 'WARN', 'CRITICAL'] as const;

const params = z.strictObject({ exceptionId: uuid() });

const reading = {
  permission: 'transactions.read',
  jwe: 'open',
  idempotency: 'ignored',
  method: 'GET',
} as const;

const handling = {
  permission: 'exceptions.handle',
  jwe: 'open',
  idempotency: 'accepted',
  method: 'POST',
  params,
} as const;

const exceptionSchema = z
  .strictObject({
    id: uuid(),
    kind: z.string(),
    severity: z.enum(SEVERITIES),
    state: z.enum(STATES),
    lifecycleId: uuid().nullable(),
    recordId: z.string().nullable(),
    values: z.record(z.string(), z.unknown()),
    assignee: z.string().nullable(),
    resolutions: z.array(z.string()),
    resolution: z.string().nullable(),
    note: z.string().nullable(),
    resolvedBy: z.string().nullable(),
    resolvedAt: date().nullable(),
    resolvingTransactionId: uuid().nullable(),
    createdAt: date(),
  })
  .openapi('Exception');

const toWire = (row: ExceptionRow): z.input<typeof exceptionSchema> => ({
  id: row.exception_id,
  kind: row.kind,
  severity: row.severity,
  state: row.state,
  lifecycleId: row.transaction_id,
  recordId: row.record_id,
  values: row.values,
  assignee: row.assignee,
  resolutions: [...resolutionsOf(row.kind)],
  resolution: row.resolution,
  note: row.note,
  resolvedBy: row.resolved_by,
  resolvedAt: row.resolved_at?.toISOString() ?? null,
  resolvingTransactionId: row.resolving_transaction_id,
  createdAt: row.created_at.toISOString(),
});

const list = adminRoute({
  ...reading,
  operation: 'listExceptions',
  path: '/exceptions',
  summary: 'List what waits, or waited, for a person',
  query: z.strictObject({
    ...page,
    kind: text(1, 64)
      .transform((value) => value.toUpperCase())
      .optional(),
    state: word(STATES).optional(),
    severity: word(SEVERITIES).optional(),
    fileId: text(1, 64).optional(),
    lifecycleId: uuid().optional(),
  }),
  answers: { 200: { description: 'exceptions, newest first', schema: listOf(exceptionSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, lifecycleId: transactionId, ...filters } = call.query;
    const { partnerId } = call.principal;
    const body = await call.atomically((trx) =>
      operatorPage(call, {
        operation: 'listExceptions',
        filters: { transactionId, ...filters },
        page: { limit, cursor },
        read: (before, most) =>
          listExceptions(trx, { partnerId, transactionId, ...filters, before, limit: most }),
        positionOf: (row) => row.exception_id,
        toItem: toWire,
      }),
    );
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...reading,
  operation: 'readException',
  path: '/exceptions/{exceptionId}',
  summary: 'Read an exception with the ways to resolve it',
  params,
  answers: { 200: { description: 'the exception', schema: exceptionSchema } },
  refusals: ['EXCEPTION_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: toWire(
      await call.atomically((trx) => requireException(trx, call.principal, call.params.exceptionId)),
    ),
  }),
});

const claim = adminRoute({
  ...handling,
  operation: 'claimException',
  path: '/exceptions/{exceptionId}/claim',
  summary: 'Take an open exception for oneself',
  answers: { 204: { description: 'in review' } },
  refusals: ['EXCEPTION_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const { exceptionId } = call.params;
      await requireException(trx, call.principal, exceptionId);
      await claimException(trx, exceptionId, call.principal.operatorId);
      return { status: 204 };
    }),
});

const assign = adminRoute({
  ...handling,
  operation: 'assignException',
  path: '/exceptions/{exceptionId}/assign',
  summary: 'Give an exception to an operator',
  body: z.strictObject({ operatorId: uuid() }),
  answers: { 204: { description: 'in review' } },
  refusals: ['EXCEPTION_NOT_FOUND', 'OPERATOR_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const { exceptionId } = call.params;
      const { operatorId } = call.body;
      await requireException(trx, call.principal, exceptionId);
      await requireWorker(trx, call.principal, operatorId);
      await assignException(trx, exceptionId, operatorId);
      return { status: 204 };
    }),
});

// While it is only rehearsed nobody knows who the second person will be.
const SECOND_TO_COME = 'second-operator';

const resolve = adminRoute({
  ...handling,
  permission: 'exceptions.resolve',
  operation: 'resolveException',
  path: '/exceptions/{exceptionId}/resolve',
  summary: 'End an exception that is in review; takes two',
  body: z.strictObject({
    resolution: word(RESOLUTIONS),
    note: text(1, 500),
    lifecycleId: uuid().nullish(),
    cardId: integerId().nullish(),
    amount: amount().nullish(),
  }),
  fourEyes: {
    kind: 'EXCEPTION_RESOLUTION',
    summary: ({ body }) => `Resolve an exception: ${body.resolution}`,
    subject: ({ params: { exceptionId } }) => ({ type: 'exception', id: exceptionId }),
  },
  answers: { 200: { description: 'the exception, once approved', schema: exceptionSchema }, 202: waiting },
  refusals: [
    'EXCEPTION_NOT_FOUND',
    'STATE_CONFLICT',
    'RESOLUTION_NOT_FOR_KIND',
    'TRANSACTION_NOT_FOUND',
    'CARD_NOT_FOUND',
    'APPROVAL_PENDING',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { exceptionId } = call.params;
      const { principal, requestedBy, body } = call;
      await requireException(trx, principal, exceptionId);
      const programmeIds = operatorProgrammeIds(principal);
      const { lifecycleId: transactionId = null, cardId = null, amount: money = null } = body;
      if (transactionId !== null && !(await findTransaction(trx, transactionId, { programmeIds }))) {
        throw new Refusal('TRANSACTION_NOT_FOUND', 'There is no such transaction.');
      }
      if (cardId !== null) await requireOperatorCard(trx, principal, cardId);
      await resolveException(trx, exceptionId, {
        resolution: body.resolution,
        note: body.note,
        operatorId: requestedBy ?? principal.operatorId,
        secondOperatorId: requestedBy === undefined ? SECOND_TO_COME : principal.operatorId,
        transactionId,
        cardId,
        amount: money,
      });
      return { status: 200, body: toWire(await requireException(trx, principal, exceptionId)) };
    }),
});

/** An exception in the operator's scope. Throws `EXCEPTION_NOT_FOUND`. */
export async function requireException(
  trx: Trx,
  { partnerId }: OperatorPrincipal,
  exceptionId: string,
): Promise<ExceptionRow> {
  const found = await findException(trx, exceptionId);
  if (found === undefined || (partnerId !== null && found.partner_id !== partnerId)) {
    throw new Refusal('EXCEPTION_NOT_FOUND', 'There is no such exception.');
  }
  return found;
}

/** Work is given only to who may see it and is there to do it. Throws `OPERATOR_NOT_FOUND`. */
async function requireWorker(trx: Trx, { partnerId }: OperatorPrincipal, operatorId: string): Promise<void> {
  const found = await findOperator(trx, operatorId);
  const inScope = found !== undefined && (partnerId === null || found.partnerId === partnerId);
  if (inScope && operatorStateAt(found, found.now) === 'ACTIVE') return;
  throw new Refusal('OPERATOR_NOT_FOUND', 'There is no such operator.');
}

export const exceptions = [list, read, claim, assign, resolve];
