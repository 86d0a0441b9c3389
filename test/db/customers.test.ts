import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically, type Trx } from '../../db/atomically.ts';
import {
  type CustomerChange,
  type Customer,
  findCustomer,
  listCustomers,
  lockCustomer,
  readCustomer,
  updateCustomer,
} from '../../db/customers.ts';
import { markLocked, markUnlocked } from '../../db/customer-states.ts';
import type { Database } from '../../db/database.ts';
import { openDefaultBalance } from '../../db/default-balance.ts';
import type { Programme } from '../../db/partners.ts';
import {
  addTransactionalLock,
  lockReasonsOf,
  removeTransactionalLock,
} from '../../db/transactional-locks.ts';
import { submitVerification } from '../../db/verifications.ts';
import { newIdAt } from '../../db/ids.ts';
import {
  aCustomer,
  aCustomerIn,
  aPerson,
  aProgramme,
  aSubmission,
  connect,
  engineCaller,
  partnerCaller,
} from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let app: Kysely<Database>;
let engine: Kysely<Database>;
let external: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  app = connect(fresh.appUrl);
  engine = connect(fresh.engineUrl);
  external = await aProgramme(owner, { kyc_mode: 'EXTERNAL', external_kyc: true });
});
afterAll(async () => {
  await Promise.all([owner, app, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const change = (programme: Programme, customer: Customer, changes: CustomerChange): Promise<Customer> =>
  atomically(app, partnerCaller(programme.partnerId), async (trx) =>
    updateCustomer(
      trx,
      programme,
      await lockCustomer(trx, [programme.programmeId], customer.customerId),
      changes,
    ),
  );

const reasonsOf = async (customer: Customer): Promise<string[]> => {
  const reasons = await atomically(engine, engineCaller, (trx) => lockReasonsOf(trx, [customer.customerId]));
  return reasons.get(customer.customerId) ?? [];
};

const workflowsOf = async (id: string): Promise<string[]> => {
  const rows = await owner.selectFrom('outbox').select('kind').where('subject_id', '=', id).execute();
  return rows.map((row) => row.kind);
};

describe('a new customer', () => {
  it('is stored by a partner with key, audit row, and the workflow that kyc SUCCESS asks for', async () => {
    const customer = await atomically(app, partnerCaller(external.partnerId), (trx) =>
      aCustomerIn(trx, vault, external, { kyc: 'SUCCESS', externalId: 'c-1' }),
    );
    expect(customer).toMatchObject({
      kyc: 'SUCCESS',
      externalId: 'c-1',
      kycSuccesses: 1,
      transactionalLocks: 0,
    });
    expect(await workflowsOf(`external-verification:${customer.customerId}:1`)).toEqual([
      'external-verification',
    ]);
    const audit = await owner
      .selectFrom('audit_log')
      .select(['action', 'actor_type'])
      .where('object_id', '=', String(customer.customerId))
      .execute();
    expect(audit).toEqual([{ action: 'customer.created', actor_type: 'PARTNER' }]);
  });

  it('starts nothing without kyc SUCCESS', async () => {
    const customer = await aCustomer(engine, vault, external);
    expect(await workflowsOf(`external-verification:${customer.customerId}:1`)).toEqual([]);
  });

  it('may bring its kyc only where the partner verifies', async () => {
    const internal = await aProgramme(owner);
    await expect(aCustomer(engine, vault, internal, { kyc: 'SUCCESS' })).rejects.toMatchObject({
      code: 'EXTERNAL_KYC_NOT_ALLOWED',
    });
  });

  it.each([
    ['phone', 'PHONE_ALREADY_REGISTERED'],
    ['email', 'EMAIL_ALREADY_REGISTERED'],
  ] as const)('with the %s of another one is refused', async (member, code) => {
    const first = aPerson();
    await aCustomer(engine, vault, external, { person: first });
    const second = aPerson({ [member]: first[member] });
    await expect(aCustomer(engine, vault, external, { person: second })).rejects.toMatchObject({ code });
  });

  it('with a taken externalId is refused, and in another programme it is free', async () => {
    const person = aPerson();
    await aCustomer(engine, vault, external, { externalId: 'taken', person });
    await expect(aCustomer(engine, vault, external, { externalId: 'taken' })).rejects.toMatchObject({
      code: 'EXTERNAL_ID_ALREADY_USED',
    });
    const other = await aProgramme(owner);
    await expect(aCustomer(engine, vault, other, { externalId: 'taken', person })).resolves.toBeDefined();
  });

  it('has its phone number once, however many ask at the same time', async () => {
    const person = aPerson();
    const tries = await Promise.allSettled(
      [1, 2, 3].map(() => aCustomer(engine, vault, external, { person: { ...person } })),
    );
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  });
});

describe("another partner's customer", () => {
  it('is not there: neither by id nor in lists, even when its programme is named', async () => {
    const stranger = await aProgramme(owner);
    const customer = await aCustomer(engine, vault, external);
    const seen = await atomically(app, partnerCaller(stranger.partnerId), async (trx) => ({
      one: await findCustomer(trx, [external.programmeId], customer.customerId),
      list: await listCustomers(trx, [external.programmeId], {}, { limit: 10, beforeId: null }),
    }));
    expect(seen).toEqual({ one: undefined, list: [] });
  });

  it('is USER_NOT_FOUND outside the programmes of the call, also when there are none', async () => {
    const customer = await aCustomer(engine, vault, external);
    for (const scope of [[], [external.programmeId + 1000]]) {
      await expect(
        atomically(app, partnerCaller(external.partnerId), (trx) =>
          readCustomer(trx, scope, customer.customerId),
        ),
      ).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    }
  });
});

describe('a list', () => {
  it('goes on below an id, newest first, and filters', async () => {
    const programme = await aProgramme(owner);
    const ids: number[] = [];
    for (const externalId of ['a', 'b', 'c']) {
      ids.unshift((await aCustomer(engine, vault, programme, { externalId })).customerId);
    }
    const list = (filter: object, page: { limit: number; beforeId: number | null }) =>
      atomically(app, partnerCaller(programme.partnerId), async (trx) =>
        (await listCustomers(trx, [programme.programmeId], filter, page)).map((one) => one.customerId),
      );
    expect(await list({}, { limit: 2, beforeId: null })).toEqual(ids.slice(0, 2));
    expect(await list({}, { limit: 2, beforeId: ids[1] ?? 0 })).toEqual(ids.slice(2));
    expect(await list({ externalId: 'b' }, { limit: 5, beforeId: null })).toEqual([ids[1]]);
    expect(await list({ kyc: 'SUCCESS' }, { limit: 5, beforeId: null })).toEqual([]);
  });
});

describe('a change', () => {
  it('leaves absent members alone and clears what is null', async () => {
    const customer = await aCustomer(engine, vault, external, { externalId: 'keep' });
    const risky = await change(external, customer, { riskLevel: 'HIGH' });
    expect(risky).toMatchObject({ riskLevel: 'HIGH', externalId: 'keep', state: 'VERIFIED' });
    expect(await change(external, customer, { externalId: null })).toMatchObject({
      externalId: null,
      riskLevel: 'HIGH',
    });
  });

  it('of the risk of a politically exposed person is taken, and the risk stays HIGH', async () => {
    const customer = await aCustomer(engine, vault, external);
    await owner
      .updateTable('customers')
      .set({ pep: true, risk_level: 'HIGH' })
      .where('customer_id', '=', customer.customerId)
      .execute();
    expect(await change(external, customer, { riskLevel: 'LOW', externalId: 'pep-1' })).toMatchObject({
      riskLevel: 'HIGH',
      pep: true,
      externalId: 'pep-1',
    });
  });

  it('to kyc SUCCESS counts and starts the workflow each time; leaving it locks, coming back unlocks', async () => {
    const customer = await aCustomer(engine, vault, external);
    const id = (n: number) => `external-verification:${customer.customerId}:${n}`;
    expect(await change(external, customer, { kyc: 'SUCCESS' })).toMatchObject({ kycSuccesses: 1 });
    expect(await change(external, customer, { kyc: 'SUCCESS' })).toMatchObject({ kycSuccesses: 1 });
    expect(await change(external, customer, { kyc: 'FAILED' })).toMatchObject({ transactionalLocks: 1 });
    expect(await reasonsOf(customer)).toEqual(['NAGATIVE_VERIFICATION']);
    expect(await change(external, customer, { kyc: 'SUCCESS' })).toMatchObject({
      kycSuccesses: 2,
      transactionalLocks: 0,
    });
    expect(await workflowsOf(id(1))).toHaveLength(1);
    expect(await workflowsOf(id(2))).toHaveLength(1);
  });

  it('of kyc is refused where the platform verifies, unless it changes nothing', async () => {
    const internal = await aProgramme(owner);
    const customer = await aCustomer(engine, vault, internal);
    await expect(change(internal, customer, { kyc: 'SUCCESS' })).rejects.toMatchObject({
      code: 'EXTERNAL_KYC_NOT_ALLOWED',
    });
    await expect(change(internal, customer, { kyc: 'NOT_STARTED' })).resolves.toBeDefined();
  });

  it('of kyc is refused while a verification runs', async () => {
    const mixed = await aProgramme(owner, { external_kyc: true });
    const customer = await aCustomer(engine, vault, mixed);
    await atomically(engine, engineCaller, (trx) =>
      submitVerification(trx, mixed, customer, aSubmission(vault, customer, newIdAt(new Date()))),
    );
    await expect(change(mixed, customer, { kyc: 'SUCCESS' })).rejects.toMatchObject({
      code: 'VERIFICATION_IN_PROGRESS',
    });
  });

  it('of a locked customer may not touch the state; a deleted one is not changed at all', async () => {
    const customer = await aCustomer(engine, vault, external);
    const put = (state: 'LOCKED' | 'DELETED') =>
      owner.updateTable('customers').set({ state }).where('customer_id', '=', customer.customerId).execute();
    await put('LOCKED');
    await expect(change(external, customer, { state: 'VERIFIED' })).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
    });
    await expect(change(external, customer, { riskLevel: 'MEDIUM' })).resolves.toBeDefined();
    await put('DELETED');
    await expect(change(external, customer, { riskLevel: 'LOW' })).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
    });
  });

  it('to a later document date lifts DOCUMENT_EXPIRED of origin SYSTEM', async () => {
    const customer = await aCustomer(engine, vault, external);
    const lock = { reason: 'DOCUMENT_EXPIRED', origin: 'SYSTEM' } as const;
    await atomically(engine, engineCaller, (trx) => addTransactionalLock(trx, customer, lock));
    await change(external, customer, { documentExpirationDate: '2001-01-01' });
    expect(await reasonsOf(customer)).toEqual(['DOCUMENT_EXPIRED']);
    await change(external, customer, { documentExpirationDate: '2099-01-01' });
    expect(await reasonsOf(customer)).toEqual([]);
  });
});

describe('transactional locks', () => {
  it('count distinct reasons, and a reason stays while one origin holds it', async () => {
    const customer = await aCustomer(engine, vault, external);
    const run = <T>(work: Parameters<typeof atomically<T>>[2]) => atomically(engine, engineCaller, work);
    const fraud = (origin: 'SYSTEM' | 'PARTNER') => ({ reason: 'FRAUD_SUSPECTED', origin }) as const;
    const count = async () =>
      (await run((trx) => readCustomer(trx, 'every', customer.customerId))).transactionalLocks;
    expect(await run((trx) => addTransactionalLock(trx, customer, fraud('SYSTEM')))).toBe('ADDED');
    expect(await run((trx) => addTransactionalLock(trx, customer, fraud('SYSTEM')))).toBe('THERE');
    await run((trx) => addTransactionalLock(trx, customer, fraud('PARTNER')));
    expect(await count()).toBe(1);
    await run((trx) => removeTransactionalLock(trx, customer, fraud('SYSTEM')));
    expect(await count()).toBe(1);
    await run((trx) => removeTransactionalLock(trx, customer, fraud('PARTNER')));
    expect(await count()).toBe(0);
    expect(await run((trx) => removeTransactionalLock(trx, customer, fraud('PARTNER')))).toBe('NOT_THERE');
  });

  it('are counted right when two are added at the same time', async () => {
    const customer = await aCustomer(engine, vault, external);
    await Promise.all(
      (['POLICE_LOCK', 'ZEN_LOCK', 'PEKAO_LOCK', 'FENIGE_LOCK'] as const).map((reason) =>
        atomically(engine, engineCaller, (trx) =>
          addTransactionalLock(trx, customer, { reason, origin: 'OPERATOR' }),
        ),
      ),
    );
    const { transactionalLocks } = await atomically(engine, engineCaller, (trx) =>
      readCustomer(trx, 'every', customer.customerId),
    );
    expect(transactionalLocks).toBe(4);
  });
});

describe('the default balance', () => {
  const open = (customer: Customer) =>
    atomically(engine, engineCaller, (trx) => openDefaultBalance(trx, customer.customerId));
  const balancesOf = (customer: Customer) =>
    owner
      .selectFrom('balances')
      .select(['currency', 'automatic'])
      .where('customer_id', '=', customer.customerId)
      .execute();

  it('is opened once, in the default currency, by however many at the same time', async () => {
    const customer = await aCustomer(engine, vault, external, { kyc: 'SUCCESS' });
    const kinds = (await Promise.all([1, 2, 3].map(() => open(customer)))).map((one) => one.kind);
    expect(kinds.toSorted()).toEqual(['EXISTS', 'EXISTS', 'OPENED']);
    expect(await balancesOf(customer)).toEqual([{ currency: 'EUR', automatic: true }]);
  });

  it('waits for kyc SUCCESS', async () => {
    expect(await open(await aCustomer(engine, vault, external))).toEqual({ kind: 'NOT_PASSED' });
  });

  it('is not opened where the programme does not want it', async () => {
    const programme = await aProgramme(owner, { external_kyc: true, autoCreateBalance: false });
    expect(await open(await aCustomer(engine, vault, programme, { kyc: 'SUCCESS' }))).toEqual({
      kind: 'OFF',
    });
  });

  it('is postponed by a transactional lock and opened when the last one goes', async () => {
    const customer = await aCustomer(engine, vault, external, { kyc: 'SUCCESS' });
    const lock = { reason: 'POLICE_LOCK', origin: 'OPERATOR' } as const;
    await atomically(engine, engineCaller, (trx) => addTransactionalLock(trx, customer, lock));
    expect(await open(customer)).toEqual({ kind: 'POSTPONED' });
    await atomically(engine, engineCaller, (trx) => removeTransactionalLock(trx, customer, lock));
    expect(await balancesOf(customer)).toHaveLength(1);
  });

  it('that could not be opened while the customer was locked comes with the unlocking', async () => {
    const customer = await aCustomer(engine, vault, external, { kyc: 'SUCCESS' });
    const held = (work: (trx: Trx, customer: Customer) => Promise<unknown>) =>
      atomically(engine, engineCaller, async (trx) =>
        work(trx, await lockCustomer(trx, 'every', customer.customerId)),
      );
    const lock = { reason: 'POLICE_LOCK', origin: 'OPERATOR' } as const;
    await held((trx, one) => markLocked(trx, one, null));
    expect(await open(customer)).toEqual({ kind: 'NOT_PASSED' });
    await held((trx, one) => addTransactionalLock(trx, one, lock));
    await held((trx, one) => removeTransactionalLock(trx, one, lock));
    expect(await balancesOf(customer)).toEqual([]);
    await held((trx, one) => markUnlocked(trx, one));
    expect(await balancesOf(customer)).toEqual([{ currency: 'EUR', automatic: true }]);
  });

  it('does not come with the unlocking of a customer who has not passed', async () => {
    const customer = await aCustomer(engine, vault, external);
    for (const change of [markLocked, markUnlocked]) {
      await atomically(engine, engineCaller, async (trx) =>
        change(trx, await lockCustomer(trx, 'every', customer.customerId), null),
      );
    }
    expect(await balancesOf(customer)).toEqual([]);
  });
});
