import { findHold, type Hold, listHolds } from '../../db/holds.ts';
import { Refusal } from '../../domain/errors.ts';
import { HOLD_STATES } from '../../domain/hold.ts';
import { adminRoute, operatorProgrammeIds } from '../operator-principal.ts';
import { date, dateTime, listOf, page, uuid, word, z } from '../schemas/shared.ts';
import { operatorPage } from './lists.ts';

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

export const holds = [list, read];
