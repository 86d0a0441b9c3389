import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically, type Trx } from '../../db/atomically.ts';
import { type Customer, lockCustomer, readCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { lockExpiredDocuments } from '../../db/document-expiry.ts';
import { liftExpiredLocks } from '../../db/lock-expiry.ts';
import {
  liftLockAsOperator,
  liftLockAsPartner,
  type LockRequest,
  requestLock,
} from '../../db/lock-requests.ts';
import type { Programme } from '../../db/partners.ts';
import { customerSubject, recordHits } from '../../db/screening.ts';
import {
  addTransactionalLock,
  lockReasonsOf,
  locksOf,
  removeTransactionalLock,
} from '../../db/transactional-locks.ts';
import { LOCK_REASONS } from '../../domain/transactional-lock.ts';
import { aCustomer, aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let programme: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  programme = await aProgramme(owner, { notifications: { transactionalLock: 1 }, autoCreateBalance: true });
  await owner
    .updateTable('programmes')
    .set({ extra_lock_reasons: ['HOUSE_RULE'] })
    .where('programme_id', '=', programme.programmeId)
    .execute();
});
afterAll(async () => {
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);
const customer = (kyc: 'SUCCESS' | 'NOT_STARTED' = 'NOT_STARTED') =>
  owner
    .updateTable('programmes')
    .set({ external_kyc: true })
    .where('programme_id', '=', programme.programmeId)
    .execute()
    .then(() => aCustomer(engine, vault, { ...programme, externalKyc: true }, { kyc }));
const read = ({ customerId }: Customer) => asEngine((trx) => readCustomer(trx, 'every', customerId));
const reasons = async ({ customerId }: Customer) =>
  (await asEngine((trx) => lockReasonsOf(trx, [customerId]))).get(customerId);
const request = (one: Customer, changes: Partial<LockRequest> = {}) =>
  asEngine(async (trx) => {
    const held = await lockCustomer(trx, 'every', one.customerId);
    const lock: LockRequest = { reason: 'POLICE_LOCK', origin: 'PARTNER', note: null, until: null };
    return (await requestLock(trx, held, { ...lock, ...changes })).outcome;
  });
const told = async ({ customerId }: Customer) =>
  (
    await owner
      .selectFrom('outbox')
      .select(['kind', 'data'])
      .where('subject_id', '=', String(customerId))
      .where('destination', '=', 'partner')
      .orderBy('id')
      .execute()
  ).map(({ kind, data }) => [kind, (data as { lockReason?: string } | null)?.lockReason]);

describe('a set of reasons', () => {
  it('tells the partner of the first hold on a reason and of the end of the last', async () => {
    const one = await customer();
    const lock = (origin: 'SYSTEM' | 'OPERATOR' | 'PARTNER') =>
      asEngine((trx) => addTransactionalLock(trx, one, { reason: 'FRAUD_SUSPECTED', origin }));
    const lift = (origin: 'SYSTEM' | 'OPERATOR' | 'PARTNER') =>
      asEngine((trx) => removeTransactionalLock(trx, one, { reason: 'FRAUD_SUSPECTED', origin }));
    expect(await lock('SYSTEM')).toBe('ADDED');
    expect(await lock('SYSTEM')).toBe('THERE');
    expect(await lock('PARTNER')).toBe('ADDED');
    expect(await told(one)).toEqual([['transactionalLockReasonAdded', 'FRAUD_SUSPECTED']]);
    expect((await read(one)).transactionalLocks).toBe(1);
    expect(await lift('SYSTEM')).toBe('REMOVED');
    expect(await told(one)).toHaveLength(1);
    expect(await lift('PARTNER')).toBe('REMOVED');
    expect(await lift('PARTNER')).toBe('NOT_THERE');
    expect(await told(one)).toEqual([
      ['transactionalLockReasonAdded', 'FRAUD_SUSPECTED'],
      ['transactionalLockReasonRemoved', 'FRAUD_SUSPECTED'],
    ]);
    expect((await read(one)).transactionalLocks).toBe(0);
  });

  it('counts each reason once, however many add it at the same time, and tells of it once', async () => {
    const one = await customer();
    await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        request(one, { reason: at % 2 === 0 ? 'ZEN_LOCK' : 'PEKAO_LOCK', origin: 'OPERATOR' }),
      ),
    );
    expect((await read(one)).transactionalLocks).toBe(2);
    expect(await told(one)).toHaveLength(2);
  });

  it('that is empty again opens the balance that it postponed', async () => {
    const one = await customer('SUCCESS');
    await request(one);
    await asEngine(async (trx) =>
      liftLockAsPartner(trx, await lockCustomer(trx, 'every', one.customerId), 'POLICE_LOCK'),
    );
    const balances = await owner
      .selectFrom('balances')
      .select('currency')
      .where('customer_id', '=', one.customerId)
      .execute();
    expect(balances).toEqual([{ currency: 'EUR' }]);
  });
});

describe('asking for a lock', () => {
  it.each(LOCK_REASONS)('takes %s', async (reason) => {
    const one = await customer();
    expect(await request(one, { reason })).toBe('ADDED');
    expect(await request(one, { reason })).toBe('THERE');
    expect(await reasons(one)).toEqual([reason]);
  });

  it.each([
    ['NEGATIVE_VERIFICATION', 'NAGATIVE_VERIFICATION'],
    ['house_rule', 'HOUSE_RULE'],
  ])('takes %s as %s', async (reason, stored) => {
    const one = await customer();
    await request(one, { reason });
    expect(await reasons(one)).toEqual([stored]);
  });

  it.each([
    ['an unknown reason', { reason: 'BECAUSE' }, 'VALIDATION_ERROR'],
    ['an end of a lock that does not end', { until: new Date(Date.now() + 60_000) }, 'VALIDATION_ERROR'],
    ['an end in the past', { reason: 'TEMPORARY_LOCKED', until: new Date(0) }, 'VALIDATION_ERROR'],
  ])('refuses %s', async (_name, changes, code) => {
    const one = await customer();
    await expect(request(one, changes)).rejects.toMatchObject({ code });
    expect(await reasons(one)).toEqual([]);
  });

  it('refuses a deleted customer', async () => {
    const one = await customer();
    await owner
      .updateTable('customers')
      .set({ state: 'DELETED' })
      .where('customer_id', '=', one.customerId)
      .execute();
    await expect(request(one)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });
});

describe('lifting a lock', () => {
  const lift = (one: Customer, as: 'partner' | 'operator', reason: string) =>
    asEngine(async (trx) => {
      const held = await lockCustomer(trx, 'every', one.customerId);
      if (as === 'partner') await liftLockAsPartner(trx, held, reason);
      else await liftLockAsOperator(trx, held, reason, 'looked into');
    });

  it("a partner lifts its own hold and nobody else's", async () => {
    const one = await customer();
    await request(one);
    await request(one, { origin: 'OPERATOR', note: 'file 7' });
    await lift(one, 'partner', 'POLICE_LOCK');
    expect(await reasons(one)).toEqual(['POLICE_LOCK']);
    expect(await asEngine((trx) => locksOf(trx, one))).toMatchObject([
      { origin: 'OPERATOR', note: 'file 7' },
    ]);
    await expect(lift(one, 'partner', 'POLICE_LOCK')).rejects.toMatchObject({
      code: 'LOCK_REASON_NOT_REMOVABLE',
    });
    await expect(lift(one, 'partner', 'ZEN_LOCK')).rejects.toMatchObject({ code: 'LOCK_REASON_NOT_FOUND' });
  });

  it('an operator lifts all holds on a reason', async () => {
    const one = await customer();
    await request(one);
    await request(one, { origin: 'OPERATOR' });
    await lift(one, 'operator', 'POLICE_LOCK');
    expect(await reasons(one)).toEqual([]);
    await expect(lift(one, 'operator', 'POLICE_LOCK')).rejects.toMatchObject({
      code: 'LOCK_REASON_NOT_FOUND',
    });
  });

  it('not even an operator lifts SCREENING_DETECTED while a hit stands', async () => {
    const one = await customer();
    await asEngine(async (trx) => {
      await recordHits(trx, customerSubject(one.customerId), { ...one, verificationId: null }, [
        { listCode: 'EU', entryId: 'e-9', score: 1, fingerprint: 'f' },
      ]);
      await addTransactionalLock(trx, one, { reason: 'SCREENING_DETECTED', origin: 'SYSTEM' });
    });
    await expect(lift(one, 'operator', 'SCREENING_DETECTED')).rejects.toMatchObject({
      code: 'LOCK_REASON_NOT_REMOVABLE',
    });
  });
});

describe('by the clock of the database', () => {
  /** Moves the clock and makes the partitions that its time needs. */
  const at = async (moment: string) => {
    await sql`insert into clock_offset (offset_by) values (${moment}::timestamptz - now())
      on conflict (only_row) do update set offset_by = excluded.offset_by`.execute(owner);
    await sql`select create_partitions()`.execute(owner);
  };

  it('a temporary lock ends at its time, and only then', async () => {
    const one = await customer();
    const until = new Date(Date.now() + 3_600_000);
    await request(one, { reason: 'TEMPORARY_LOCKED', until });
    await request(one, { reason: 'ZEN_LOCK' });
    expect(await liftExpiredLocks(engine, engineCaller)).toBe(0);
    await at(new Date(until.getTime() + 1_000).toISOString());
    expect(await liftExpiredLocks(engine, engineCaller)).toBe(1);
    expect(await reasons(one)).toEqual(['ZEN_LOCK']);
    expect(await liftExpiredLocks(engine, engineCaller)).toBe(0);
  });

  it('a document is good on its last day and locks on the next, once', async () => {
    const one = await customer('SUCCESS');
    const unverified = await customer();
    await owner
      .updateTable('customers')
      .set({ document_expiration_date: '2030-05-10' })
      .where('customer_id', 'in', [one.customerId, unverified.customerId])
      .execute();
    await at('2030-05-10T23:59:00Z');
    expect(await lockExpiredDocuments(engine, engineCaller)).toBe(0);
    await at('2030-05-11T00:10:00Z');
    expect(await lockExpiredDocuments(engine, engineCaller)).toBe(1);
    expect(await lockExpiredDocuments(engine, engineCaller)).toBe(0);
    expect(await reasons(one)).toEqual(['DOCUMENT_EXPIRED']);
    expect(await reasons(unverified)).toEqual([]);
  });
});
