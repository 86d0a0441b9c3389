import { findHold, type Hold, listHolds } from '../../db/holds.ts';
import { startWorkflow } from '../../db/outbox.ts';
import { Refusal } from '../../domain/errors.ts';
import { HOLD_STATES } from '../../domain/hold.ts';
import { holdReleaseId } from '../../domain/hold-release.ts';
import { adminRoute, operatorProgrammeIds } from '../operator-principal.ts';
import { date, dateTime, listOf, page, text, uuid, word, z } from '../schemas/shared.ts';
import { operatorPage } from './lists.ts';
import { waiting } from './waiting.ts';

const reading = {
  permission: 'transactions.read',
  jwe: 'open',
  idempotency: 'ignored',
  method: 'GET',
} as const;

const holdSchema = z
  .strictObject({
    id: uuid(),
    transactionId: z.string(),
    kind: z.literal('network'),
    balanceId: uuid().nullable(),
    cardId: z.string().nullable(),
    customerId: z.int().nullable(),
    currency: z.string(),
    authorized: z.int(),
    cleared: z.int(),
    reversed: z.int(),
    remaining: z.int(),
    state: z.enum(HOLD_STATES),
    expiresAt: date().nullable(),
    createdAt: date(),
  })
  .openapi('Hold');

const toWire = ({ transaction: row, state }: Hold): z.input<typeof holdSchema> => ({
  id: row.id,
  transactionId: row.external_id,
  kind: 'network',
  balanceId: row.balance_id,
  cardId: row.card_id === null ? null : String(row.card_id),
  customerId: row.customer_id,
  currency: row.currency,
  authorized: row.authorized,
  cleared: row.cleared,
  reversed: row.reversed,
  remaining: row.held,
  state,
  expiresAt: row.expires_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
});

const list = adminRoute({
  ...reading,
  operation: 'listHolds',
  path: '/holds',
  summary: 'List holds',
  query: z.strictObject({
    ...page,
    balanceId: uuid().optional(),
    // Fees and transfers hold nothing yet.
    kind: word(['network']).optional(),
    state: word(HOLD_STATES).optional(),
    expiresTo: dateTime().optional(),
  }),
  answers: { 200: { description: 'holds, newest first', schema: listOf(holdSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, kind: _kind, ...filters } = call.query;
    const programmeIds = operatorProgrammeIds(call.principal);
    const body = await call.atomically((trx) =>
      operatorPage(call, {
        operation: 'listHolds',
        filters,
        page: { limit, cursor },
        read: (before, most) => listHolds(trx, { programmeIds, ...filters, before, limit: most }),
        positionOf: ({ transaction }) => transaction.id,
        toItem: toWire,
      }),
    );
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...reading,
  operation: 'readHold',
  path: '/holds/{holdId}',
  summary: 'Read the hold of a transaction',
  params: z.strictObject({ holdId: uuid() }),
  answers: { 200: { description: 'the hold', schema: holdSchema } },
  refusals: ['HOLD_NOT_FOUND'],
  handle: async (call) => {
    const ids = operatorProgrammeIds(call.principal);
    const found = await call.atomically((trx) => findHold(trx, call.params.holdId, ids));
    if (found === undefined) throw new Refusal('HOLD_NOT_FOUND', 'There is no such hold.');
    return { status: 200, body: toWire(found) };
  },
});

const release = adminRoute({
  operation: 'releaseHold',
  method: 'POST',
  path: '/holds/{holdId}/release',
  summary: 'Give back what a hold still keeps; takes two',
  description: 'Once approved, a workflow releases the hold in the order of the other messages of its card.',
  permission: 'exceptions.resolve',
  jwe: 'open',
  idempotency: 'accepted',
  params: z.strictObject({ holdId: uuid() }),
  body: z.strictObject({ reason: text(3, 255) }),
  fourEyes: {
    kind: 'HOLD_RELEASE',
    summary: () => 'Release a hold',
    subject: ({ params }) => ({ type: 'hold', id: params.holdId }),
  },
  answers: { 202: waiting },
  refusals: ['HOLD_NOT_FOUND', 'STATE_CONFLICT', 'APPROVAL_PENDING'],
  handle: (call) =>
    call.once(async (trx) => {
      const found = await findHold(trx, call.params.holdId, operatorProgrammeIds(call.principal));
      if (found === undefined) throw new Refusal('HOLD_NOT_FOUND', 'There is no such hold.');
      if (found.state !== 'OPEN') throw new Refusal('STATE_CONFLICT', 'Nothing is held any more.');
      const { id: transactionId, partner_id: partnerId, programme_id: programmeId } = found.transaction;
      const input = {
        transactionId,
        amount: null,
        reason: call.body.reason,
        operatorId: call.requestedBy ?? call.principal.operatorId,
        requestId: call.requestId,
      };
      await startWorkflow(
        trx,
        { partnerId, programmeId },
        { workflow: 'hold-release', id: holdReleaseId(input), input },
      );
      return { status: 202, body: toWire(found) };
    }),
});

export const holds = [list, read, release];
