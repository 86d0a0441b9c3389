import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import type { Database, DeliveryStatus } from '../../db/database.ts';
import { type EndedAttempt, endBatch, recordAttempts, unsentOfBatch } from '../../db/deliveries.ts';
import { emit, startWorkflow } from '../../db/outbox.ts';
import type { Programme } from '../../db/partners.ts';
import {
  claimNotices,
  connectionsWaiting,
  type HandedOver,
  handOverWorkflowRows,
  markBatchStarted,
  type RenderNotices,
  unstartedBatches,
  type WorkflowRow,
} from '../../db/relay.ts';
import { aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { aConnection, tellConnection } from '../support/partner-connection.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
let database: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let programme: Programme;
let connectionId: number;

beforeAll(async () => {
  database = await freshDatabase();
  owner = connect(database.ownerUrl);
  engine = connect(database.engineUrl);
});
afterAll(async () => {
  await engine.destroy();
  await owner.destroy();
  await database.drop();
});
beforeEach(async () => {
  await owner.deleteFrom('outbox').execute();
  const made = await aProgramme(owner);
  const nobody = { url: 'https://localhost:1', control: { signCsr: async () => null }, caPem: 'none' };
  connectionId = await aConnection(owner, vault, made, nobody as never);
  programme = await tellConnection(owner, made, connectionId, [10]);
});

const render: RenderNotices = async (_trx, rows) =>
  rows.map((row) => ({ body: Buffer.from(`${row.operation} ${row.subjectId}`) }));
const claim = (how: RenderNotices = render) =>
  atomically(engine, engineCaller, (trx) => claimNotices(trx, connectionId, how));
const lock = (...cardIds: number[]) =>
  atomically(engine, engineCaller, async (trx) => {
    for (const cardId of cardIds) {
      await emit(trx, programme, {
        kind: 'card.locked',
        cardId,
        reason: 'CARD_LOST',
        at: '2026-11-20T10:00:00Z',
      });
    }
  });
const deliveries = () =>
  engine
    .selectFrom('deliveries')
    .select(['order_key', 'sequence', 'status', 'last_outcome', 'batch_id', 'delivery_id'])
    .where('connection_id', '=', connectionId)
    .orderBy('order_key')
    .orderBy('sequence')
    .execute();
const sequences = async () =>
  (await deliveries()).map((row) => `${row.order_key} ${row.sequence} ${row.status}`);
const waiting = async () => (await owner.selectFrom('outbox').selectAll().execute()).length;
const setStatus = (status: DeliveryStatus) =>
  owner.updateTable('deliveries').set({ status }).where('connection_id', '=', connectionId).execute();
const endAllBatches = () => owner.updateTable('delivery_batches').set({ ended_at: new Date() }).execute();
const due = () => owner.updateTable('outbox').set({ not_before: null }).execute();

describe('claiming rows to a partner', () => {
  it('moves them into one batch of deliveries, numbered without gap per order key', async () => {
    await lock(1, 2, 1, 1);
    expect(await connectionsWaiting(engine)).toEqual([connectionId]);
    expect(await claim()).toMatchObject({ rows: 4, poisoned: 0, full: false });
    expect(await sequences()).toEqual([
      'card:1 1 PENDING',
      'card:1 2 PENDING',
      'card:1 3 PENDING',
      'card:2 1 PENDING',
    ]);
    expect(await waiting()).toBe(0);
    expect(await claim()).toBeNull();
  });

  it('goes on with the numbers of earlier batches', async () => {
    await lock(1, 1);
    await claim();
    await setStatus('DELIVERED');
    await lock(1);
    await claim();
    expect((await sequences()).at(-1)).toBe('card:1 3 PENDING');
  });

  it('leaves a row waiting while an earlier one of its key is on its first attempt, and no other', async () => {
    await lock(1);
    await claim();
    await lock(1, 2);
    await claim();
    expect(await sequences()).toEqual(['card:1 1 PENDING', 'card:2 1 PENDING']);
    await setStatus('RETRYING');
    await claim();
    expect(await sequences()).toContain('card:1 2 PENDING');
  });

  it('gives every row to one of many relays that claim at once', async () => {
    const cards = Array.from({ length: 60 }, (_, at) => at + 1);
    await lock(...cards, ...cards);
    await Promise.all([claim(), claim(), claim(), claim()]);
    while ((await waiting()) > 0) {
      await setStatus('DELIVERED');
      await claim();
    }
    const rows = await deliveries();
    expect(rows).toHaveLength(120);
    expect(new Set(rows.map((row) => `${row.order_key} ${row.sequence}`)).size).toBe(120);
    expect(Math.max(...rows.map((row) => row.sequence))).toBe(2);
  });

  it('takes at most 300 rows, and nothing once four batches run', async () => {
    await lock(...Array.from({ length: 301 }, (_, at) => at + 1));
    expect(await claim()).toMatchObject({ rows: 300, full: true });
    await claim();
    for (const cardId of [1001, 1002]) {
      await lock(cardId);
      await claim();
    }
    await lock(1003);
    expect(await claim()).toBeNull();
    await endAllBatches();
    expect(await claim()).toMatchObject({ rows: 1 });
  });

  it('takes nothing for a connection with 200 deliveries that retry, and no other is touched', async () => {
    await lock(...Array.from({ length: 200 }, (_, at) => at + 1));
    await claim();
    await setStatus('RETRYING');
    await endAllBatches();
    await lock(1001);
    expect(await claim()).toBeNull();
    expect(await waiting()).toBe(1);
  });

  it('leaves rows of a paused operation where they are', async () => {
    await lock(1);
    await owner
      .updateTable('connections')
      .set({ paused_operations: ['cardLocked'] })
      .where('connection_id', '=', connectionId)
      .execute();
    expect(await claim()).toBeNull();
    expect(await waiting()).toBe(1);
  });

  it('gives a row up after five faults of its own; only its own key waits for that', async () => {
    const failing: RenderNotices = async (trx, rows) =>
      (await render(trx, rows)).map((body, at) => (rows[at]?.subjectId === '7' ? { fault: 'broken' } : body));
    await lock(7, 8);
    await claim(failing);
    expect(await sequences()).toEqual(['card:8 1 PENDING']);
    await lock(7);
    for (let fault = 2; fault <= 4; fault += 1) {
      await due();
      expect(await claim(failing)).toBeNull();
    }
    await due();
    expect(await claim(failing)).toMatchObject({ rows: 0, poisoned: 1 });
    await due();
    await claim();
    const seventh = (await deliveries()).filter((row) => row.order_key === 'card:7');
    expect(seventh).toMatchObject([
      { sequence: 1, status: 'DEAD', last_outcome: 'RELAY_POISON' },
      { sequence: 2, status: 'PENDING' },
    ]);
  });

  it('is undone as a whole when our own side fails', async () => {
    await lock(1);
    const broken = claim(() => Promise.reject(new Error('database away')));
    await expect(broken).rejects.toThrow('database away');
    expect([await waiting(), (await deliveries()).length]).toEqual([1, 0]);
  });
});

describe('a claimed batch', () => {
  it('is found again until it is marked as started', async () => {
    await lock(1);
    const batch = await claim();
    const batchId = String(batch?.batchId);
    const ours = async () => (await unstartedBatches(engine, 0)).some((one) => one.batchId === batchId);
    expect(await ours()).toBe(true);
    await markBatchStarted(engine, batchId);
    expect(await ours()).toBe(false);
  });

  it('keeps each attempt once, whoever stores it', async () => {
    await lock(1, 2);
    const batchId = String((await claim())?.batchId);
    const { deliveries: unsent } = await unsentOfBatch(engine, batchId);
    const ended = (at: number, status: 'DELIVERED' | 'RETRYING'): EndedAttempt => ({
      deliveryId: unsent[at]?.deliveryId ?? '',
      attempt: 1,
      outcome: status === 'DELIVERED' ? 'ACCEPTED' : 'HTTP_ERROR',
      httpStatus: 204,
      responseTitle: null,
      durationMs: 3,
      bodySha256: 'x',
      manual: false,
      status,
      delayMs: status === 'DELIVERED' ? null : 10_000,
    });
    const store = (attempts: EndedAttempt[]) =>
      atomically(engine, engineCaller, (trx) => recordAttempts(trx, attempts));
    await store([ended(0, 'DELIVERED')]);
    await store([ended(0, 'RETRYING'), ended(1, 'RETRYING')]);
    expect((await unsentOfBatch(engine, batchId)).deliveries).toEqual([]);
    const end = await atomically(engine, engineCaller, (trx) => endBatch(trx, batchId));
    expect(end).toMatchObject({ delivered: 1, dead: 0, retrying: [{ operation: 'cardLocked' }] });
    expect(end.retrying[0]?.delayMs).toBeGreaterThan(5_000);
    const attempts = await engine
      .selectFrom('notification_attempts')
      .selectAll()
      .where('partner_id', '=', programme.partnerId)
      .execute();
    expect(attempts).toHaveLength(2);
  });
});

describe('workflow rows', () => {
  const ask = (cardId: number) =>
    atomically(engine, engineCaller, (trx) =>
      startWorkflow(trx, programme, {
        workflow: 'processor-instruction',
        id: `processor-instruction:${cardId}`,
        input: { cardId },
      }),
    );
  const handOver = (how: (row: WorkflowRow) => HandedOver) =>
    atomically(engine, engineCaller, (trx) => handOverWorkflowRows(trx, async (row) => how(row)));

  it('are handed over in order and leave the outbox', async () => {
    await ask(1);
    await ask(2);
    await ask(1);
    const seen: string[] = [];
    const result = await handOver((row) => (seen.push(`${row.workflow} ${row.workflowId}`), 'DONE'));
    expect(seen.toSorted()).toEqual([
      'processor-instruction processor-instruction:1',
      'processor-instruction processor-instruction:1',
      'processor-instruction processor-instruction:2',
    ]);
    expect(result).toMatchObject({ done: 3, away: false, setAside: [] });
    expect(await waiting()).toBe(0);
  });

  it('wait while Temporal is away, without a fault counted', async () => {
    await ask(1);
    expect(await handOver(() => 'AWAY')).toMatchObject({ done: 0, away: true });
    const [row] = await owner.selectFrom('outbox').selectAll().execute();
    expect(row).toMatchObject({ failures: 0, not_before: null });
  });

  it('are set aside after five faults of their own, told by an exception, and block nobody', async () => {
    await ask(1);
    await ask(2);
    for (let fault = 1; fault <= 4; fault += 1) {
      await handOver((row) => (row.workflowId.endsWith(':1') ? 'OWN_FAULT' : 'DONE'));
      await due();
    }
    const last = await handOver(() => 'OWN_FAULT');
    expect(last.setAside).toMatchObject([{ workflowId: 'processor-instruction:1' }]);
    await due();
    expect(await handOver(() => 'DONE')).toMatchObject({ done: 0 });
    const told = await owner
      .selectFrom('exceptions')
      .selectAll()
      .where('partner_id', '=', programme.partnerId)
      .execute();
    expect(told).toMatchObject([{ kind: 'RELAY_POISON', values: { workflow: 'processor-instruction' } }]);
  });
});
