import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createVerificationActivities } from '../../activities/database/verifications.ts';
import { createKycProviderClient } from '../../activities/kyc-provider/client.ts';
import { createKycProviderActivities } from '../../activities/kyc-provider/verifications.ts';
import { openPerson } from '../../api/personal-data.ts';
import { atomically } from '../../db/atomically.ts';
import { type Customer, readCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { newIdAt } from '../../db/ids.ts';
import type { Programme } from '../../db/partners.ts';
import {
  notePlace,
  readVerification,
  type StoredPicture,
  submitVerification,
} from '../../db/verifications.ts';
import type { PictureKind, VerificationForm } from '../../domain/verification.ts';
import { type KycProvider, startKycProvider } from '../../simulators/kyc-provider/provider.ts';
import { type DocumentStore, openDocumentStore, putDocument } from '../../vault/document-store.ts';
import { type customerVerification, decide, state } from '../../workflows/customer-verification.ts';
import { aCustomer, aForm, aProgramme, aSubmission, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let provider: KycProvider;
let documents: DocumentStore;
let folder: string;
let programme: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  folder = mkdtempSync(join(tmpdir(), 'cardloom-documents-'));
  documents = openDocumentStore(`file:${folder}`);
  provider = await startKycProvider({
    port: 0,
    apiKey: 'key',
    webhookSecret: 'secret',
    token: 'token',
    delayMs: 50,
  });
  programme = await aProgramme(owner, {
    kyc_mode: 'AUTOMATIC',
    kyc_provider: 'simulator',
    notifications: { kyc: 1 },
  });
  const clients = new Map([
    ['simulator', createKycProviderClient({ code: 'simulator', url: provider.url, apiKey: 'key' })],
  ]);
  // Nobody listens there: these runs live from asking.
  const callbackBaseUrl = 'http://127.0.0.1:9';
  worker = await startWorkflowWorker({
    ...createVerificationActivities({ db: engine, vault }),
    ...createKycProviderActivities({ db: engine, vault, documents, clients, callbackBaseUrl }),
  });
});
afterAll(async () => {
  await worker.stop();
  await provider.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function verify(form: VerificationForm) {
  const customer = await aCustomer(engine, vault, programme);
  const verificationId = newIdAt(new Date());
  const kinds: PictureKind[] =
    form.documentType === 'passport' ? ['FACE', 'FRONT'] : ['FACE', 'FRONT', 'BACK'];
  const pictures: StoredPicture[] = [];
  for (const kind of kinds) {
    const put = await putDocument(vault, documents, {
      subjectKey: customer.subjectKey,
      content: Buffer.from(`picture of ${kind}`),
    });
    pictures.push({ kind, mediaType: 'image/jpeg', bytes: put.bytes, sha256: put.sha256, storeKey: put.key });
  }
  await atomically(engine, engineCaller, (trx) =>
    submitVerification(trx, programme, customer, {
      ...aSubmission(vault, customer, verificationId, form),
      pictures,
    }),
  );
  const handle = await worker.client.workflow.start<typeof customerVerification>('customerVerification', {
    taskQueue: worker.taskQueue,
    workflowId: `customer-verification:${verificationId}`,
    args: [
      {
        verificationId,
        customerId: customer.customerId,
        timings: { providerPollMs: 100, providerLimitMs: 20_000 },
      },
    ],
  });
  return { customer, verificationId, handle };
}

const customerNow = ({ customerId }: Customer) =>
  atomically(engine, engineCaller, (trx) => readCustomer(trx, 'every', customerId));

const verificationNow = (verificationId: string) =>
  atomically(engine, engineCaller, (trx) => readVerification(trx, 'every', { verificationId }));

const simulatorFacts = async () =>
  (await (
    await fetch(`${provider.url}/simulator/checks`, { headers: { Authorization: 'Bearer token' } })
  ).json()) as { calls: { call: string; externalId: string | null; key: string | null }[] };

describe('with the provider', () => {
  it('an approved customer gets the data of the form, kyc SUCCESS and a balance', async () => {
    const form = aForm({ documentType: 'identity_card', riskLevel: 'MEDIUM' });
    const { customer, verificationId, handle } = await verify(form);
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
    const now = await customerNow(customer);
    expect(now).toMatchObject({ kyc: 'SUCCESS', riskLevel: 'MEDIUM', documentExpirationDate: '2035-01-30' });
    expect(openPerson(vault, now)).toMatchObject({
      firstName: 'Leon',
      lastName: 'Kowal',
      birthDate: '1970-01-01',
      nationality: 'polish',
      phone: openPerson(vault, customer).phone,
    });
    expect(await verificationNow(verificationId)).toMatchObject({
      stage: 'CLOSED',
      status: 'ACCEPTED',
      providerOutcome: 'APPROVED',
    });
    const balances = await owner
      .selectFrom('balances')
      .select('automatic')
      .where('customer_id', '=', customer.customerId)
      .execute();
    expect(balances).toEqual([{ automatic: true }]);
    const history = await worker.readableHistory(handle.workflowId);
    expect(history).toContain(verificationId);
    for (const value of ['Leon', 'Kowal', '1970-01-01', 'Lublin', 'ASD123456'])
      expect(history).not.toContain(value);
    const keys = (await simulatorFacts()).calls
      .filter((one) => one.externalId === verificationId && one.key !== null)
      .map((one) => one.key?.replace(`customer-verification:${verificationId}:`, ''));
    expect(keys).toEqual(['create-applicant', 'upload-face', 'upload-front', 'upload-back', 'start-check']);
  });

  it('a rejected one is told why in our words', async () => {
    const { customer, verificationId, handle } = await verify(aForm({ identityCardNo: 'SIMSELFBLUR1' }));
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
    expect(await verificationNow(verificationId)).toMatchObject({
      reason: 'BLURRED_SELFIE',
      providerReasons: ['SELFIE_BLURRED'],
    });
    expect(await customerNow(customer)).toMatchObject({ kyc: 'FAILED' });
  });

  it('a referred one is decided by a person, and the stage is seen in the database', async () => {
    const { customer, verificationId, handle } = await verify(aForm({ identityCardNo: 'SIMREVIEW1' }));
    await vi.waitFor(async () => expect((await verificationNow(verificationId)).stage).toBe('REVIEW'), {
      timeout: 15_000,
    });
    expect(await handle.query(state)).toMatchObject({ stage: 'REVIEW', status: 'IN_PROGRESS' });
    await handle.executeUpdate(decide, {
      args: [{ decision: 'ACCEPT', operatorId: 'op-7', note: 'seen in person' }],
    });
    await handle.result();
    expect(await customerNow(customer)).toMatchObject({ kyc: 'SUCCESS' });
    const row = await owner
      .selectFrom('verifications')
      .select(['decided_by', 'note'])
      .where('verification_id', '=', verificationId)
      .executeTakeFirstOrThrow();
    expect(row.decided_by).toBe('op-7');
    expect(row.note?.toString('latin1')).not.toContain('person');
    const { subjectKey } = customer;
    const note = openPersonal(vault, subjectKey, notePlace(verificationId), row.note ?? Buffer.alloc(0));
    expect(note).toBe('seen in person');
  });
});
