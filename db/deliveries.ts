import { type Kysely, sql } from 'kysely';
import type { DeliveryOutcome } from '../domain/delivery.ts';
import { newId, type Trx } from './atomically.ts';
import type { ConnectionsTable, Database, DeliveryStatus } from './database.ts';
import type { Selectable } from 'kysely';

/** A delivery with what an attempt needs to know. */
export interface Delivery {
  readonly deliveryId: string;
  readonly batchId: string;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly issuerCode: string;
  readonly connectionId: number;
  readonly operation: string;
  readonly orderKey: string;
  readonly sequence: number;
  readonly status: DeliveryStatus;
  /** Sealed; null once purged. */
  readonly body: Buffer | null;
  /** True when the body is a JWE already. */
  readonly encryptedRequest: boolean;
  readonly attempts: number;
  /** Delays of the programme before resends; undefined: those of the chapter. */
  readonly resendDelaysMs: readonly number[] | undefined;
}

export type ConnectionRow = Selectable<ConnectionsTable>;

/** Deliveries of a batch whose first attempt is not stored, in sequence, and the connection they go over. */
export async function unsentOfBatch(
  db: Kysely<Database>,
  batchId: string,
): Promise<{ readonly connection: ConnectionRow | undefined; readonly deliveries: readonly Delivery[] }> {
  const connection = await db
    .selectFrom('connections')
    .innerJoin('delivery_batches', 'delivery_batches.connection_id', 'connections.connection_id')
    .where('batch_id', '=', batchId)
    .selectAll('connections')
    .executeTakeFirst();
  const rows = await deliveryQuery(db)
    .where('batch_id', '=', batchId)
    .where('status', '=', 'PENDING')
    .where('attempts', '=', 0)
    .orderBy('order_key')
    .orderBy('sequence')
    .execute();
  return { connection, deliveries: rows.map(toDelivery) };
}

/** One delivery and its connection, or undefined. */
export async function findDelivery(
  db: Kysely<Database>,
  deliveryId: string,
): Promise<{ readonly connection: ConnectionRow; readonly delivery: Delivery } | undefined> {
  const row = await deliveryQuery(db).where('delivery_id', '=', deliveryId).executeTakeFirst();
  if (row === undefined) return undefined;
  const connection = await db
    .selectFrom('connections')
    .selectAll()
    .where('connection_id', '=', row.connection_id)
    .executeTakeFirstOrThrow();
  return { connection, delivery: toDelivery(row) };
}

const deliveryQuery = (db: Kysely<Database>) =>
  db
    .selectFrom('deliveries')
    .innerJoin('programmes', 'programmes.programme_id', 'deliveries.programme_id')
    .select([
      'delivery_id',
      'batch_id',
      'deliveries.partner_id',
      'deliveries.programme_id',
      'issuer_code',
      'timings',
      'connection_id',
      'operation',
      'order_key',
      'sequence',
      'status',
      'body',
      'encrypted_request',
      'attempts',
    ]);

type DeliveryRow = Awaited<ReturnType<ReturnType<typeof deliveryQuery>['executeTakeFirstOrThrow']>>;

const toDelivery = (row: DeliveryRow): Delivery => ({
  deliveryId: row.delivery_id,
  batchId: row.batch_id,
  partnerId: row.partner_id,
  programmeId: row.programme_id,
  issuerCode: row.issuer_code,
  connectionId: row.connection_id,
  operation: row.operation,
  orderKey: row.order_key,
  sequence: row.sequence,
  status: row.status,
  body: row.body,
  encryptedRequest: row.encrypted_request,
  attempts: row.attempts,
  resendDelaysMs: row.timings.resendDelaysMs,
});

/**
 * Keeps a body that was encrypted for the partner, before it is first sent: resends are identical. Returns the
 * body to send: another run may have kept its own first.
 */
export async function keepEncryptedBody(trx: Trx, deliveryId: string, body: Buffer): Promise<Buffer> {
  const { body: kept } = await sql<{ body: Buffer }>`
    update deliveries set
      body = case when encrypted_request then body else ${body} end, encrypted_request = true
    where delivery_id = ${deliveryId} returning body`
    .execute(trx)
    .then(({ rows }) => rows[0] ?? { body });
  return kept;
}

/** One attempt that has ended, and what became of its delivery. */
export interface EndedAttempt {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly outcome: DeliveryOutcome;
  readonly httpStatus: number | null;
  readonly responseTitle: string | null;
  readonly durationMs: number;
  readonly bodySha256: string;
  readonly manual: boolean;
  readonly status: DeliveryStatus;
  /** Pause before the next attempt; null when there is none. */
  readonly delayMs: number | null;
}

/** Stores attempts and moves their deliveries on; an attempt that is stored already changes nothing. */
export async function recordAttempts(trx: Trx, attempts: readonly EndedAttempt[]): Promise<void> {
  if (attempts.length === 0) return;
  const column = <T>(of: (one: EndedAttempt) => T): T[] => attempts.map(of);
  await sql`
    with ended as (
      select * from unnest(
        ${attempts.map(() => newId(trx))}::uuid[], ${column((one) => one.deliveryId)}::uuid[],
        ${column((one) => one.attempt)}::smallint[], ${column((one) => one.outcome)}::text[],
        ${column((one) => one.httpStatus)}::smallint[], ${column((one) => one.responseTitle)}::text[],
        ${column((one) => Math.round(one.durationMs))}::int[], ${column((one) => one.bodySha256)}::text[],
        ${column((one) => one.manual)}::boolean[], ${column((one) => one.status)}::text[],
        ${column((one) => one.delayMs)}::float8[])
      as e (id, delivery_id, attempt, outcome, http_status, response_title, duration_ms, body_sha256, manual,
        status, delay_ms)
    ), moved as (
      update deliveries d set
        status = e.status, attempts = e.attempt, last_outcome = e.outcome,
        next_attempt_at = cardloom_now() + make_interval(secs => e.delay_ms / 1000),
        finished_at = case when e.status in ('DELIVERED', 'DEAD') then cardloom_now() end
      from ended e
      where d.delivery_id = e.delivery_id and d.attempts = e.attempt - 1
      returning d.delivery_id, d.partner_id
    )
    insert into notification_attempts (id, delivery_id, partner_id, attempt, outcome, http_status,
      response_title, duration_ms, body_sha256, manual)
    select e.id, e.delivery_id, m.partner_id, e.attempt, e.outcome, e.http_status, e.response_title,
      e.duration_ms, e.body_sha256, e.manual
    from ended e join moved m using (delivery_id)`.execute(trx);
}

/** A delivery that is to be sent again. */
export interface RetryingDelivery {
  readonly deliveryId: string;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly operation: string;
  /** Until its next attempt. */
  readonly delayMs: number;
}

export interface BatchEnd {
  readonly delivered: number;
  readonly dead: number;
  readonly retrying: readonly RetryingDelivery[];
}

/** Closes a batch whose rows have all been tried once, and tells which are to be sent again. */
export async function endBatch(trx: Trx, batchId: string): Promise<BatchEnd> {
  await sql`update delivery_batches set ended_at = cardloom_now()
    where batch_id = ${batchId} and ended_at is null`.execute(trx);
  const { rows } = await sql<{
    delivery_id: string;
    partner_id: number;
    programme_id: number;
    operation: string;
    status: DeliveryStatus;
    delay_ms: number | null;
  }>`
    select delivery_id, partner_id, programme_id, operation, status,
      greatest(0, extract(epoch from next_attempt_at - cardloom_now()) * 1000)::float8 as delay_ms
    from deliveries where batch_id = ${batchId} order by order_key, sequence`.execute(trx);
  const count = (status: DeliveryStatus) => rows.filter((row) => row.status === status).length;
  const retrying = rows
    .filter((row) => row.status === 'RETRYING')
    .map((row) => ({
      deliveryId: row.delivery_id,
      partnerId: row.partner_id,
      programmeId: row.programme_id,
      operation: row.operation,
      delayMs: Math.round(row.delay_ms ?? 0),
    }));
  return { delivered: count('DELIVERED'), dead: count('DEAD'), retrying };
}

/** What became of telling a partner about a transaction. */
export interface DeliveryState {
  readonly deliveryId: string;
  readonly operation: string;
  readonly status: string;
  readonly eventSeq: number | null;
  readonly attempts: number;
  readonly lastOutcome: string | null;
  readonly createdAt: Date;
}

/** The deliveries of a transaction in the order of their making. */
export const deliveriesOfTransaction = async (
  db: Kysely<Database>,
  transactionId: string,
): Promise<DeliveryState[]> =>
  await db
    .selectFrom('deliveries')
    .where('transaction_id', '=', transactionId)
    .select([
      'delivery_id as deliveryId',
      'operation',
      'status',
      'event_seq as eventSeq',
      'attempts',
      'last_outcome as lastOutcome',
      'created_at as createdAt',
    ])
    .orderBy('created_at')
    .orderBy('delivery_id')
    .execute();
