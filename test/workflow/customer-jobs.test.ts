import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCompanyJobActivities } from '../../activities/database/company-jobs.ts';
import { createCustomerJobActivities } from '../../activities/database/customer-jobs.ts';
import { createVerificationActivities } from '../../activities/database/verifications.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import { type Customer, lockCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { requestLock } from '../../db/lock-requests.ts';
import type { Programme } from '../../db/partners.ts';
import { decideHit, listHits } from '../../db/screening-hits.ts';
import { replaceScreeningList } from '../../db/screening-lists.ts';
import { lockReasonsOf } from '../../db/transactional-locks.ts';
import { ensureCustomerSchedules } from '../../temporal/schedules.ts';
import type { documentExpiry } from '../../workflows/document-expiry.ts';
import type { lockExpiry } from '../../workflows/lock-expiry.ts';
import type { scheduledJob, ScheduledJobInput } from '../../workflows/scheduled-job.ts';
import type { rescreening } from '../../workflows/rescreening.ts';
import { aCustomer, aPerson, aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let programme: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  programme = await aProgramme(owner, { external_kyc: true, notifications: { transactionalLock: 1 } });
  worker = await startWorkflowWorker({
    ...createCompanyJobActivities({ db: engine, vault }),
    ...createCustomerJobActivities({ db: engine, vault }),
    ...createVerificationActivities({ db: engine, vault }),
  });
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);
const reasons = async ({ customerId }: Customer) =>
  (await asEngine((trx) => lockReasonsOf(trx, [customerId]))).get(customerId);
const moveClock = async (to: string) => {
  await sql`insert into clock_offset (offset_by) values (${to}::timestamptz - now())
    on conflict (only_row) do update set offset_by = excluded.offset_by`.execute(owner);
  await sql`select create_partitions()`.execute(owner);
};
const options = (name: string) => ({ taskQueue: worker.taskQueue, workflowId: `${name}:${randomUUID()}` });

describe('rescreening', () => {
  const rescreen = () =>
    worker.client.workflow.execute<typeof rescreening>('rescreening', {
      ...options('rescreening'),
      args: [{}],
    });
  const load = (name: string) =>
    asEngine((trx) =>
      replaceScreeningList(trx, 'EU', [
        { entryId: 'e-1', kind: 'PERSON', normalizedNames: [name], birthYears: [1970] },
      ]),
    );

  it('locks whom a new list names, at once and once; what was found false stays silent', async () => {
    const boris = await aCustomer(engine, vault, programme, {
      person: aPerson({ firstName: 'Boris', lastName: 'Example', birthDate: '1970-01-01' }),
    });
    const ada = await aCustomer(engine, vault, programme);
    await load('nobody here');
    expect(await rescreen()).toEqual({ screened: 2, locked: 0 });
    await load('boris example');
    expect(await rescreen()).toEqual({ screened: 2, locked: 1 });
    expect(await rescreen()).toEqual({ screened: 2, locked: 0 });
    expect(await reasons(boris)).toEqual(['SCREENING_DETECTED']);
    expect(await reasons(ada)).toEqual([]);

    const [hit] = await asEngine((trx) => listHits(trx, { state: 'OPEN' }, { limit: 5, beforeId: null }));
    await asEngine((trx) =>
      decideHit(trx, {
        hitId: hit?.hitId ?? '',
        decision: 'FALSE_POSITIVE',
        note: 'another one',
        operatorId: 'o',
      }),
    );
    expect(await reasons(boris)).toEqual([]);
    expect(await rescreen()).toEqual({ screened: 2, locked: 0 });
  });

  it('follows the threshold of the programme', async () => {
    const strict = await aProgramme(owner, { external_kyc: true });
    await owner
      .updateTable('programmes')
      .set({ screening_threshold: 1 })
      .where('programme_id', '=', strict.programmeId)
      .execute();
    const person = () => aPerson({ firstName: 'Boriss', lastName: 'Example', birthDate: '1970-01-01' });
    const lenient = await aCustomer(engine, vault, programme, { person: person() });
    const exact = await aCustomer(engine, vault, strict, { person: person() });
    await load('boris example');
    await rescreen();
    expect(await reasons(lenient)).toEqual(['SCREENING_DETECTED']);
    expect(await reasons(exact)).toEqual([]);
  });

  it('leaves no personal data in the history', async () => {
    const run = options('rescreening');
    await worker.client.workflow.execute<typeof rescreening>('rescreening', { ...run, args: [{}] });
    const history = await worker.readableHistory(run.workflowId);
    expect(history).toContain('screened');
    expect(history).not.toContain('Boris');
  });
});

describe('by the clock', () => {
  it('a temporary lock is lifted when its time has come', async () => {
    const customer = await aCustomer(engine, vault, programme);
    const until = new Date(Date.now() + 3_600_000);
    await asEngine(async (trx) =>
      requestLock(trx, await lockCustomer(trx, 'every', customer.customerId), {
        reason: 'TEMPORARY_LOCKED',
        origin: 'PARTNER',
        note: null,
        until,
      }),
    );
    const lift = () =>
      worker.client.workflow.execute<typeof lockExpiry>('lockExpiry', options('lock-expiry'));
    expect(await lift()).toEqual({ lifted: 0 });
    await moveClock(new Date(until.getTime() + 60_000).toISOString());
    expect(await lift()).toEqual({ lifted: 1 });
    expect(await reasons(customer)).toEqual([]);
  });

  it('a document that is no longer good locks, and a later one lifts', async () => {
    const customer = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS' });
    await owner
      .updateTable('customers')
      .set({ document_expiration_date: '2032-06-30' })
      .where('customer_id', '=', customer.customerId)
      .execute();
    const look = () =>
      worker.client.workflow.execute<typeof documentExpiry>('documentExpiry', options('document-expiry'));
    await moveClock('2032-06-30T12:00:00Z');
    expect(await look()).toEqual({ locked: 0, told: 1 });
    await moveClock('2032-07-01T00:10:00Z');
    expect(await look()).toEqual({ locked: 1, told: 0 });
    expect(await reasons(customer)).toEqual(['DOCUMENT_EXPIRED']);
  });
});

describe('a job by the clock', () => {
  const start = (job: ScheduledJobInput['job']) =>
    worker.client.workflow.execute<typeof scheduledJob>('scheduledJob', {
      ...options('starter'),
      args: [{ job }],
    });

  it.each([
    ['document-expiry', 'documentExpiry'],
    ['rescreening', 'rescreening'],
  ] as const)('%s is named by its day, and runs once on it', async (job, type) => {
    const today = new Date().toISOString().slice(0, 10);
    const { workflowId } = await start(job);
    expect(workflowId).toBe(`${job}:${today}`);
    const first = await worker.client.workflow.getHandle(workflowId).describe();
    expect([first.type, first.status.name]).toEqual([type, 'COMPLETED']);
    expect(await start(job)).toEqual({ workflowId });
    expect((await worker.client.workflow.getHandle(workflowId).describe()).runId).toBe(first.runId);
  });
});

describe('schedules', () => {
  it('are made once and stay as an operator has set them', async () => {
    const target = { client: worker.client, taskQueue: worker.taskQueue };
    // As an earlier release made it.
    await worker.client.schedule.create({
      scheduleId: 'rescreening',
      spec: { calendars: [{ hour: 3 }] },
      action: {
        type: 'startWorkflow',
        workflowType: 'rescreening',
        workflowId: 'rescreening',
        taskQueue: worker.taskQueue,
        args: [{}],
      },
    });
    await worker.client.schedule.getHandle('rescreening').pause('by hand');
    await ensureCustomerSchedules(target);
    await ensureCustomerSchedules(target);
    const found = await Promise.all(
      ['document-expiry', 'lock-expiry', 'rescreening', 'retention'].map((id) =>
        worker.client.schedule.getHandle(id).describe(),
      ),
    );
    expect(found.map((one) => one.state.paused)).toEqual([false, false, true, false]);
    expect(found.map((one) => one.action.workflowType)).toEqual(found.map(() => 'scheduledJob'));
    expect(found.map((one) => one.spec.calendars?.[0]?.hour)).toMatchObject([
      [{ start: 0 }],
      undefined,
      [{ start: 3 }],
      [{ start: 3 }],
    ]);

    await worker.client.schedule.getHandle('lock-expiry').trigger();
    const lifting = await vi.waitFor(
      async () => {
        const { info } = await worker.client.schedule.getHandle('lock-expiry').describe();
        const started = info.recentActions[0]?.action;
        if (started === undefined) throw new Error('not yet');
        return started.workflow;
      },
      { timeout: 20_000, interval: 200 },
    );
    const starter = worker.client.workflow.getHandle<typeof scheduledJob>(lifting.workflowId);
    const { workflowId } = await starter.result();
    expect(workflowId).toBe(lifting.workflowId.replace('lock-expiry-', 'lock-expiry:'));
    expect((await worker.client.workflow.getHandle(workflowId).describe()).type).toBe('lockExpiry');
    for (const one of found) await worker.client.schedule.getHandle(one.scheduleId).delete();
  });
});
