import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCompanyJobActivities } from '../../activities/database/company-jobs.ts';
import { createCustomerJobActivities } from '../../activities/database/customer-jobs.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import { corporationLockReasons, deleteCorporation } from '../../db/corporation-states.ts';
import { type Corporation, holdCorporation, updateCorporation } from '../../db/corporations.ts';
import type { Database } from '../../db/database.ts';
import type { KybApplication } from '../../db/kyb-applications.ts';
import { kybPersons } from '../../db/kyb-form.ts';
import { liftLockAsOperator } from '../../db/lock-requests.ts';
import type { Programme } from '../../db/partners.ts';
import { decideHit, listHits } from '../../db/screening-hits.ts';
import { replaceScreeningList } from '../../db/screening-lists.ts';
import { normalizeName, type ScreeningList } from '../../domain/screening.ts';
import { verificationTimings } from '../../domain/verification.ts';
import { startFromOutbox } from '../../temporal/workflows.ts';
import type { corporationScreening } from '../../workflows/corporation-screening.ts';
import type { rescreening } from '../../workflows/rescreening.ts';
import { aCorporation } from '../support/corporations.ts';
import { aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { aDraft, fillDraft, type KybWorld, storedKyb, submitDraft } from '../support/kyb-rows.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let programme: Programme;
let world: KybWorld;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  programme = { ...(await aProgramme(owner)), externalKyb: true };
  world = { engine, vault, programme };
  worker = await startWorkflowWorker({
    ...createCompanyJobActivities({ db: engine, vault }),
    ...createCustomerJobActivities({ db: engine, vault }),
  });
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);

const load = (list: ScreeningList, ...named: ['PERSON' | 'ENTITY', string][]) =>
  asEngine((trx) =>
    replaceScreeningList(
      trx,
      list,
      named.map(([kind, name]) => ({
        entryId: name,
        kind,
        normalizedNames: [normalizeName(name)],
        birthYears: [],
      })),
    ),
  );

/** What the relay is asked to start for a corporation. */
const asked = async ({ corporationId }: Corporation) =>
  await owner
    .selectFrom('outbox')
    .select(['subject_id', 'data'])
    .where('kind', '=', 'corporation-screening')
    .where('subject_id', 'like', `corporation-screening:${corporationId}:%`)
    .orderBy('id')
    .execute();

/** Runs the newest screening that was asked for, as the relay does. */
async function screen(corporation: Corporation) {
  const id = (await asked(corporation)).at(-1)?.subject_id ?? '';
  const { corporationId } = corporation;
  const { client, taskQueue } = worker;
  await startFromOutbox(
    { client, taskQueue },
    { workflow: 'corporation-screening', id, input: { corporationId } },
    { owner: programme, verificationTimings: verificationTimings() },
  );
  return await client.workflow.getHandle<typeof corporationScreening>(id).result();
}

const rescreen = () =>
  worker.client.workflow.execute<typeof rescreening>('rescreening', {
    taskQueue: worker.taskQueue,
    workflowId: `rescreening:${randomUUID()}`,
    args: [{}],
  });

const reasons = ({ corporationId }: Corporation) =>
  asEngine((trx) => corporationLockReasons(trx, corporationId));

async function decide(decision: 'FALSE_POSITIVE' | 'CONFIRMED', entryId: string): Promise<void> {
  const hits = await asEngine((trx) => listHits(trx, { state: 'OPEN' }, { limit: 50, beforeId: null }));
  const hit = hits.find((one) => one.entryId === entryId);
  await asEngine((trx) =>
    decideHit(trx, { hitId: hit?.hitId ?? '', decision, note: 'looked', operatorId: 'operator-1' }),
  );
}

/** An accepted application with one person, and the corporation that was made of it. */
async function aCompanyOf(name: string, lastName: string) {
  const application = await aDraft(world);
  await fillDraft(world, application, { entity: { name }, owner: { firstName: 'Igor', lastName } });
  await owner
    .updateTable('kyb_applications')
    .set({ status: 'ACCEPTED', decided_at: new Date() })
    .where('application_id', '=', application.applicationId)
    .execute();
  return await aCorporation(engine, vault, programme, {
    name,
    kybApplicationId: application.applicationId,
    kyb: 'SUCCESS',
  });
}

describe('a corporation whose kyb is sent', () => {
  it('is screened after the answer, once for each time; one without kyb is not', async () => {
    const unsaid = await aCorporation(engine, vault, programme);
    expect(await asked(unsaid)).toEqual([]);
    const said = await asEngine(async (trx) =>
      updateCorporation(trx, programme, await holdCorporation(trx, 'every', unsaid.corporationId), {
        kyb: 'SUCCESS',
      }),
    );
    expect(await asked(said)).toHaveLength(1);
    await asEngine(async (trx) =>
      updateCorporation(trx, programme, await holdCorporation(trx, 'every', unsaid.corporationId), {
        kyb: 'SUCCESS',
        name: 'Other Works',
      }),
    );
    expect(await asked(said)).toHaveLength(1);
    expect(await screen(said)).toMatchObject({ stage: 'CLOSED', locked: false });
    expect(await reasons(said)).toEqual([]);
  });

  it('is locked at once by a hit on a sanction list, and free when it is found false', async () => {
    await load('EU', ['ENTITY', 'Black Sail Shipping']);
    const corporation = await aCorporation(engine, vault, programme, {
      name: 'Black Sail Shiping',
      kyb: 'SUCCESS',
    });
    expect(await screen(corporation)).toMatchObject({ locked: true });
    expect(await reasons(corporation)).toEqual(['SCREENING_DETECTED']);
    const lift = asEngine(async (trx) =>
      liftLockAsOperator(
        trx,
        await holdCorporation(trx, 'every', corporation.corporationId),
        'SCREENING_DETECTED',
        null,
      ),
    );
    await expect(lift).rejects.toMatchObject({ code: 'LOCK_REASON_NOT_REMOVABLE' });
    await decide('FALSE_POSITIVE', 'Black Sail Shipping');
    expect(await reasons(corporation)).toEqual([]);
    await rescreen();
    expect(await reasons(corporation)).toEqual([]);
  });

  it('that was made of an application is screened with its persons, and locked until all hits are false', async () => {
    await load('EU', ['ENTITY', 'Grey Ledger Holding'], ['PERSON', 'Igor Zly']);
    const corporation = await aCompanyOf('Grey Ledger Holding', 'Zly');
    expect(await screen(corporation)).toMatchObject({ locked: true });
    await decide('FALSE_POSITIVE', 'Grey Ledger Holding');
    expect(await reasons(corporation)).toEqual(['SCREENING_DETECTED']);
    const lift = asEngine(async (trx) =>
      liftLockAsOperator(
        trx,
        await holdCorporation(trx, 'every', corporation.corporationId),
        'SCREENING_DETECTED',
        null,
      ),
    );
    await expect(lift).rejects.toMatchObject({ code: 'LOCK_REASON_NOT_REMOVABLE' });
    await decide('FALSE_POSITIVE', 'Igor Zly');
    expect(await reasons(corporation)).toEqual([]);
  });
});

describe('rescreening', () => {
  it('locks companies that a new list names, by their own name or by a person of theirs', async () => {
    await load('EU');
    const named = await aCorporation(engine, vault, programme, { name: 'Red Anchor Metals' });
    const person = await aCompanyOf('Plain Works', 'Grozny');
    const gone = await aCorporation(engine, vault, programme, { name: 'Red Anchor Metals' });
    await asEngine(async (trx) =>
      deleteCorporation(trx, await holdCorporation(trx, 'every', gone.corporationId)),
    );
    expect(await rescreen()).toMatchObject({ locked: 0 });
    await load('EU', ['ENTITY', 'Red Anchor Metals'], ['PERSON', 'Igor Grozny']);
    expect(await rescreen()).toMatchObject({ locked: 2 });
    expect(await rescreen()).toMatchObject({ locked: 0 });
    expect(await reasons(named)).toEqual(['SCREENING_DETECTED']);
    expect(await reasons(person)).toEqual(['SCREENING_DETECTED']);
    expect(await reasons(gone)).toEqual([]);
  });

  it('does not lock for a politically exposed person', async () => {
    await load('PEP', ['PERSON', 'Igor Publiczny']);
    const corporation = await aCompanyOf('Quiet Works', 'Publiczny');
    expect(await rescreen()).toMatchObject({ locked: 0 });
    expect(await reasons(corporation)).toEqual([]);
    const hits = await asEngine((trx) =>
      listHits(trx, { list: 'PEP', state: 'OPEN' }, { limit: 5, beforeId: null }),
    );
    expect(hits).toMatchObject([{ subject: { type: 'PERSON' } }]);
  });

  it('flags an application under review, and leaves its own screening to it', async () => {
    await load('EU');
    const application = await aDraft(world);
    await fillDraft(world, application, { owner: { firstName: 'Igor', lastName: 'Wnowy' } });
    await submitDraft(world, application);
    await load('EU', ['PERSON', 'Igor Wnowy']);
    await rescreen();
    expect((await stored(application)).flags).toContain('SCREENING_HIT');
    const persons = await asEngine((trx) => kybPersons(trx, application.applicationId));
    expect(persons.map((one) => one.screenedRound)).toEqual([null]);
  });
});

const stored = ({ applicationId }: KybApplication) => storedKyb(world, applicationId);
