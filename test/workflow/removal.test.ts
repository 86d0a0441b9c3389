import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRemovalActivities } from '../../activities/database/removals.ts';
import { atomically, newId, type Trx } from '../../db/atomically.ts';
import { deleteCorporation } from '../../db/corporation-states.ts';
import { holdCorporation } from '../../db/corporations.ts';
import { deleteCustomer } from '../../db/customer-states.ts';
import { lockCustomer } from '../../db/customers.ts';
import { pairDevice } from '../../db/devices.ts';
import type { Programme } from '../../db/partners.ts';
import { submitVerification } from '../../db/verifications.ts';
import type { WorkflowStart } from '../../domain/event.ts';
import { verificationTimings } from '../../domain/verification.ts';
import { startFromOutbox } from '../../temporal/workflows.ts';
import type { corporationRemoval } from '../../workflows/corporation-removal.ts';
import { type customerRemoval, state } from '../../workflows/customer-removal.ts';
import { type CardTraffic, openCardTraffic, type TestCard } from '../support/card-traffic.ts';
import { aCorporation, giveToCorporation } from '../support/corporations.ts';
import { aCustomer, aSubmission, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
let fresh: FreshDatabase;
let traffic: CardTraffic;
let worker: RunningWorker;
let programme: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  traffic = openCardTraffic(fresh);
  programme = await traffic.programme();
  worker = await startWorkflowWorker(createRemovalActivities({ db: traffic.engine }));
});
afterAll(async () => {
  await worker.stop();
  await traffic.end();
  await fresh.drop();
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> =>
  atomically(traffic.engine, engineCaller, work);

const remove = (customerId: number): Promise<void> =>
  asEngine(async (trx) => deleteCustomer(trx, await lockCustomer(trx, 'every', customerId)));

/** What the relay is asked to start, in order. */
const asked = async (id: string) =>
  await traffic.owner.selectFrom('outbox').select(['kind', 'data']).where('subject_id', '=', id).execute();

/** What the relay does with the row of a deletion. */
async function start<W extends Workflow>(removal: WorkflowStart): Promise<WorkflowHandle<W>> {
  const { client, taskQueue } = worker;
  const context = { owner: programme, verificationTimings: verificationTimings() };
  await startFromOutbox({ client, taskQueue }, removal, context);
  return client.workflow.getHandle<W>(removal.id);
}

const startRemoval = (customerId: number) =>
  start<typeof customerRemoval>({
    workflow: 'customer-removal',
    id: `customer-removal:${customerId}`,
    input: { customerId },
  });

async function standing({ cardId, balanceId }: TestCard) {
  const card = await traffic.owner
    .selectFrom('cards')
    .innerJoin('card_states', 'card_states.card_id', 'cards.card_id')
    .innerJoin('balances', 'balances.balance_id', 'cards.balance_id')
    .select(['cards.base_state', 'card_states.base_state as decided', 'locks', 'balances.state'])
    .where('cards.card_id', '=', cardId)
    .where('balances.balance_id', '=', balanceId)
    .executeTakeFirstOrThrow();
  const instructions = await traffic.owner
    .selectFrom('processor_instructions')
    .select(['kind', 'codes'])
    .where('card_id', '=', cardId)
    .execute();
  return { ...card, instructions };
}

const GONE = {
  base_state: 'REMOVED',
  decided: 'REMOVED',
  locks: [5],
  state: 'CLOSED',
  instructions: [{ kind: 'LOCK', codes: [5] }],
};

/** As a clearing would that was posted by force. */
const setPosted = (card: TestCard, posted: number) =>
  traffic.owner
    .updateTable('balances')
    .set({ posted, forced_since: posted < 0 ? new Date() : null })
    .where('balance_id', '=', card.balanceId)
    .execute();

describe('a customer who was deleted', () => {
  it('asks for the removal once, in the commit of the deletion', async () => {
    const { customerId } = await traffic.card(programme, 0);
    await remove(customerId);
    await remove(customerId);
    expect(await asked(`customer-removal:${customerId}`)).toEqual([
      { kind: 'customer-removal', data: { customerId } },
    ]);
  });

  it('loses cards, devices and balances; a second run changes nothing', async () => {
    const card = await traffic.card(programme, 0);
    const beside = await traffic.card(programme, 0, card);
    const { customerId } = card;
    await remove(customerId);
    const run = await startRemoval(customerId);
    expect(await run.result()).toMatchObject({ stage: 'CLOSED' });
    expect(await run.query(state)).toMatchObject({ stage: 'CLOSED' });
    expect(await standing(card)).toEqual(GONE);
    expect(await standing(beside)).toEqual(GONE);
    expect((await run.describe()).searchAttributes).toMatchObject({
      Stage: ['CLOSED'],
      SubjectId: [String(customerId)],
      PartnerId: [String(programme.partnerId)],
    });
    await worker.client.workflow.execute<typeof customerRemoval>('customerRemoval', {
      taskQueue: worker.taskQueue,
      workflowId: `customer-removal:${customerId}`,
      args: [{ customerId }],
    });
    expect(await standing(card)).toEqual(GONE);
  });

  it('takes no card or balance of others along', async () => {
    const [leaver, other] = [await traffic.card(programme, 0), await traffic.card(programme, 0)];
    await remove(leaver.customerId);
    await (await startRemoval(leaver.customerId)).result();
    expect(await standing(other)).toEqual({
      base_state: 'ACTIVE',
      decided: 'ACTIVE',
      locks: [],
      state: 'ACTIVE',
      instructions: [],
    });
  });

  it('ends a device that was paired while the deletion committed, and the running verification', async () => {
    const customer = await aCustomer(traffic.engine, vault, programme);
    const { customerId, partnerId, programmeId } = customer;
    const verificationId = randomUUID();
    await asEngine((trx) =>
      submitVerification(
        trx,
        { ...programme, kycMode: 'MANUAL' },
        customer,
        aSubmission(vault, customer, verificationId),
      ),
    );
    await remove(customerId);
    await asEngine((trx) =>
      pairDevice(trx, {
        installation_id: newId(trx),
        customer_id: customerId,
        partner_id: partnerId,
        programme_id: programmeId,
        device_id: 'late',
        platform: 'ANDROID',
        name: null,
        model: null,
        os_version: null,
        app_version: null,
        public_key_thumbprint: 'thumbprint',
        signing_key: null,
        push_token: null,
        app_pin_hash: 'hash',
      }),
    );
    await (await startRemoval(customerId)).result();
    const devices = await traffic.owner
      .selectFrom('device_installations')
      .select('state')
      .where('customer_id', '=', customerId)
      .execute();
    expect(devices).toEqual([{ state: 'UNPAIRED' }]);
    expect((await asked(`customer-verification:${verificationId}`)).map((row) => row.kind)).toEqual([
      'customer-verification',
      'verification-close',
    ]);
  });

  it('whose money moved after the deletion keeps that balance until it is settled', async () => {
    const card = await traffic.card(programme, 0);
    await remove(card.customerId);
    await setPosted(card, -250);
    const run = await startRemoval(card.customerId);
    await vi.waitFor(async () => expect(await run.query(state)).toMatchObject({ stage: 'BALANCES' }), {
      timeout: 10_000,
    });
    expect(await standing(card)).toMatchObject({ base_state: 'REMOVED', state: 'ACTIVE' });
    await setPosted(card, 0);
    expect(await run.result()).toMatchObject({ stage: 'CLOSED' });
    expect(await standing(card)).toEqual(GONE);
  });

  it('waits for a card that is still being made', async () => {
    const card = await traffic.card(programme, 0);
    await remove(card.customerId);
    await traffic.owner
      .updateTable('cards')
      .set({ base_state: 'PENDING' })
      .where('card_id', '=', card.cardId)
      .execute();
    const run = await startRemoval(card.customerId);
    await vi.waitFor(
      async () => expect((await run.describe()).raw.pendingActivities?.[0]?.attempt).toBeGreaterThan(1),
      { timeout: 10_000 },
    );
    expect(await run.query(state)).toMatchObject({ stage: 'CARDS' });
    await traffic.owner
      .updateTable('cards')
      .set({ base_state: 'ACTIVE' })
      .where('card_id', '=', card.cardId)
      .execute();
    await run.result();
    expect(await standing(card)).toEqual(GONE);
  });

  it('leaves an audit row for every card and balance', async () => {
    const card = await traffic.card(programme, 0);
    await remove(card.customerId);
    await (await startRemoval(card.customerId)).result();
    const { rows } = await sql<{ action: string }>`
      select action from audit_log where request_id = ${`customer-removal:${card.customerId}`} order by action
    `.execute(traffic.owner);
    expect(rows.map((row) => row.action)).toEqual(['balance.deleted', 'card.locked', 'card.removed']);
  });
});

describe('a corporation that was deleted', () => {
  it('loses the cards of its employees and its balances; their own cards stay', async () => {
    const corporation = await aCorporation(traffic.engine, vault, programme);
    const { corporationId } = corporation;
    const [held, unheld] = [await traffic.card(programme, 0), await traffic.card(programme, 0)];
    const own = await traffic.card(programme, 0);
    await giveToCorporation(traffic.owner, held, corporationId);
    await giveToCorporation(traffic.owner, unheld, corporationId, 'unheld');
    const leave = () =>
      asEngine(async (trx) => deleteCorporation(trx, await holdCorporation(trx, 'every', corporationId)));
    await leave();
    await leave();
    expect(await asked(`corporation-removal:${corporationId}`)).toEqual([
      { kind: 'corporation-removal', data: { corporationId } },
    ]);
    const run = await start<typeof corporationRemoval>({
      workflow: 'corporation-removal',
      id: `corporation-removal:${corporationId}`,
      input: { corporationId },
    });
    expect(await run.result()).toMatchObject({ stage: 'CLOSED' });
    expect(await standing(held)).toEqual(GONE);
    expect(await standing(unheld)).toEqual(GONE);
    expect(await standing(own)).toMatchObject({ base_state: 'ACTIVE', state: 'ACTIVE' });
  });
});
