import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically, type Trx } from '../../db/atomically.ts';
import { type Customer, lockCustomer, readCustomer } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { newIdAt } from '../../db/ids.ts';
import type { Programme } from '../../db/partners.ts';
import { takeProviderEvent } from '../../db/provider-events.ts';
import { customerSubject, recordHits, hitSummary } from '../../db/screening.ts';
import { addTransactionalLock, lockReasonsOf } from '../../db/transactional-locks.ts';
import {
  applyDecision,
  refuseAcceptance,
  type VerificationOutcome,
} from '../../db/verification-decisions.ts';
import { editVerification } from '../../db/verification-reviews.ts';
import {
  findVerification,
  listVerifications,
  lockVerification,
  noteProvider,
  readVerification,
  refuseSubmission,
  setStage,
  submitVerification,
  type Verification,
  verificationsInReview,
} from '../../db/verifications.ts';
import type { RiskLevel } from '../../domain/customer.ts';
import type { LockReason } from '../../domain/transactional-lock.ts';
import type { VerificationForm } from '../../domain/verification.ts';
import {
  aCustomer,
  aForm,
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
let manual: Programme;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  app = connect(fresh.appUrl);
  engine = connect(fresh.engineUrl);
  manual = await aProgramme(owner, { notifications: { kyc: 1 } });
});
afterAll(async () => {
  await Promise.all([owner, app, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const asEngine = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);

const submit = (programme: Programme, customer: Customer, form?: VerificationForm): Promise<Verification> =>
  atomically(app, partnerCaller(programme.partnerId), async (trx) => {
    const held = await lockCustomer(trx, [programme.programmeId], customer.customerId);
    await refuseSubmission(trx, held);
    const submission = aSubmission(vault, customer, newIdAt(new Date()), form);
    return await submitVerification(trx, programme, held, {
      ...submission,
      pictures: [
        {
          kind: 'FACE',
          mediaType: 'image/jpeg',
          bytes: 20_000,
          sha256: '00'.repeat(32),
          storeKey: 'a'.repeat(32),
        },
      ],
    });
  });

const accepted: VerificationOutcome = {
  status: 'ACCEPTED',
  reason: null,
  decidedBy: 'PROVIDER',
  note: null,
  notify: true,
};
const rejected: VerificationOutcome = { ...accepted, status: 'REJECTED', reason: 'INVALID_SELFIE' };

const byPerson: VerificationOutcome = { ...accepted, decidedBy: 'op-1' };

const decide = ({ verificationId }: Verification, outcome: VerificationOutcome) =>
  asEngine(async (trx) => {
    const held = await lockVerification(trx, verificationId);
    const renewed =
      outcome.status === 'ACCEPTED'
        ? { personal: held.customer.personal, residence: Buffer.from('sealed') }
        : null;
    return await applyDecision(trx, held, outcome, renewed);
  });

const mark = ({ customerId }: Customer, marks: { pep?: boolean; risk_level?: RiskLevel }) =>
  owner.updateTable('customers').set(marks).where('customer_id', '=', customerId).execute();

const read = (customer: Customer) => asEngine((trx) => readCustomer(trx, 'every', customer.customerId));

const outboxOf = (subjectId: string) =>
  owner
    .selectFrom('outbox')
    .select(['kind', 'destination'])
    .where('subject_id', '=', subjectId)
    .orderBy('id')
    .execute();

describe('a form', () => {
  it('is taken in by one commit: verification, pictures, kyc, event, workflow, audit', async () => {
    const customer = await aCustomer(engine, vault, manual);
    const verification = await submit(manual, customer);
    expect(verification).toMatchObject({
      status: 'IN_PROGRESS',
      stage: 'RECEIVED',
      source: 'INTERNAL',
      mode: 'MANUAL',
      reason: null,
      decidedAt: null,
    });
    expect(await read(customer)).toMatchObject({ kyc: 'IN_PROGRESS' });
    const { verificationId } = verification;
    expect(await outboxOf(verificationId)).toEqual([
      { kind: 'verificationInProgress', destination: 'partner' },
    ]);
    expect(await outboxOf(`customer-verification:${verificationId}`)).toEqual([
      { kind: 'customer-verification', destination: 'workflow' },
    ]);
    const pictures = await owner
      .selectFrom('verification_documents')
      .select('kind')
      .where('verification_id', '=', verificationId)
      .execute();
    expect(pictures).toEqual([{ kind: 'FACE' }]);
  });

  it('where the partner verifies is evidence only: accepted, customer unchanged, nobody told', async () => {
    const external = await aProgramme(owner, {
      kyc_mode: 'EXTERNAL',
      external_kyc: true,
      notifications: { kyc: 1 },
    });
    const customer = await aCustomer(engine, vault, external, { kyc: 'SUCCESS' });
    const verification = await submit(external, customer);
    expect(verification).toMatchObject({ status: 'ACCEPTED', stage: 'CLOSED', source: 'EXTERNAL' });
    expect(verification.decidedAt).not.toBeNull();
    expect(await read(customer)).toMatchObject({ kyc: 'SUCCESS', updatedAt: customer.updatedAt });
    expect(await outboxOf(verification.verificationId)).toEqual([]);
    expect(await outboxOf(`customer-verification:${verification.verificationId}`)).toEqual([]);
  });

  it('is refused while another one runs, also when both come at the same time', async () => {
    const customer = await aCustomer(engine, vault, manual);
    const tries = await Promise.allSettled([submit(manual, customer), submit(manual, customer)]);
    const refused = tries.filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toMatchObject({ code: 'VERIFICATION_IN_PROGRESS' });
  });

  it('is refused for a locked customer', async () => {
    const customer = await aCustomer(engine, vault, manual);
    await owner
      .updateTable('customers')
      .set({ state: 'LOCKED' })
      .where('customer_id', '=', customer.customerId)
      .execute();
    await expect(submit(manual, customer)).rejects.toMatchObject({ code: 'USER_NOT_ACTIVE' });
  });

  it('is refused after five in a day, with the time to wait', async () => {
    const customer = await aCustomer(engine, vault, manual);
    for (let n = 0; n < 5; n += 1) await decide(await submit(manual, customer), rejected);
    const sixth = submit(manual, customer);
    await expect(sixth).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await sixth.catch((error) => expect(error.options.retryAfterSeconds).toBeGreaterThan(86_000));
  });
});

describe('acceptance', () => {
  it('renews the customer, lifts the locks it may lift, tells the partner, and is done once', async () => {
    const customer = await aCustomer(engine, vault, manual);
    const lock = (reason: LockReason, origin: 'SYSTEM' | 'OPERATOR') =>
      asEngine((trx) => addTransactionalLock(trx, customer, { reason, origin }));
    await lock('DOCUMENT_EXPIRED', 'SYSTEM');
    await lock('NAGATIVE_VERIFICATION', 'OPERATOR');
    const verification = await submit(manual, customer, aForm({ riskLevel: 'MEDIUM' }));
    await decide(verification, accepted);
    await decide(verification, rejected);
    expect(await read(customer)).toMatchObject({
      kyc: 'SUCCESS',
      riskLevel: 'MEDIUM',
      pep: false,
      documentExpirationDate: '2035-01-30',
      transactionalLocks: 1,
    });
    expect(await asEngine((trx) => readVerification(trx, 'every', verification))).toMatchObject({
      status: 'ACCEPTED',
      stage: 'CLOSED',
    });
    expect((await outboxOf(verification.verificationId)).map((row) => row.kind)).toEqual([
      'verificationInProgress',
      'verificationAccepted',
    ]);
    const address = await owner
      .selectFrom('customer_addresses')
      .select('type')
      .where('customer_id', '=', customer.customerId)
      .execute();
    expect(address).toEqual([{ type: 'RESIDENCE' }]);
  });

  it('of a declared PEP marks the customer and makes the risk HIGH', async () => {
    const customer = await aCustomer(engine, vault, manual);
    await decide(await submit(manual, customer, aForm({ pep: true })), byPerson);
    expect(await read(customer)).toMatchObject({ pep: true, riskLevel: 'HIGH' });
  });

  it.each<[string, { pep?: boolean; risk_level?: RiskLevel }]>([
    ['a politically exposed person', { pep: true }],
    ['somebody of high risk', { risk_level: 'HIGH' }],
  ])('is not the provider’s to give to %s, whatever the form says', async (_name, marks) => {
    const customer = await aCustomer(engine, vault, manual);
    await mark(customer, marks);
    const verification = await submit(manual, customer, aForm());
    expect(await decide(verification, accepted)).toBe('REFERRED');
    expect(await asEngine((trx) => readVerification(trx, 'every', verification))).toMatchObject({
      status: 'IN_PROGRESS',
    });
    expect(await read(customer)).toMatchObject({ kyc: 'IN_PROGRESS' });
  });

  it('is not the provider’s to give while a hit is open or a sanction confirmed', async () => {
    const customer = await aCustomer(engine, vault, manual);
    const verification = await submit(manual, customer, aForm());
    const about = { partnerId: customer.partnerId, verificationId: null };
    const subject = customerSubject(customer.customerId);
    await asEngine((trx) =>
      recordHits(trx, subject, about, [{ listCode: 'EU', entryId: 'e-1', score: 1, fingerprint: 'f-1' }]),
    );
    const hitIs = (state: 'CONFIRMED' | 'FALSE_POSITIVE') =>
      owner.updateTable('screening_hits').set({ state }).where('subject_ref', '=', subject.ref).execute();
    expect(await decide(verification, accepted)).toBe('REFERRED');
    await hitIs('CONFIRMED');
    expect(await decide(verification, accepted)).toBe('REFERRED');
    await hitIs('FALSE_POSITIVE');
    expect(await decide(verification, accepted)).toBe('APPLIED');
  });

  it('lowers neither risk nor the mark of exposure, unless a person has edited the form so', async () => {
    const medium = await aCustomer(engine, vault, manual);
    await mark(medium, { risk_level: 'MEDIUM' });
    await decide(await submit(manual, medium, aForm()), accepted);
    expect(await read(medium)).toMatchObject({ kyc: 'SUCCESS', riskLevel: 'MEDIUM' });

    const exposed = await aCustomer(engine, vault, manual);
    await mark(exposed, { pep: true, risk_level: 'HIGH' });
    await decide(await submit(manual, exposed, aForm()), byPerson);
    expect(await read(exposed)).toMatchObject({ kyc: 'SUCCESS', riskLevel: 'HIGH', pep: true });

    const again = await submit(manual, exposed, aForm());
    const { form, flags, documentExpirationDate, verificationId } = again;
    const edited = { version: 1, form, flags, documentExpirationDate, riskLevel: 'LOW', pep: false } as const;
    await asEngine((trx) => editVerification(trx, 'every', verificationId, edited));
    await decide(again, byPerson);
    expect(await read(exposed)).toMatchObject({ riskLevel: 'LOW', pep: false });
  });

  it('is refused with an open hit, an old document, or before review', async () => {
    const customer = await aCustomer(engine, vault, manual);
    const old = await submit(manual, customer, aForm({ documentExpirationDate: '2001-01-01' }));
    const code = async () => {
      const verification = await asEngine((trx) => readVerification(trx, 'every', old));
      return await asEngine((trx) => refuseAcceptance(trx, verification)).catch((error) => error.code);
    };
    expect(await code()).toBe('STATE_CONFLICT');
    await asEngine((trx) => setStage(trx, old.verificationId, 'REVIEW'));
    expect(await code()).toBe('DOCUMENT_EXPIRED');
    await asEngine((trx) =>
      recordHits(
        trx,
        customerSubject(customer.customerId),
        { partnerId: customer.partnerId, verificationId: old.verificationId },
        [{ listCode: 'EU', entryId: 'e-1', score: 0.95, fingerprint: 'f-1' }],
      ),
    );
    expect(await code()).toBe('SCREENING_HIT_OPEN');
    expect(await asEngine((trx) => hitSummary(trx, customerSubject(customer.customerId)))).toEqual({
      open: true,
      sanction: true,
      sanctionConfirmed: false,
      pepConfirmed: false,
    });
  });
});

describe('rejection', () => {
  it('fails kyc, and a new form starts a new verification', async () => {
    const customer = await aCustomer(engine, vault, manual);
    const first = await submit(manual, customer);
    await decide(first, rejected);
    expect(await read(customer)).toMatchObject({ kyc: 'FAILED', transactionalLocks: 0 });
    const second = await submit(manual, customer);
    expect(second.verificationId).not.toBe(first.verificationId);
    const list = await asEngine((trx) =>
      listVerifications(trx, customer.customerId, { limit: 5, beforeId: null }),
    );
    expect(list.map((one) => [one.status, one.reason])).toEqual([
      ['IN_PROGRESS', null],
      ['REJECTED', 'INVALID_SELFIE'],
    ]);
  });

  it('of a customer who had passed leaves kyc SUCCESS and locks', async () => {
    const customer = await aCustomer(engine, vault, manual);
    await decide(await submit(manual, customer), accepted);
    const again = await submit(manual, customer);
    expect(await read(customer)).toMatchObject({ kyc: 'SUCCESS' });
    await decide(again, rejected);
    expect(await read(customer)).toMatchObject({ kyc: 'SUCCESS', transactionalLocks: 1 });
    const reasons = await asEngine((trx) => lockReasonsOf(trx, [customer.customerId]));
    expect(reasons.get(customer.customerId)).toEqual(['NAGATIVE_VERIFICATION']);
  });

  it('of a deleted customer changes the verification alone and tells nobody', async () => {
    const customer = await aCustomer(engine, vault, manual);
    const verification = await submit(manual, customer);
    await owner
      .updateTable('customers')
      .set({ state: 'DELETED' })
      .where('customer_id', '=', customer.customerId)
      .execute();
    await decide(verification, { ...rejected, notify: false });
    expect(await read(customer)).toMatchObject({ kyc: 'IN_PROGRESS', state: 'DELETED' });
    expect((await outboxOf(verification.verificationId)).map((row) => row.kind)).toEqual([
      'verificationInProgress',
    ]);
  });
});

describe("a provider's event", () => {
  const take = (event: Parameters<typeof takeProviderEvent>[1]) =>
    asEngine((trx) => takeProviderEvent(trx, event));

  it('asks for one signal, however often it comes, and for none that does not belong', async () => {
    const automatic = await aProgramme(owner, { kyc_mode: 'AUTOMATIC', kyc_provider: 'simulator' });
    const customer = await aCustomer(engine, vault, automatic);
    const { verificationId: externalId } = await submit(automatic, customer);
    await asEngine((trx) => noteProvider(trx, externalId, { applicantId: 'ap-1', checkId: 'ch-1' }));
    const event = { providerCode: 'simulator', eventId: 'ev-1', checkId: 'ch-1', externalId };
    expect(await take(event)).toBe('TAKEN');
    expect(await take(event)).toBe('IGNORED');
    expect(await take({ ...event, eventId: 'ev-2', checkId: 'ch-9' })).toBe('IGNORED');
    expect(await take({ ...event, eventId: 'ev-3', providerCode: 'other' })).toBe('IGNORED');
    expect(await take({ ...event, eventId: 'ev-4', externalId: newIdAt(new Date()) })).toBe('IGNORED');
    expect((await outboxOf(`customer-verification:${externalId}`)).map((row) => row.kind)).toEqual([
      'customer-verification',
      'provider-result',
    ]);
  });
});

describe('reading', () => {
  it("does not find another customer's or another partner's verification", async () => {
    const customer = await aCustomer(engine, vault, manual);
    const { verificationId } = await submit(manual, customer);
    const stranger = await aProgramme(owner);
    const find = (partnerId: number, customerId: number) =>
      atomically(app, partnerCaller(partnerId), (trx) =>
        findVerification(trx, [manual.programmeId], { verificationId, customerId }),
      );
    expect(await find(manual.partnerId, customer.customerId)).toBeDefined();
    expect(await find(manual.partnerId, customer.customerId + 1)).toBeUndefined();
    expect(await find(stranger.partnerId, customer.customerId)).toBeUndefined();
  });

  it('lists what waits for a person', async () => {
    const customer = await aCustomer(engine, vault, manual);
    const { verificationId } = await submit(manual, customer);
    const waiting = async () =>
      (await asEngine((trx) => verificationsInReview(trx, 1000))).map((one) => one.verificationId);
    expect(await waiting()).not.toContain(verificationId);
    await asEngine((trx) => setStage(trx, verificationId, 'REVIEW'));
    expect(await waiting()).toContain(verificationId);
  });
});
