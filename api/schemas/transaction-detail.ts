import type { DeliveryState } from '../../db/deliveries.ts';
import type { DecisionTrace, Posting, TransactionEventRow } from '../../db/transactions.ts';
import { date, z } from './shared.ts';
import { transactionSchema } from './transaction.ts';

/** One message or posting of a transaction; `seq` counts from 1 without a gap. */
export const eventSchema = z
  .strictObject({
    seq: z.int(),
    kind: z.string(),
    status: z.enum(['AUTHORIZED', 'CLEARED', 'REVERSED']),
    result: z.string(),
    reason: z.string().nullable(),
    amount: z.int().nullable(),
    transactionId: z.string().nullable(),
    requestId: z.string(),
    actor: z.string(),
    occurredAt: date().nullable(),
    createdAt: date(),
  })
  .openapi('TransactionEvent');

/** An event as operators see it; amount and number are null where they are the transaction's own. */
export const toEvent = (row: TransactionEventRow): z.input<typeof eventSchema> => ({
  seq: row.seq,
  kind: row.kind,
  status: row.status,
  result: row.result,
  reason: row.reason,
  amount: row.amount,
  transactionId: row.external_id,
  requestId: row.request_id,
  actor: row.actor,
  occurredAt: row.occurred_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
});

const postingSchema = z.strictObject({
  eventSeq: z.int(),
  seq: z.int(),
  debit: z.string(),
  credit: z.string(),
  amount: z.int(),
  currency: z.string(),
  state: z.enum(['PENDING', 'POSTED', 'VOIDED']),
  createdAt: date(),
});

/** A ledger transfer as operators see it. */
export const toPosting = (posting: Posting): z.input<typeof postingSchema> => ({
  ...posting,
  createdAt: posting.createdAt.toISOString(),
});

const notificationSchema = z.strictObject({
  deliveryId: z.string(),
  operation: z.string(),
  status: z.string(),
  eventSeq: z.int().nullable(),
  attempts: z.int(),
  lastOutcome: z.string().nullable(),
  createdAt: date(),
});

/** A delivery to a partner as operators see it. */
export const toDelivery = (delivery: DeliveryState): z.input<typeof notificationSchema> => ({
  ...delivery,
  createdAt: delivery.createdAt.toISOString(),
});

export const detailSchema = transactionSchema
  .extend({
    events: z.array(eventSchema),
    postings: z.array(postingSchema),
    notifications: z.array(notificationSchema),
  })
  .openapi('TransactionDetail');

const stepSchema = z.strictObject({
  no: z.int(),
  check: z.string(),
  outcome: z.string(),
  reason: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});

/** A decision with the checks it went through (authorization 15). */
export const traceSchema = z
  .strictObject({
    seq: z.int(),
    kind: z.string(),
    result: z.enum(['APPROVED', 'DECLINED', 'ACKNOWLEDGED']),
    description: z.string(),
    reason: z.string().nullable(),
    decidedBy: z.string().nullable(),
    refusedBy: z
      .strictObject({
        step: z.int(),
        rule: z.string().nullable(),
        values: z.record(z.string(), z.unknown()),
        version: z.int().nullable(),
      })
      .nullable(),
    versions: z.strictObject({ programme: z.int(), product: z.int(), limits: z.int().nullable() }).nullable(),
    consumed: z.array(z.int()).nullable(),
    steps: z.array(stepSchema),
    flags: z.array(z.string()),
    lane: z.strictObject({ lane: z.int(), batchSize: z.int(), queueMs: z.number() }).nullable(),
    at: date(),
  })
  .openapi('DecisionTrace');

/** A decision on the wire. */
export const toTrace = (trace: DecisionTrace): unknown => ({ ...trace, at: trace.at.toISOString() });
