import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createAddressGuard } from '../../activities/partner/address-guard.ts';
import { createPartnerClient, type PartnerClient } from '../../activities/partner/client.ts';
import { createNotifierActivities } from '../../activities/partner/notifier.ts';
import { createPartnerKeys } from '../../activities/partner/public-key.ts';
import { createRenderer } from '../../activities/partner/render.ts';
import { atomically, newId } from '../../db/atomically.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { emit } from '../../db/outbox.ts';
import { addTransactionalLock, removeTransactionalLock } from '../../db/transactional-locks.ts';
import { claimNotices } from '../../db/relay.ts';
import type { Programme } from '../../db/partners.ts';
import { submitVerification } from '../../db/verifications.ts';
import { type PartnerSim, startPartnerSim } from '../../simulators/partner/simulator.ts';
import { resendDelivery, workflowIds } from '../../temporal/workflows.ts';
import type { Vault } from '../../vault/vault.ts';
import { type Relay, startRelay } from '../../worker/outbox-relay.ts';
import { aCustomer, aProgramme, aSubmission, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { aConnection, tellConnection } from '../support/partner-connection.ts';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';
import { clientOfNobody } from '../support/temporal-client.ts';
import { testVault } from '../support/vault.ts';

const logger = pino({ level: 'silent' });
const vault: Vault = testVault();
let database: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let pool: Pool;
let temporal: TestTemporal;
let sim: PartnerSim;
let partner: PartnerClient;
let programme: Programme;
let connectionId: number;
let relay: Relay | null = null;

beforeAll(async () => {
  database = await freshDatabase();
  owner = connect(database.ownerUrl);
  pool = createPool({ url: database.engineUrl, max: 8, name: 'test' });
  engine = createDatabase(pool);
  temporal = await connectTemporal(inject('temporalAddress'), inject('temporalNamespace'));
  sim = await startPartnerSim();
  const guard = createAddressGuard({ allow: ['127.0.0.0/8', '::1'], dev: true });
  partner = createPartnerClient({ guard, userAgent: 'Cardloom/test' });
});
afterAll(async () => {
  await partner.close();
  await sim.stop();
  await temporal.close();
  await engine.destroy();
  await owner.destroy();
  await database.drop();
});
beforeEach(async () => {
  await sim.control.reset();
  const made = await aProgramme(owner, { kyc_mode: 'AUTOMATIC' });
  connectionId = await aConnection(owner, vault, made, sim, { resends: 2, signingSecret: SECRET });
  programme = await tellConnection(owner, made, connectionId, [50, 100]);
});
afterEach(async () => {
  await relay?.stop();
  relay = null;
});

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let lastCardId = 5_000;

const lock = (cardId: number) =>
  atomically(engine, engineCaller, (trx) =>
    emit(trx, programme, {
      kind: 'card.locked',
      cardId,
      reason: 'CARD_LOST',
      at: '2026-11-20T10:00:00.000Z',
    }),
  );
const unlock = (cardId: number) =>
  atomically(engine, engineCaller, (trx) =>
    emit(trx, programme, { kind: 'card.unlocked', cardId, at: '2026-11-20T11:00:00.000Z' }),
  );

const activities = () =>
  createNotifierActivities({ db: engine, vault, partner, partnerKeys: createPartnerKeys(partner) });

/** Runs `work` with worker and relay. */
const running = (work: () => Promise<void>) =>
  temporal.withWorker(activities(), async () => {
    relay = startRelay({ db: engine, pool, target: temporal, render: createRenderer(vault), logger });
    await work();
    await relay.stop();
    relay = null;
  });

const deliveries = () =>
  engine
    .selectFrom('deliveries')
    .selectAll()
    .where('connection_id', '=', connectionId)
    .orderBy('order_key')
    .orderBy('sequence')
    .execute();

async function until<T>(look: () => Promise<T>, good: (seen: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const seen = await look();
    if (good(seen)) return seen;
    if (tries > 200) throw new Error(`not seen in time: ${JSON.stringify(seen)}`);
    await sleep(50);
  }
}
const settled = (rows: readonly { status: string }[], count: number) =>
  rows.length === count && rows.every((row) => row.status === 'DELIVERED' || row.status === 'DEAD');

describe('a notification', () => {
  it('reaches the partner once, signed, with its key and sequence', async () => {
    const cardId = (lastCardId += 1);
    await running(async () => {
      await lock(cardId);
      await unlock(cardId);
      await until(deliveries, (rows) => settled(rows, 2));
    });
    const [first, second] = await deliveries();
    const requests = sim.control.requests().filter((one) => one.path.startsWith('/notifications/'));
    expect(requests.map((one) => one.path)).toEqual([
      '/notifications/cardLocked',
      '/notifications/cardUnlocked',
    ]);
    expect(requests.map((one) => one.key)).toEqual([first?.delivery_id, second?.delivery_id]);
    expect(requests.map((one) => one.headers['x-event-sequence'])).toEqual(['1', '2']);
    expect(requests[0]?.headers).toMatchObject({
      'issuer-code': programme.issuerCode,
      'user-agent': 'Cardloom/test',
      'accept-encoding': 'identity',
      'webhook-id': first?.delivery_id,
    });
    expect(requests[0]?.headers['webhook-signature']).toMatch(/^v1,/);
    expect(requests[0]?.body).toEqual({
      dcCardId: String(cardId),
      date: '2026-11-20T10:00:00.000Z',
      reason: 'CARD_LOST',
    });
    expect(sim.control.violations()).toEqual([]);
  });

  it('tells of a transactional lock reason that came and went, in its order', async () => {
    const customer = await aCustomer(engine, vault, programme);
    const lockOf = { reason: 'NAGATIVE_VERIFICATION', origin: 'SYSTEM' } as const;
    await running(async () => {
      await atomically(engine, engineCaller, (trx) => addTransactionalLock(trx, customer, lockOf));
      await atomically(engine, engineCaller, (trx) => removeTransactionalLock(trx, customer, lockOf));
      await until(deliveries, (rows) => settled(rows, 2));
    });
    const told = sim.control.requests().filter((one) => one.path.startsWith('/notifications/'));
    expect(told.map((one) => one.path)).toEqual([
      '/notifications/transactionalLockReasonAdded',
      '/notifications/transactionalLockReasonRemoved',
    ]);
    expect(told.map((one) => one.headers['x-event-sequence'])).toEqual(['1', '2']);
    expect(told[0]?.body).toEqual({
      resourceType: 'user',
      resourceId: String(customer.customerId),
      lockReason: 'NAGATIVE_VERIFICATION',
      timestamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.*Z$/),
    });
    expect(sim.control.violations()).toEqual([]);
  });

  it('that the partner refuses first goes again with the same key and bytes', async () => {
    sim.control.addRule({
      name: 'first attempt',
      match: { operation: ['cardLocked'], attempt: 1 },
      action: { kind: 'STATUS', status: 503 },
      probability: 1,
      times: null,
      enabled: true,
    });
    const cardId = (lastCardId += 1);
    let result: string | null = null;
    await running(async () => {
      await lock(cardId);
      const [made] = await until(deliveries, (rows) => settled(rows, 1));
      // Read while the worker runs: the row is settled a moment before its workflow ends.
      const id = workflowIds.notificationDelivery(String(made?.delivery_id));
      result = await temporal.client.workflow.getHandle(id).result();
    });
    const [delivery] = await deliveries();
    expect(delivery).toMatchObject({ status: 'DELIVERED', attempts: 2, last_outcome: 'ACCEPTED' });
    const requests = sim.control.requests({ operation: 'cardLocked' });
    expect(new Set(requests.map((one) => one.key)).size).toBe(1);
    expect(new Set(requests.map((one) => one.bodySha256)).size).toBe(1);
    expect(requests).toHaveLength(2);
    expect(result).toBe('DELIVERED');
    const attempts = await engine.selectFrom('notification_attempts').selectAll().orderBy('id').execute();
    expect(attempts.filter((one) => one.delivery_id === delivery?.delivery_id)).toMatchObject([
      { attempt: 1, outcome: 'HTTP_ERROR', http_status: 503 },
      { attempt: 2, outcome: 'ACCEPTED' },
    ]);
  });

  it('is given up after 1 + resends attempts, and a resend by hand still reaches the partner', async () => {
    await sim.control.setMode({ mode: 'error-500' });
    const cardId = (lastCardId += 1);
    await running(async () => {
      await lock(cardId);
      const [dead] = await until(deliveries, (rows) => settled(rows, 1));
      expect(dead).toMatchObject({ status: 'DEAD', attempts: 3, last_outcome: 'HTTP_ERROR' });
      await sim.control.setMode({ mode: 'reference' });
      const deliveryId = String(dead?.delivery_id);
      await until(
        () => temporal.client.workflow.getHandle(workflowIds.notificationDelivery(deliveryId)).describe(),
        (run) => run.status.name === 'COMPLETED',
      );
      await resendDelivery(temporal, { ...programme, deliveryId });
      await until(deliveries, ([row]) => row?.status === 'DELIVERED');
    });
    expect(sim.control.inbox({ kind: 'cardLocked' })).toHaveLength(1);
  });

  it('of a verification is a JWE that the partner can open', async () => {
    const customer = await aCustomer(engine, vault, programme);
    await atomically(engine, engineCaller, (trx) =>
      submitVerification(trx, programme, customer, aSubmission(vault, customer, newId(trx))),
    );
    // The case itself is not what this test is about.
    await owner.deleteFrom('outbox').where('destination', '=', 'workflow').execute();
    await running(async () => {
      await until(deliveries, (rows) => settled(rows, 1));
    });
    const [item] = sim.control.inbox({ kind: 'verificationInProgress' });
    expect(item?.body).toMatchObject({
      userId: String(customer.customerId),
      status: 'IN_PROGRESS',
      reason: null,
    });
    expect(sim.control.violations()).toEqual([]);
    const [delivery] = await deliveries();
    expect(delivery?.encrypted_request).toBe(true);
  });

  it('waits in the outbox while Temporal is away and goes out once it is back', async () => {
    const cardId = (lastCardId += 1);
    const nowhere = clientOfNobody(inject('temporalNamespace'));
    relay = startRelay({
      db: engine,
      pool,
      target: { client: nowhere },
      render: createRenderer(vault),
      logger,
    });
    await lock(cardId);
    await sleep(1_500);
    expect(sim.control.requests()).toEqual([]);
    await relay.stop();
    await nowhere.connection.close();
    // What the first relay had claimed already is left to the next one, which takes it over after a while.
    await owner
      .updateTable('delivery_batches')
      .set({ created_at: new Date(0) } as never)
      .execute();
    await running(async () => {
      await until(deliveries, (rows) => settled(rows, 1));
    });
    expect(sim.control.inbox({ kind: 'cardLocked' })).toHaveLength(1);
  });

  it('that was sent before a worker died is not sent again', async () => {
    const cardId = (lastCardId += 1);
    await lock(cardId);
    await lock(cardId);
    const claimed = await atomically(engine, engineCaller, (trx) =>
      claimNotices(trx, connectionId, createRenderer(vault)),
    );
    const batchId = String(claimed?.batchId);
    let calls = 0;
    const dying: PartnerClient = {
      ...partner,
      call: async (endpoint, call) => {
        calls += 1;
        if (calls === 2) throw new Error('the worker died');
        return await partner.call(endpoint, call);
      },
    };
    const keys = createPartnerKeys(partner);
    const run = (through: PartnerClient) =>
      new MockActivityEnvironment().run(
        createNotifierActivities({ db: engine, vault, partner: through, partnerKeys: keys }).sendBatch,
        { batchId },
      );
    await expect(run(dying)).rejects.toThrow('the worker died');
    expect(await run(partner)).toEqual({ delivered: 2, dead: 0, failed: [] });
    expect(sim.control.requests({ operation: 'cardLocked' }).map((one) => one.attempt)).toEqual([1, 1]);
  });

  it('waits while another of its order key is on its first attempt', async () => {
    const cardId = (lastCardId += 1);
    await sim.control.setMode({ mode: 'slow', delayMs: 400 });
    await running(async () => {
      await lock(cardId);
      await until(deliveries, (rows) => rows.length === 1);
      await unlock(cardId);
      await until(deliveries, (rows) => settled(rows, 2));
    });
    const [first, second] = sim.control.requests();
    expect(Date.parse(String(second?.at))).toBeGreaterThanOrEqual(
      Date.parse(String(first?.at)) + Number(first?.ms),
    );
  });
});
