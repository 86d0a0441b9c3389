import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCompanyRegistryClient } from '../../activities/company-registry/client.ts';
import { createCompanyRegistryActivities } from '../../activities/company-registry/companies.ts';
import { createKybActivities } from '../../activities/database/kyb-applications.ts';
import { createKycProviderClient } from '../../activities/kyc-provider/client.ts';
import { createPersonCheckActivities } from '../../activities/kyc-provider/persons.ts';
import { openPersons } from '../../api/kyb/open-form.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { type KybApplication, lockKybApplication } from '../../db/kyb-applications.ts';
import { personChecks } from '../../db/kyb-person-checks.ts';
import { takeProviderEvent } from '../../db/provider-events.ts';
import { KYB_SECTIONS, type KybCommand } from '../../domain/kyb-application.ts';
import { type KycProvider, startKycProvider } from '../../simulators/kyc-provider/provider.ts';
import { commandKyb } from '../../temporal/kyb.ts';
import { startFromOutbox } from '../../temporal/workflows.ts';
import { openDocumentStore } from '../../vault/document-store.ts';
import { type corporationOnboarding, state, submitted } from '../../workflows/corporation-onboarding.ts';
import type { personVerification } from '../../workflows/person-verification.ts';
import { aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import {
  addDocument,
  aDraft,
  fillDraft,
  type KybWorld,
  storedKyb,
  submitDraft,
} from '../support/kyb-rows.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let provider: KycProvider;
let registry: Server;
let folder: string;
let world: KybWorld;
/** What the register answers for a tax id; anything else: 404. */
const registered = new Map<string, { readonly status: number; readonly body: unknown }>();

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  folder = mkdtempSync(join(tmpdir(), 'cardloom-documents-'));
  const documents = openDocumentStore(`file:${folder}`);
  provider = await startKycProvider({
    port: 0,
    apiKey: 'key',
    webhookSecret: 'secret',
    token: 'token',
    delayMs: 50,
  });
  registry = createServer((request, response) => {
    const taxId = request.url?.split('/').at(-1) ?? '';
    const found = registered.get(taxId) ?? { status: 404, body: {} };
    const known = request.headers.authorization === 'Bearer register-key';
    response.writeHead(known ? found.status : 401, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(found.body));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  world = {
    engine,
    vault,
    documents,
    programme: await aProgramme(owner, { kyc_mode: 'AUTOMATIC', kyc_provider: 'simulator' }),
  };
  const clients = new Map([
    ['simulator', createKycProviderClient({ code: 'simulator', url: provider.url, apiKey: 'key' })],
  ]);
  // Nobody listens there: these runs live from asking, and from signals of the test.
  const callbackBaseUrl = 'http://127.0.0.1:9';
  const companyRegistry = createCompanyRegistryClient({
    url: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`,
    apiKey: 'register-key',
  });
  worker = await startWorkflowWorker({
    ...createKybActivities({ db: engine, vault }),
    ...createPersonCheckActivities({ db: engine, vault, documents, clients, callbackBaseUrl }),
    ...createCompanyRegistryActivities({ db: engine, vault, companyRegistry }),
  });
});
afterAll(async () => {
  await worker.stop();
  await provider.stop();
  await new Promise((resolve) => registry.close(resolve));
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
  rmSync(folder, { recursive: true, force: true });
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);

let companies = 0;

/** A draft of a company of its own, in the register unless `answer` says otherwise. */
async function aFilledDraft(
  answer: { readonly status: number; readonly body: unknown } | null = {
    status: 200,
    body: { name: 'POLNA works', registryNumber: '0000123456', active: true },
  },
) {
  companies += 1;
  const taxId = String(5_260_000_000 + companies);
  if (answer !== null) registered.set(taxId, answer);
  const application = await aDraft(world);
  await fillDraft(world, application, { entity: { taxId } });
  const [person] = await asEngine((trx) => openPersons(trx, vault, application));
  return { application, personId: person?.personId ?? '' };
}

const plan = async (personId: string, scenario: object): Promise<void> => {
  const answer = await fetch(`${provider.url}/simulator/scenarios/${personId}`, {
    method: 'PUT',
    headers: { Authorization: 'Bearer token', 'Content-Type': 'application/json' },
    body: JSON.stringify(scenario),
  });
  expect(answer.status).toBe(204);
};

/** Starts the application as the relay does. */
async function start(
  { applicationId }: KybApplication,
  timings: { readonly providerLimitMs?: number; readonly providerPollMs?: number } = {},
) {
  const { client, taskQueue } = worker;
  const id = `corporation-onboarding:${applicationId}`;
  await startFromOutbox(
    { client, taskQueue },
    { workflow: 'corporation-onboarding', id, input: { applicationId } },
    {
      owner: world.programme,
      verificationTimings: { providerPollMs: 100, providerLimitMs: 20_000, ...timings },
    },
  );
  return client.workflow.getHandle<typeof corporationOnboarding>(id);
}

type Handle = Awaited<ReturnType<typeof start>>;

async function submitAndTell(application: KybApplication, handle: Handle): Promise<void> {
  const { round } = await submitDraft(world, application);
  await handle.signal(submitted, { round });
}

const mails = async ({ applicationId }: KybApplication): Promise<number> =>
  (
    await owner
      .selectFrom('kyb_mails')
      .select('mail_key')
      .where('application_id', '=', applicationId)
      .where('mail_key', 'like', '%:mail:2:%')
      .execute()
  ).length;

/** Until the screening of a round is over, which mail 2 tells. */
const untilScreened = (application: KybApplication, rounds = 1) =>
  vi.waitFor(async () => expect(await mails(application)).toBe(rounds), { timeout: 15_000, interval: 50 });

const checksOf = async ({ applicationId }: KybApplication) =>
  (await asEngine((trx) => personChecks(trx, applicationId))).map((one) => ({
    round: one.round,
    state: one.state,
    outcome: one.outcome,
    reasons: one.reasons,
  }));

const flagsOf = async ({ applicationId }: KybApplication) => (await storedKyb(world, applicationId)).flags;

let updates = 0;
type Asked = KybCommand extends infer C ? (C extends KybCommand ? Omit<C, 'operatorId'> : never) : never;
function ask({ applicationId }: KybApplication, command: Asked) {
  updates += 1;
  const whole = { operatorId: 'operator-1', ...command } as KybCommand;
  return commandKyb({ client: worker.client }, applicationId, whole, `update-${updates}`);
}

const child = (personId: string, round = 1) =>
  worker.client.workflow.getHandle<typeof personVerification>(`person-verification:${personId}:${round}`);

describe('persons of a company in a programme with a provider', () => {
  it('are checked with their pictures, and the result waits for the reviewer', async () => {
    const { application, personId } = await aFilledDraft();
    const handle = await start(application);
    await submitAndTell(application, handle);
    await untilScreened(application);
    expect(await checksOf(application)).toEqual([
      { round: 1, state: 'COMPLETED', outcome: 'APPROVED', reasons: [] },
    ]);
    expect(await flagsOf(application)).toEqual([]);
    expect(await handle.query(state)).toMatchObject({ status: 'SUBMITTED' });
    const facts = (await (
      await fetch(`${provider.url}/simulator/checks`, { headers: { Authorization: 'Bearer token' } })
    ).json()) as { calls: { externalId: string | null; key: string | null }[] };
    const keys = facts.calls
      .filter((one) => one.externalId === personId && one.key !== null)
      .map((one) => one.key?.replace(`person-verification:${personId}:1:`, ''));
    expect(keys).toEqual(['create-applicant', 'upload-face', 'upload-front', 'start-check']);
    expect(await child(personId).result()).toMatchObject({ stage: 'CLOSED', outcome: 'APPROVED' });
    const history = await worker.readableHistory(`person-verification:${personId}:1`);
    expect(history).toContain(personId);
    for (const value of ['Ada', 'Nowak', '1980-04-12', 'Lublin', '48123456789']) {
      expect(history).not.toContain(value);
    }
  });

  it('whom the provider rejects are flagged, and may be accepted all the same', async () => {
    const { application, personId } = await aFilledDraft();
    await plan(personId, { outcome: 'REJECTED', reasons: ['FACE_MISMATCH'] });
    const handle = await start(application);
    await submitAndTell(application, handle);
    await untilScreened(application);
    expect(await checksOf(application)).toEqual([
      { round: 1, state: 'COMPLETED', outcome: 'REJECTED', reasons: ['FACE_MISMATCH'] },
    ]);
    expect(await flagsOf(application)).toEqual(['PERSON_CHECK_REJECTED']);
    for (const section of KYB_SECTIONS) {
      await ask(application, { action: 'reviewSection', section, result: 'VERIFIED' });
    }
    expect(await ask(application, { action: 'accept' })).toEqual({ outcome: 'DONE', status: 'ACCEPTED' });
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
  });

  it('of whom the provider says nothing in time are reviewed without it', async () => {
    const { application, personId } = await aFilledDraft();
    await plan(personId, { delayMs: 3_600_000 });
    const handle = await start(application, { providerLimitMs: 600 });
    await submitAndTell(application, handle);
    await untilScreened(application);
    expect(await checksOf(application)).toEqual([{ round: 1, state: 'MISSING', outcome: null, reasons: [] }]);
    expect(await flagsOf(application)).toEqual(['PERSON_CHECK_MISSING']);
  });

  it('whom the provider will not take are reviewed without it', async () => {
    const { application, personId } = await aFilledDraft();
    await plan(personId, { fail: { call: 'applicants', status: 400, times: 1 } });
    const handle = await start(application);
    await submitAndTell(application, handle);
    await untilScreened(application);
    expect(await checksOf(application)).toMatchObject([{ state: 'MISSING' }]);
  });

  it('are checked again when a picture of theirs is new, and not when nothing is', async () => {
    const { application, personId } = await aFilledDraft();
    const handle = await start(application);
    await submitAndTell(application, handle);
    await untilScreened(application);
    await ask(application, {
      action: 'reviewSection',
      section: 'DOCUMENTS',
      result: 'NEEDS_CORRECTION',
      comment: 'an extract that can be read, please',
    });
    await ask(application, { action: 'requestCorrection' });
    await upload(application, 'REGISTRY_EXTRACT', null);
    await submitAndTell(application, handle);
    await untilScreened(application, 2);
    expect(await checksOf(application)).toHaveLength(1);

    await ask(application, {
      action: 'reviewSection',
      section: 'DOCUMENTS',
      result: 'NEEDS_CORRECTION',
      comment: 'another selfie, please',
    });
    await ask(application, { action: 'requestCorrection' });
    await upload(application, 'PERSON_SELFIE', personId);
    await submitAndTell(application, handle);
    await untilScreened(application, 3);
    expect((await checksOf(application)).map((one) => one.round)).toEqual([1, 3]);
  });

  it('hold nobody up who puts the application on hold', async () => {
    const { application, personId } = await aFilledDraft();
    await plan(personId, { delayMs: 3_600_000 });
    const handle = await start(application);
    await submitAndTell(application, handle);
    await vi.waitFor(async () => expect(await checksOf(application)).toHaveLength(1), { timeout: 10_000 });
    expect(await ask(application, { action: 'hold', reason: 'asked the registry' })).toEqual({
      outcome: 'DONE',
      status: 'ON_HOLD',
    });
    expect(await flagsOf(application)).toEqual(['PERSON_CHECK_MISSING']);
    await ask(application, { action: 'reject', reason: 'no answer' });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
    expect((await child(personId).describe()).status.name).toBe('RUNNING');
    await child(personId).terminate();
  });

  it('are asked about at once when the provider reports an end', async () => {
    const { application, personId } = await aFilledDraft();
    await plan(personId, { delayMs: 100 });
    const handle = await start(application, { providerPollMs: 3_600_000, providerLimitMs: 3_600_000 });
    await submitAndTell(application, handle);
    const checkId = await vi.waitFor(
      async () => {
        const [check] = await asEngine((trx) => personChecks(trx, application.applicationId));
        expect(check?.checkId).toBeTruthy();
        return check?.checkId ?? '';
      },
      { timeout: 10_000 },
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const event = { providerCode: 'simulator', eventId: `ev-${personId}`, checkId, externalId: personId };
    expect(await asEngine((trx) => takeProviderEvent(trx, event))).toBe('TAKEN');
    expect(await asEngine((trx) => takeProviderEvent(trx, event))).toBe('IGNORED');
    const [row, ...more] = await owner
      .selectFrom('outbox')
      .select(['subject_id', 'data'])
      .where('kind', '=', 'provider-result')
      .where('subject_id', 'like', `person-verification:${personId}%`)
      .execute();
    expect(more).toEqual([]);
    const { client, taskQueue } = worker;
    await startFromOutbox(
      { client, taskQueue },
      { workflow: 'provider-result', id: row?.subject_id ?? '', input: row?.data as never },
      { owner: world.programme, verificationTimings: { providerPollMs: 1, providerLimitMs: 1 } },
    );
    await untilScreened(application);
    expect(await checksOf(application)).toMatchObject([{ outcome: 'APPROVED' }]);
    const late = { ...event, eventId: `late-${personId}` };
    expect(await asEngine((trx) => takeProviderEvent(trx, late))).toBe('IGNORED');
  });
});

describe('a register of companies', () => {
  const flagsWith = async (answer: Parameters<typeof aFilledDraft>[0]) => {
    const { application } = await aFilledDraft(answer);
    const handle = await start(application);
    await submitAndTell(application, handle);
    await untilScreened(application);
    await handle.terminate();
    return await flagsOf(application);
  };

  it('that knows another name, number or end of the company only flags', async () => {
    const body = { name: 'Somebody Else', registryNumber: '0000999999', active: false };
    expect(await flagsWith({ status: 200, body })).toEqual([
      'REGISTRY_NAME_DIFFERS',
      'REGISTRY_NUMBER_DIFFERS',
      'REGISTRY_INACTIVE',
    ]);
  });

  it('that does not know the company, fails or talks nonsense only flags', async () => {
    expect(await flagsWith(null)).toEqual(['REGISTRY_NOT_FOUND']);
    expect(await flagsWith({ status: 500, body: {} })).toEqual(['REGISTRY_UNAVAILABLE']);
    expect(await flagsWith({ status: 200, body: { name: 7 } })).toEqual(['REGISTRY_UNAVAILABLE']);
  });
});

const upload = (
  { applicationId }: KybApplication,
  type: 'REGISTRY_EXTRACT' | 'PERSON_SELFIE',
  personId: string | null,
) =>
  asEngine(async (trx) =>
    addDocument(trx, world, await lockKybApplication(trx, 'every', applicationId), { type, personId }),
  );
