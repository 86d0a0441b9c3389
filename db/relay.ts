import { type Kysely, type Selectable, sql } from 'kysely';
import { newId, nowOf, type Trx } from './atomically.ts';
import type { Database, OutboxTable, ProgrammeTimings } from './database.ts';

/** Bounds per connection (partner-integrations 12): a dead partner costs a fixed amount and others nothing. */
const ROWS_A_BATCH = 300;
const RUNNING_BATCHES = 4;
const RUNNING_DELIVERIES = 200;
const OWN_FAULTS = 5;
const WORKFLOW_ROWS = 50;

/** An outbox row on its way to becoming a delivery. */
export interface NoticeRow {
  readonly deliveryId: string;
  readonly batchId: string;
  readonly partnerId: number;
  readonly connectionId: number;
  readonly operation: string;
  readonly transactionId: string | null;
  readonly eventSeq: number | null;
  readonly subjectId: string | null;
  readonly data: Readonly<Record<string, unknown>> | null;
}

/** A body as it is stored, or why this row alone cannot be told. */
export type RenderedNotice = { readonly body: Buffer } | { readonly fault: string };

/** Makes the bodies of rows, one for each in order, inside the claim; given in so that db knows no vault. */
export type RenderNotices = (trx: Trx, rows: readonly NoticeRow[]) => Promise<readonly RenderedNotice[]>;

export interface ClaimedBatch {
  readonly batchId: string;
  readonly partnerId: number;
  readonly rows: number;
  /** Rows given up: five faults of their own. */
  readonly poisoned: number;
  /** True when more may wait than one batch takes. */
  readonly full: boolean;
}

/** Connections that rows wait for, in the order of their oldest row. */
export async function connectionsWaiting(db: Kysely<Database>): Promise<number[]> {
  const { rows } = await sql<{ connection_id: number }>`
    select connection_id from outbox
    where destination = 'partner' and connection_id is not null
      and (not_before is null or not_before <= cardloom_now())
    group by connection_id order by min(id)`.execute(db);
  return rows.map((row) => row.connection_id);
}

/**
 * Turns waiting rows of one connection into a batch of deliveries: rows leave the outbox and appear in
 * `deliveries` in one commit, with sequence numbers without gap per order key and bodies made once. A row is
 * taken only when the first attempt of every earlier one of its order key is over or in the same batch. Null:
 * nothing to do, another relay is at it, or the connection's bounds are reached. Engine only.
 */
export async function claimNotices(
  trx: Trx,
  connectionId: number,
  render: RenderNotices,
): Promise<ClaimedBatch | null> {
  const room = await lockConnection(trx, connectionId);
  if (room <= 0) return null;
  const rows = await lockRows(trx, connectionId, room);
  const first = rows[0];
  if (first === undefined) return null;
  const batchId = newId(trx);
  const notices = rows.map((row) => noticeOf(trx, row, batchId));
  const bodies = await render(trx, notices);
  const sorted = sortOut(rows, notices, bodies);
  await postpone(trx, sorted.faulty);
  if (sorted.taken.length === 0) return null;
  const ready = sorted.taken.filter((one) => one.body !== null).length;
  await insertBatch(trx, { batchId, connectionId, partnerId: first.partner_id, rows: ready });
  await insertDeliveries(trx, connectionId, sorted.taken);
  await deleteRows(
    trx,
    sorted.taken.map((one) => one.row.id),
  );
  return {
    batchId,
    partnerId: first.partner_id,
    rows: ready,
    poisoned: sorted.taken.length - ready,
    full: rows.length === room,
  };
}

/** Rows the connection may take now; one relay at a time works on a connection. */
async function lockConnection(trx: Trx, connectionId: number): Promise<number> {
  const { rows } = await sql<{ mine: boolean; batches: number; pending: number; retrying: number }>`
    select pg_try_advisory_xact_lock(hashtext('relay'), ${connectionId}) as mine,
      (select count(*) from delivery_batches where connection_id = ${connectionId} and ended_at is null) as batches,
      (select count(*) from deliveries where connection_id = ${connectionId} and status = 'PENDING') as pending,
      (select count(*) from deliveries where connection_id = ${connectionId} and status = 'RETRYING') as retrying
  `.execute(trx);
  const found = rows[0];
  if (found === undefined || !found.mine || found.batches >= RUNNING_BATCHES) return 0;
  // While some rows fail, those under way might too: together they stay within the bound.
  const room = found.retrying === 0 ? ROWS_A_BATCH : RUNNING_DELIVERIES - found.retrying - found.pending;
  return Math.min(ROWS_A_BATCH, room);
}

type Row = Selectable<OutboxTable>;
/** A row to a partner: it has one (check of the table). */
type PartnerRow = Row & { readonly partner_id: number; readonly programme_id: number };

async function lockRows(trx: Trx, connectionId: number, limit: number): Promise<PartnerRow[]> {
  const { rows } = await sql<PartnerRow>`
    select o.* from outbox o
    where o.destination = 'partner' and o.connection_id = ${connectionId}
      and (o.not_before is null or o.not_before <= cardloom_now())
      and o.kind <> all (select unnest(paused_operations) from connections where connection_id = ${connectionId})
      and o.order_key <> all (
        select w.order_key from outbox w, connections c
        where w.destination = 'partner' and w.connection_id = ${connectionId} and c.connection_id = ${connectionId}
          and (w.not_before > cardloom_now() or w.kind = any (c.paused_operations)))
      and not exists (
        select from deliveries d
        where d.connection_id = o.connection_id and d.order_key = o.order_key and d.status = 'PENDING')
    order by o.id limit ${limit} for update skip locked`.execute(trx);
  return rows;
}

const noticeOf = (trx: Trx, row: PartnerRow, batchId: string): NoticeRow => ({
  deliveryId: newId(trx),
  batchId,
  partnerId: row.partner_id,
  connectionId: row.connection_id as number,
  operation: row.kind,
  transactionId: row.transaction_id,
  eventSeq: row.event_seq,
  subjectId: row.subject_id,
  data: row.data,
});

interface Taken {
  readonly row: PartnerRow;
  readonly notice: NoticeRow;
  /** Null: given up, kept as a DEAD delivery so that its number in the sequence is not missing. */
  readonly body: Buffer | null;
}

/** A faulty row waits and holds back the later ones of its order key, until it is given up. */
function sortOut(
  rows: readonly PartnerRow[],
  notices: readonly NoticeRow[],
  bodies: readonly RenderedNotice[],
): { taken: Taken[]; faulty: PartnerRow[] } {
  const taken: Taken[] = [];
  const faulty: PartnerRow[] = [];
  const heldBack = new Set<string>();
  rows.forEach((row, at) => {
    const notice = notices[at];
    const rendered = bodies[at];
    if (notice === undefined || rendered === undefined || heldBack.has(row.order_key)) return;
    if ('body' in rendered) taken.push({ row, notice, body: rendered.body });
    else if (row.failures + 1 >= OWN_FAULTS) taken.push({ row, notice, body: null });
    else {
      heldBack.add(row.order_key);
      faulty.push(row);
    }
  });
  return { taken, faulty };
}

async function postpone(trx: Trx, rows: readonly Pick<Row, 'id'>[]): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.id);
  await sql`
    update outbox set failures = failures + 1,
      not_before = cardloom_now() + make_interval(secs => failures + 1)
    where id = any (${ids}::bigint[])`.execute(trx);
}

async function insertBatch(
  trx: Trx,
  batch: { batchId: string; connectionId: number; partnerId: number; rows: number },
): Promise<void> {
  const over = batch.rows === 0 ? nowOf(trx) : null;
  await trx
    .insertInto('delivery_batches')
    .values({
      batch_id: batch.batchId,
      partner_id: batch.partnerId,
      connection_id: batch.connectionId,
      class: 'NOTICE',
      rows: batch.rows,
      started_at: over,
      ended_at: over,
    })
    .execute();
}

async function insertDeliveries(trx: Trx, connectionId: number, taken: readonly Taken[]): Promise<void> {
  const sequences = await nextSequences(
    trx,
    connectionId,
    taken.map((one) => one.row.order_key),
  );
  const column = <T>(of: (one: Taken) => T): T[] => taken.map(of);
  await sql`
    insert into deliveries (delivery_id, partner_id, programme_id, connection_id, class, operation, order_key,
      sequence, batch_id, status, body, transaction_id, event_seq, subject_id, last_outcome, finished_at)
    select delivery_id, partner_id, programme_id, ${connectionId}, 'NOTICE', operation, order_key, sequence,
      batch_id, case when body is null then 'DEAD' else 'PENDING' end, body, transaction_id, event_seq,
      subject_id, case when body is null then 'RELAY_POISON' end, case when body is null then cardloom_now() end
    from unnest(
      ${column((one) => one.notice.deliveryId)}::uuid[], ${column((one) => one.row.partner_id)}::int[],
      ${column((one) => one.row.programme_id)}::int[], ${column((one) => one.row.kind)}::text[],
      ${column((one) => one.row.order_key)}::text[], ${sequences}::int[],
      ${column((one) => one.notice.batchId)}::uuid[], ${column((one) => one.body)}::bytea[],
      ${column((one) => one.row.transaction_id)}::uuid[], ${column((one) => one.row.event_seq)}::smallint[],
      ${column((one) => one.row.subject_id)}::text[])
    as taken (delivery_id, partner_id, programme_id, operation, order_key, sequence, batch_id, body,
      transaction_id, event_seq, subject_id)`.execute(trx);
}

/** The next number of each order key, in the order of `orderKeys`; a key may come more than once. */
async function nextSequences(
  trx: Trx,
  connectionId: number,
  orderKeys: readonly string[],
): Promise<number[]> {
  const { rows } = await sql<{ order_key: string; last: number }>`
    select k.order_key, (
      select d.sequence from deliveries d
      where d.connection_id = ${connectionId} and d.order_key = k.order_key
      order by d.sequence desc limit 1) as last
    from unnest(${[...new Set(orderKeys)]}::text[]) as k (order_key)`.execute(trx);
  const last = new Map(rows.map((row) => [row.order_key, row.last ?? 0]));
  return orderKeys.map((key) => {
    const next = (last.get(key) ?? 0) + 1;
    last.set(key, next);
    return next;
  });
}

const deleteRows = async (trx: Trx, ids: readonly number[]): Promise<void> => {
  await sql`delete from outbox where id = any (${ids}::bigint[])`.execute(trx);
};

/** A batch whose workflow is to be started. */
export interface UnstartedBatch {
  readonly batchId: string;
  readonly partnerId: number;
}

/** Batches that were claimed before `olderThanMs` ago and still have no workflow. */
export async function unstartedBatches(db: Kysely<Database>, olderThanMs: number): Promise<UnstartedBatch[]> {
  const rows = await db
    .selectFrom('delivery_batches')
    .select(['batch_id', 'partner_id'])
    .where('started_at', 'is', null)
    .where('created_at', '<=', sql<Date>`cardloom_now() - make_interval(secs => ${olderThanMs / 1000})`)
    .orderBy('created_at')
    .limit(100)
    .execute();
  return rows.map((row) => ({ batchId: row.batch_id, partnerId: row.partner_id }));
}

/** Notes that a batch has its workflow. */
export async function markBatchStarted(db: Kysely<Database>, batchId: string): Promise<void> {
  await sql`update delivery_batches set started_at = cardloom_now()
    where batch_id = ${batchId} and started_at is null`.execute(db);
}

/** A row that starts or signals a workflow. */
export interface WorkflowRow {
  readonly outboxId: number;
  /** Null for workflows that belong to no partner. */
  readonly partnerId: number | null;
  readonly programmeId: number | null;
  readonly workflow: string;
  readonly workflowId: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Durations of the row's programme. */
  readonly timings: ProgrammeTimings;
}

/** `AWAY`: Temporal cannot be reached, the row waits; `OWN_FAULT`: this row cannot be started as it is. */
export type HandedOver = 'DONE' | 'AWAY' | 'OWN_FAULT';

export interface WorkflowRowsResult {
  readonly done: number;
  readonly away: boolean;
  /** Rows set aside after five faults of their own; an exception row tells of each. */
  readonly setAside: readonly WorkflowRow[];
}

/**
 * Hands due workflow rows over, subjects side by side and the rows of one subject in order; what was handed
 * over leaves the outbox. Rows stay locked meanwhile, so that two relays do not start the same. Engine only.
 */
export async function handOverWorkflowRows(
  trx: Trx,
  handOver: (row: WorkflowRow) => Promise<HandedOver>,
): Promise<WorkflowRowsResult> {
  const subjects = await lockWorkflowRows(trx);
  const outcomes = await Promise.all([...subjects.values()].map((rows) => handOverInOrder(rows, handOver)));
  const settled = outcomes.flatMap((one) => one.done);
  await deleteRows(
    trx,
    settled.map((row) => row.outboxId),
  );
  const faulty = outcomes.flatMap((one) => one.faulty);
  await postpone(
    trx,
    faulty.map((row) => ({ id: row.outboxId })),
  );
  const setAside = faulty.filter((row) => row.failures + 1 >= OWN_FAULTS);
  for (const row of setAside) await recordPoison(trx, row);
  return { done: settled.length, away: outcomes.some((one) => one.away), setAside };
}

type LockedWorkflowRow = WorkflowRow & { readonly failures: number };

async function lockWorkflowRows(trx: Trx): Promise<Map<string, LockedWorkflowRow[]>> {
  const { rows } = await sql<Row & { timings: WorkflowRow['timings'] }>`
    select o.*, coalesce(p.timings, '{}') as timings from outbox o left join programmes p on p.programme_id = o.programme_id
    where o.destination = 'workflow' and o.failures < ${OWN_FAULTS}
      and (o.not_before is null or o.not_before <= cardloom_now())
      and o.order_key <> all (
        select order_key from outbox
        where destination = 'workflow' and failures < ${OWN_FAULTS} and not_before > cardloom_now())
    order by o.id limit ${WORKFLOW_ROWS} for update of o skip locked`.execute(trx);
  const subjects = new Map<string, LockedWorkflowRow[]>();
  for (const row of rows) {
    const one: LockedWorkflowRow = {
      outboxId: row.id,
      partnerId: row.partner_id,
      programmeId: row.programme_id,
      workflow: row.kind,
      workflowId: row.subject_id ?? row.order_key,
      input: row.data ?? {},
      timings: row.timings,
      failures: row.failures,
    };
    subjects.set(row.order_key, [...(subjects.get(row.order_key) ?? []), one]);
  }
  return subjects;
}

async function handOverInOrder(
  rows: readonly LockedWorkflowRow[],
  handOver: (row: WorkflowRow) => Promise<HandedOver>,
): Promise<{ done: LockedWorkflowRow[]; faulty: LockedWorkflowRow[]; away: boolean }> {
  const done: LockedWorkflowRow[] = [];
  for (const row of rows) {
    const outcome = await handOver(row);
    if (outcome === 'AWAY') return { done, faulty: [], away: true };
    if (outcome === 'OWN_FAULT') return { done, faulty: [row], away: false };
    done.push(row);
  }
  return { done, faulty: [], away: false };
}

async function recordPoison(trx: Trx, row: WorkflowRow): Promise<void> {
  await trx
    .insertInto('exceptions')
    .values({
      exception_id: newId(trx),
      partner_id: row.partnerId,
      kind: 'RELAY_POISON',
      severity: 'CRITICAL',
      transaction_id: null,
      record_id: String(row.outboxId),
      values: JSON.stringify({ workflow: row.workflow, workflowId: row.workflowId }),
    })
    .execute();
}

/** What waits in the outbox, for metrics. */
export async function outboxBacklog(
  db: Kysely<Database>,
): Promise<{ destination: string; rows: number; oldestSeconds: number }[]> {
  const { rows } = await sql<{ destination: string; rows: number; oldest_seconds: number }>`
    select destination, count(*) as rows,
      extract(epoch from cardloom_now() - min(created_at))::float8 as oldest_seconds
    from outbox where failures < ${OWN_FAULTS} group by destination`.execute(db);
  return rows.map((row) => ({
    destination: row.destination,
    rows: row.rows,
    oldestSeconds: row.oldest_seconds,
  }));
}
