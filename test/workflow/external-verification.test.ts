import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVerificationActivities } from '../../activities/database/verifications.ts';
import { atomically } from '../../db/atomically.ts';
import { type Customer, readCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import type { Programme } from '../../db/partners.ts';
import { addTransactionalLock, lockReasonsOf } from '../../db/transactional-locks.ts';
import type { PersonalData } from '../../domain/customer.ts';
import type { employeeScreening } from '../../workflows/employee-screening.ts';
import { type externalVerification, state } from '../../workflows/external-verification.ts';
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
  programme = await aProgramme(owner, { kyc_mode: 'EXTERNAL', external_kyc: true });
  await owner
    .insertInto('screening_entries')
    .values([
      {
        entry_id: 'e-1',
        list_code: 'EU',
        kind: 'PERSON',
        normalized_names: ['boris example'],
        birth_years: [1970],
      },
      { entry_id: 'p-1', list_code: 'PEP', kind: 'PERSON', normalized_names: ['petra public'] },
    ])
    .execute();
  worker = await startWorkflowWorker(createVerificationActivities({ db: engine, vault }));
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const start = ({ customerId }: Customer) =>
  worker.client.workflow.start<typeof externalVerification>('externalVerification', {
    taskQueue: worker.taskQueue,
    workflowId: `external-verification:${customerId}:1`,
    args: [{ customerId, n: 1 }],
  });

const balancesOf = ({ customerId }: Customer) =>
  owner.selectFrom('balances').select('currency').where('customer_id', '=', customerId).execute();

const reasonsOf = async ({ customerId }: Customer) =>
  (await atomically(engine, engineCaller, (trx) => lockReasonsOf(trx, [customerId]))).get(customerId);

describe('a customer whom the partner verified', () => {
  it('is screened and gets the default balance', async () => {
    const customer = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS' });
    const handle = await start(customer);
    expect(await handle.result()).toMatchObject({ stage: 'CLOSED', locked: false });
    expect(await handle.query(state)).toMatchObject({ stage: 'CLOSED' });
    expect(await balancesOf(customer)).toEqual([{ currency: 'EUR' }]);
    expect((await handle.describe()).searchAttributes).toMatchObject({
      Stage: ['CLOSED'],
      SubjectId: [String(customer.customerId)],
      PartnerId: [String(programme.partnerId)],
      ProgrammeId: [String(programme.programmeId)],
    });
  });

  it('on a sanction list is locked at once, and the balance waits', async () => {
    const person = aPerson({ firstName: 'BORIS', lastName: 'Exàmple', birthDate: '1971-02-02' });
    const customer = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS', person });
    expect(await (await start(customer)).result()).toMatchObject({ locked: true });
    expect(await reasonsOf(customer)).toEqual(['SCREENING_DETECTED']);
    expect(await balancesOf(customer)).toEqual([]);
    const { transactionalLocks } = await atomically(engine, engineCaller, (trx) =>
      readCustomer(trx, 'every', customer.customerId),
    );
    expect(transactionalLocks).toBe(1);
  });

  it('on a list of politically exposed persons is not locked', async () => {
    const person = aPerson({ firstName: 'Petra', lastName: 'Public' });
    const customer = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS', person });
    expect(await (await start(customer)).result()).toMatchObject({ locked: false });
    expect(await balancesOf(customer)).toHaveLength(1);
  });

  it('with another lock gets no balance yet', async () => {
    const customer = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS' });
    await atomically(engine, engineCaller, (trx) =>
      addTransactionalLock(trx, customer, { reason: 'POLICE_LOCK', origin: 'OPERATOR' }),
    );
    await (await start(customer)).result();
    expect(await balancesOf(customer)).toEqual([]);
  });

  it('or an employee whose kyc is waived: on a sanction list they are locked before they get a card', async () => {
    const screened = async (person: PersonalData) => {
      const customer = await aCustomer(engine, vault, programme, { person });
      const { customerId } = customer;
      expect(customer.screenedAt).toBeNull();
      const ended = await worker.client.workflow.execute<typeof employeeScreening>('employeeScreening', {
        taskQueue: worker.taskQueue,
        workflowId: `employee-screening:${customerId}`,
        args: [{ customerId }],
      });
      const now = await atomically(engine, engineCaller, (trx) => readCustomer(trx, 'every', customerId));
      expect(now.screenedAt).toBeInstanceOf(Date);
      return { locked: ended.locked, reasons: await reasonsOf(customer) };
    };
    const listed = aPerson({ firstName: 'Boris', lastName: 'Example', birthDate: '1970-02-02' });
    expect(await screened(aPerson())).toEqual({ locked: false, reasons: [] });
    expect(await screened(listed)).toEqual({ locked: true, reasons: ['SCREENING_DETECTED'] });
  });

  it('leaves no personal data in the history', async () => {
    const person = aPerson({ firstName: 'Zebedeus', lastName: 'Unmistakable' });
    const customer = await aCustomer(engine, vault, programme, { kyc: 'SUCCESS', person });
    const handle = await start(customer);
    await handle.result();
    const history = await worker.readableHistory(handle.workflowId);
    expect(history).toContain(String(customer.customerId));
    for (const value of [person.firstName, person.lastName, person.phone, person.email]) {
      expect(history).not.toContain(value);
    }
  });
});
