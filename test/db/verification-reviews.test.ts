import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically, type Trx } from '../../db/atomically.ts';
import { type Customer, lockCustomer, readCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { newIdAt } from '../../db/ids.ts';
import type { Programme } from '../../db/partners.ts';
import { remindReviewers } from '../../db/review-reminders.ts';
import { customerSubject, hitSummary, recordHits } from '../../db/screening.ts';
import { decideHit, listHits } from '../../db/screening-hits.ts';
import { replaceScreeningList, screeningLists } from '../../db/screening-lists.ts';
import { addTransactionalLock, lockReasonsOf } from '../../db/transactional-locks.ts';
import {
  claimantOf,
  claimVerification,
  documentsOf,
  editVerification,
  readDocumentAudited,
  releaseVerification,
  searchVerifications,
} from '../../db/verification-reviews.ts';
import {
  closeRunningVerification,
  readVerification,
  setStage,
  submitVerification,
} from '../../db/verifications.ts';
import type { ScreeningList } from '../../domain/screening.ts';
import { aCustomer, aForm, aProgramme, aSubmission, connect, engineCaller } from '../support/customers.ts';
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
  programme = await aProgramme(owner);
});
afterAll(async () => {
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'OK',
    (error: { code?: string }) => error.code ?? 'no refusal',
  );

const PICTURE = {
  kind: 'FRONT' as const,
  mediaType: 'image/jpeg',
  bytes: 20_000,
  sha256: 'ab'.repeat(32),
  storeKey: 'c'.repeat(32),
};

async function aCase(customer?: Customer): Promise<{ verificationId: string; customer: Customer }> {
  const of = customer ?? (await aCustomer(engine, vault, programme));
  const verificationId = newIdAt(new Date());
  await asEngine(async (trx) => {
    const held = await lockCustomer(trx, 'every', of.customerId);
    const submission = aSubmission(vault, of, verificationId, aForm());
    await submitVerification(trx, programme, held, { ...submission, pictures: [PICTURE] });
    await setStage(trx, verificationId, 'REVIEW');
  });
  return { verificationId, customer: of };
}

const read = (verificationId: string) =>
  asEngine((trx) => readVerification(trx, 'every', { verificationId }));
const auditOf = async (objectId: string) =>
  (await owner.selectFrom('audit_log').select('action').where('object_id', '=', objectId).execute()).map(
    (row) => row.action,
  );
const moveClock = (minutes: number) =>
  sql`insert into clock_offset (offset_by) values (make_interval(mins => ${minutes}))
    on conflict (only_row) do update set offset_by = excluded.offset_by`.execute(owner);

describe('a claim', () => {
  it('keeps others out for 30 minutes by the clock of the database', async () => {
    const { verificationId } = await aCase();
    const claim = (who: string) =>
      codeOf(asEngine((trx) => claimVerification(trx, 'every', verificationId, who)));
    const release = (who: string) =>
      codeOf(asEngine((trx) => releaseVerification(trx, 'every', verificationId, who)));
    const claims = await Promise.all(['a', 'b', 'c', 'd'].map(claim));
    expect(claims.toSorted()).toEqual(['CLAIMED_BY_OTHER', 'CLAIMED_BY_OTHER', 'CLAIMED_BY_OTHER', 'OK']);
    const winner = ['a', 'b', 'c', 'd'][claims.indexOf('OK')] as string;
    expect(await claim(winner)).toBe('OK');
    expect(await release('somebody')).toBe('CLAIMED_BY_OTHER');
    await moveClock(31);
    expect(await claim('somebody')).toBe('OK');
    const found = await asEngine((trx) =>
      searchVerifications(trx, 'every', { claimedBy: 'somebody' }, { limit: 10, afterId: null }),
    );
    expect(found.map((one) => one.verificationId)).toEqual([verificationId]);
    expect(await release('somebody')).toBe('OK');
    expect(await asEngine(async (trx) => claimantOf(trx, await readOf(trx, verificationId)))).toBeNull();
    await moveClock(0);
    expect(await auditOf(verificationId)).toEqual(
      expect.arrayContaining(['verification.claimed', 'verification.released']),
    );
  });

  it('is not for a case of another programme', async () => {
    const { verificationId } = await aCase();
    const claim = asEngine((trx) => claimVerification(trx, [999], verificationId, 'a'));
    expect(await codeOf(claim)).toBe('VERIFICATION_NOT_FOUND');
  });
});

const readOf = (trx: Trx, verificationId: string) => readVerification(trx, 'every', { verificationId });

describe('the queue', () => {
  it('is searched by customer, status, stage and time, oldest first, in pages', async () => {
    const first = await aCase();
    const second = await aCase();
    const search = (
      filter: Parameters<typeof searchVerifications>[2],
      limit = 50,
      afterId: string | null = null,
    ) => asEngine((trx) => searchVerifications(trx, [programme.programmeId], filter, { limit, afterId }));
    const ids = (rows: readonly { verificationId: string }[]) => rows.map((one) => one.verificationId);
    expect(ids(await search({ customerId: first.customer.customerId }))).toEqual([first.verificationId]);
    const waiting = ids(await search({ status: 'IN_PROGRESS', stage: 'REVIEW' }));
    expect(waiting.indexOf(first.verificationId)).toBeLessThan(waiting.indexOf(second.verificationId));
    expect(ids(await search({}, 1, first.verificationId))).toEqual([second.verificationId]);
    expect(await search({ from: new Date(Date.now() + 60_000) })).toEqual([]);
    expect(await search({ to: new Date(Date.now() - 600_000) })).toEqual([]);
    expect(await search({ status: 'ACCEPTED' })).toEqual([]);
  });
});

describe('a corrected form', () => {
  const edited = (version: number) => ({
    version,
    form: Buffer.from('sealed'),
    flags: ['PEP_DECLARED'],
    riskLevel: 'HIGH' as const,
    pep: true,
    documentExpirationDate: '2036-01-01',
  });

  it('counts its versions, and the slower of two editors is refused', async () => {
    const { verificationId, customer } = await aCase();
    const edit = () => asEngine((trx) => editVerification(trx, 'every', verificationId, edited(1)));
    const outcomes = await Promise.all([codeOf(edit()), codeOf(edit())]);
    expect(outcomes.toSorted()).toEqual(['OK', 'VERSION_CONFLICT']);
    expect(await read(verificationId)).toMatchObject({
      version: 2,
      pep: true,
      riskLevel: 'HIGH',
      flags: ['PEP_DECLARED'],
      documentExpirationDate: '2036-01-01',
    });
    const after = await asEngine((trx) => readCustomer(trx, 'every', customer.customerId));
    expect(after).toMatchObject({ pep: false, riskLevel: 'LOW' });
  });
});

describe('a document', () => {
  it('is read only together with its audit row', async () => {
    const { verificationId } = await aCase();
    const [document] = await asEngine((trx) => documentsOf(trx, verificationId));
    const documentId = document?.documentId ?? '';
    const key = { verificationId, documentId };
    const found = await asEngine((trx) => readDocumentAudited(trx, 'every', key));
    expect(found).toMatchObject({ storeKey: PICTURE.storeKey, mediaType: 'image/jpeg' });
    expect(await auditOf(documentId)).toEqual(['verification.document_read']);
    const other = await aCase();
    const wrong = asEngine((trx) =>
      readDocumentAudited(trx, 'every', { verificationId: other.verificationId, documentId }),
    );
    expect(await codeOf(wrong)).toBe('DOCUMENT_NOT_FOUND');
  });
});

describe('a hit', () => {
  async function aHit(list: ScreeningList, customer: Customer, entryId = 'e-1', fingerprint = 'f-1') {
    const opened = await asEngine((trx) =>
      recordHits(
        trx,
        customerSubject(customer.customerId),
        { partnerId: customer.partnerId, verificationId: null },
        [{ listCode: list, entryId, score: 0.97, fingerprint }],
      ),
    );
    const hits = await asEngine((trx) =>
      listHits(trx, { subjectId: String(customer.customerId), list }, { limit: 10, beforeId: null }),
    );
    return { opened, hitId: hits[0]?.hitId ?? '' };
  }
  const decide = (hitId: string, decision: 'FALSE_POSITIVE' | 'CONFIRMED') =>
    asEngine((trx) => decideHit(trx, { hitId, decision, note: 'looked into', operatorId: 'op-1' }));
  const reasons = async ({ customerId }: Customer) =>
    (await asEngine((trx) => lockReasonsOf(trx, [customerId]))).get(customerId);

  it('confirmed on a sanction list locks, and a running verification is told', async () => {
    const { customer, verificationId } = await aCase();
    const { hitId } = await aHit('EU', customer);
    expect(await decide(hitId, 'CONFIRMED')).toMatchObject({ state: 'CONFIRMED', decidedBy: 'op-1' });
    expect(await reasons(customer)).toEqual(['SCREENING_DETECTED']);
    const told = await owner
      .selectFrom('outbox')
      .select('kind')
      .where('subject_id', '=', `customer-verification:${verificationId}`)
      .orderBy('id')
      .execute();
    expect(told.map((row) => row.kind)).toEqual(['customer-verification', 'hit-decided']);
    expect(await codeOf(decide(hitId, 'FALSE_POSITIVE'))).toBe('STATE_CONFLICT');
    expect(await auditOf(hitId)).toEqual(['screening.hit_decided']);
  });

  it('found false lifts the lock when it was the last of its kind, and stays silent until the entry changes', async () => {
    const customer = await aCustomer(engine, vault, programme);
    const one = await aHit('EU', customer);
    const other = await aHit('UN', customer);
    await asEngine((trx) =>
      addTransactionalLock(trx, customer, { reason: 'SCREENING_DETECTED', origin: 'SYSTEM' }),
    );
    await decide(one.hitId, 'FALSE_POSITIVE');
    expect(await reasons(customer)).toEqual(['SCREENING_DETECTED']);
    await decide(other.hitId, 'FALSE_POSITIVE');
    expect(await reasons(customer)).toEqual([]);
    expect((await aHit('EU', customer)).opened).toBe(0);
    const changed = await aHit('EU', customer, 'e-1', 'f-2');
    expect(changed).toEqual({ opened: 1, hitId: one.hitId });
    expect(await asEngine((trx) => hitSummary(trx, customerSubject(customer.customerId)))).toMatchObject({
      open: true,
      sanction: true,
    });
  });

  it('of a politically exposed person marks, raises the risk, and does not lock', async () => {
    const customer = await aCustomer(engine, vault, programme);
    const { hitId } = await aHit('PEP', customer);
    await decide(hitId, 'CONFIRMED');
    expect(await reasons(customer)).toEqual([]);
    expect(await asEngine((trx) => readCustomer(trx, 'every', customer.customerId))).toMatchObject({
      pep: true,
      riskLevel: 'HIGH',
    });
  });

  it('is decided once, however many decide at the same time', async () => {
    const customer = await aCustomer(engine, vault, programme);
    const { hitId } = await aHit('EU', customer);
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        codeOf(decide(hitId, at % 2 === 0 ? 'CONFIRMED' : 'FALSE_POSITIVE')),
      ),
    );
    expect(outcomes.filter((one) => one === 'OK')).toHaveLength(1);
    expect(await codeOf(decide(newIdAt(new Date()), 'CONFIRMED'))).toBe('HIT_NOT_FOUND');
  });
});

describe('a list', () => {
  it('replaces the old one as a whole and asks for a rescreening of everybody', async () => {
    const entry = (entryId: string, name: string) => ({
      entryId,
      kind: 'PERSON' as const,
      normalizedNames: [name],
      birthYears: [1970],
    });
    await asEngine((trx) =>
      replaceScreeningList(trx, 'CUSTOM', [entry('a', 'one two'), entry('b', 'three')]),
    );
    const second = await asEngine((trx) => replaceScreeningList(trx, 'CUSTOM', [entry('a', 'one changed')]));
    const entries = await owner
      .selectFrom('screening_entries')
      .select(['entry_id', 'normalized_names'])
      .where('list_code', '=', 'CUSTOM')
      .execute();
    expect(entries).toEqual([{ entry_id: 'a', normalized_names: ['one changed'] }]);
    expect(await asEngine(screeningLists)).toEqual([second]);
    const started = await owner
      .selectFrom('outbox')
      .select('subject_id')
      .where('kind', '=', 'rescreening')
      .orderBy('id', 'desc')
      .executeTakeFirst();
    expect(started?.subject_id).toBe(`rescreening:${second.listVersionId}`);
  });
});

describe('reminders', () => {
  it('go to active operators of the roles that review, of the platform or of the partner', async () => {
    const { verificationId } = await aCase();
    const other = await aProgramme(owner);
    const person = (
      email: string,
      role: 'Admin' | 'Manager',
      partnerId: number | null,
      state: 'ACTIVE' | 'DISABLED' = 'ACTIVE',
    ) => ({
      operator_id: newIdAt(new Date()),
      partner_id: partnerId,
      email,
      first_name: 'O',
      last_name: 'P',
      role,
      scope: partnerId === null ? ('PLATFORM' as const) : ('PARTNER' as const),
      state,
    });
    await owner
      .insertInto('operators')
      .values([
        person('platform@bank.test', 'Admin', null),
        person('partner@bank.test', 'Admin', programme.partnerId),
        person('manager@bank.test', 'Manager', programme.partnerId),
        person('elsewhere@bank.test', 'Admin', other.partnerId),
        person('gone@bank.test', 'Admin', null, 'DISABLED'),
      ])
      .execute();
    const remind = () => asEngine(async (trx) => remindReviewers(trx, await readOf(trx, verificationId)));
    expect(await remind()).toBe(2);
    const mails = await owner
      .selectFrom('outbox')
      .select('data')
      .where('destination', '=', 'message')
      .where('subject_id', '=', verificationId)
      .orderBy('id')
      .execute();
    expect(mails.map(({ data }) => (data as { to: string }).to)).toEqual([
      'partner@bank.test',
      'platform@bank.test',
    ]);
    await owner
      .updateTable('programmes')
      .set({ kyc_review_roles: ['Admin', 'Manager'] })
      .where('programme_id', '=', programme.programmeId)
      .execute();
    expect(await remind()).toBe(3);
    await asEngine((trx) => setStage(trx, verificationId, 'PROVIDER'));
    expect(await remind()).toBe(0);
  });
});

describe('a customer who is being deleted', () => {
  it('has their running verification closed by its workflow', async () => {
    const { customer, verificationId } = await aCase();
    await asEngine((trx) => closeRunningVerification(trx, customer));
    const told = await owner
      .selectFrom('outbox')
      .select('kind')
      .where('subject_id', '=', `customer-verification:${verificationId}`)
      .orderBy('id')
      .execute();
    expect(told.map((row) => row.kind)).toEqual(['customer-verification', 'verification-close']);
  });
});
