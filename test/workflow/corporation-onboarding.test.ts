import type { WorkflowHandle } from '@temporalio/client';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCompanyRegistryActivities } from '../../activities/company-registry/companies.ts';
import { createKybActivities } from '../../activities/database/kyb-applications.ts';
import { changeSection } from '../../api/kyb/change-section.ts';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { type KybApplication, kybTextPlace, lockKybApplication } from '../../db/kyb-applications.ts';
import type { Programme } from '../../db/partners.ts';
import type { EntitySection } from '../../domain/kyb-form.ts';
import { entityBody } from '../../api/schemas/kyb-sections.ts';
import { KYB_SECTIONS, type KybCommand, type KybTimings, kybTimings } from '../../domain/kyb-application.ts';
import { normalizeName } from '../../domain/screening.ts';
import { commandKyb } from '../../temporal/kyb.ts';
import {
  type corporationOnboarding,
  state,
  submitted,
  touched,
} from '../../workflows/corporation-onboarding.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import { aProgramme, connect, engineCaller } from '../support/customers.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { anEntity } from '../support/kyb.ts';
import { aDraft, fillDraft, type KybWorld, storedKyb, submitDraft } from '../support/kyb-rows.ts';
import { testVault } from '../support/vault.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

const vault = testVault();
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let worker: RunningWorker;
let world: KybWorld;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  world = { engine, vault, programme: await aProgramme(owner) };
  worker = await startWorkflowWorker({
    ...createKybActivities({ db: engine, vault }),
    ...createCompanyRegistryActivities({ db: engine, vault, companyRegistry: null }),
  });
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

type Handle = WorkflowHandle<typeof corporationOnboarding>;

const start = (application: KybApplication, timings: Partial<KybTimings> = {}): Promise<Handle> =>
  worker.client.workflow.start<typeof corporationOnboarding>('corporationOnboarding', {
    taskQueue: worker.taskQueue,
    workflowId: `corporation-onboarding:${application.applicationId}`,
    args: [{ applicationId: application.applicationId, timings: kybTimings(timings) }],
  });

/** What the relay does with the row that a submission leaves. */
async function submitAndTell(application: KybApplication, handle: Handle): Promise<void> {
  const { round } = await submitDraft(world, application);
  await handle.signal(submitted, { round });
}

const untilStatus = (handle: Handle, status: string) =>
  vi.waitFor(async () => expect((await handle.query(state)).status).toBe(status), {
    timeout: 10_000,
    interval: 30,
  });

/** Mails asked for, in order. */
async function mailsOf({ applicationId }: KybApplication): Promise<string[]> {
  const rows = await owner
    .selectFrom('outbox')
    .select('data')
    .where('kind', '=', 'kyb')
    .where('subject_id', '=', applicationId)
    .orderBy('id')
    .execute();
  return rows.map((row) => (row.data as { facts: { mail: string } }).facts.mail);
}

const untilMails = (application: KybApplication, mails: readonly string[]) =>
  vi.waitFor(async () => expect(await mailsOf(application)).toEqual(mails), { timeout: 10_000 });

let updates = 0;
type Asked = KybCommand extends infer C ? (C extends KybCommand ? Omit<C, 'operatorId'> : never) : never;

function ask(application: KybApplication, command: Asked, updateId?: string) {
  updates += 1;
  const whole = { operatorId: 'operator-1', ...command } as KybCommand;
  return commandKyb(
    { client: worker.client },
    application.applicationId,
    whole,
    updateId ?? `update-${updates}`,
  );
}

async function verifyAll(application: KybApplication): Promise<void> {
  for (const section of KYB_SECTIONS) {
    expect(await ask(application, { action: 'reviewSection', section, result: 'VERIFIED' })).toEqual({
      outcome: 'DONE',
      status: 'IN_REVIEW',
    });
  }
}

/** An application that was sent in and screened: mail 2 is asked for. */
async function inReview(filling: Parameters<typeof fillDraft>[2] = {}, timings: Partial<KybTimings> = {}) {
  const application = await aDraft(world);
  await fillDraft(world, application, filling);
  const handle = await start(application, timings);
  await submitAndTell(application, handle);
  await untilMails(application, ['started', 'submitted']);
  await untilStatus(handle, 'SUBMITTED');
  return { application, handle };
}

const refused = (reason: string) => ({ outcome: 'REFUSED', reason });

describe('a draft', () => {
  it('is mailed a link, reminded, and expires when nobody touches it', async () => {
    const application = await aDraft(world);
    const handle = await start(application, { reminderMs: [300, 600], draftMs: 900 });
    expect(await handle.result()).toMatchObject({ status: 'EXPIRED' });
    expect(await mailsOf(application)).toEqual(['started', 'reminder', 'reminder']);
    expect(await storedKyb(world, application.applicationId)).toMatchObject({ status: 'EXPIRED' });
    await expect(submitDraft(world, application)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });

  it('of an operator is an invitation', async () => {
    const application = await aDraft(world, undefined, 'ADMIN');
    const handle = await start(application);
    await untilMails(application, ['invitation']);
    await handle.terminate();
  });

  it('lives on while it is touched, by the word of the database even when no signal came', async () => {
    const application = await aDraft(world);
    const handle = await start(application, { reminderMs: [], draftMs: 1_500 });
    await new Promise((resolve) => setTimeout(resolve, 900));
    await engine
      .updateTable('kyb_applications')
      .set({ touched_at: new Date() })
      .where('application_id', '=', application.applicationId)
      .execute();
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(await handle.query(state)).toMatchObject({ status: 'DRAFT' });
    await handle.signal(touched, {});
    expect(await handle.result()).toMatchObject({ status: 'EXPIRED' });
  });
});

describe('a review', () => {
  it('accepts when all five sections are verified', async () => {
    const { application, handle } = await inReview();
    expect(await ask(application, { action: 'accept' })).toEqual(refused('STATE_CONFLICT'));
    await ask(application, { action: 'reviewSection', section: 'ENTITY', result: 'VERIFIED' });
    expect(await ask(application, { action: 'accept' })).toEqual(refused('SECTIONS_NOT_VERIFIED'));
    await verifyAll(application);
    expect(await ask(application, { action: 'accept', note: 'clean' })).toEqual({
      outcome: 'DONE',
      status: 'ACCEPTED',
    });
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
    expect(await mailsOf(application)).toEqual(['started', 'submitted', 'accepted']);
    expect(await ask(application, { action: 'reject', reason: 'late' })).toEqual({ outcome: 'NOT_RUNNING' });
    const audited = await owner
      .selectFrom('audit_log')
      .select(['action', 'actor_type', 'actor_id'])
      .where('object_id', '=', application.applicationId)
      .where('action', '=', 'kyb.accepted')
      .execute();
    expect(audited).toEqual([{ action: 'kyb.accepted', actor_type: 'OPERATOR', actor_id: 'operator-1' }]);
  });

  it('rejects with a reason, which is kept sealed', async () => {
    const { application, handle } = await inReview();
    expect(await ask(application, { action: 'reject', reason: ' ' })).toEqual(refused('REASON_REQUIRED'));
    await ask(application, { action: 'reject', reason: 'Zofia has no licence' });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
    expect(await mailsOf(application)).toEqual(['started', 'submitted', 'rejected']);
    const stored = await storedKyb(world, application.applicationId);
    expect(stored.reason?.includes('Zofia')).toBe(false);
    const reason = openPersonal(
      vault,
      stored.subjectKey,
      kybTextPlace(application.applicationId, 'reason'),
      stored.reason ?? Buffer.alloc(0),
    );
    expect(reason).toBe('Zofia has no licence');
  });

  it('sends marked sections back, and takes them again when each of them was changed', async () => {
    const { application, handle } = await inReview();
    const mark = { action: 'reviewSection', section: 'ENTITY', result: 'NEEDS_CORRECTION' } as const;
    expect(await ask(application, mark)).toEqual(refused('COMMENT_REQUIRED'));
    expect(await ask(application, { action: 'requestCorrection' })).toEqual(refused('STATE_CONFLICT'));
    await ask(application, { ...mark, comment: 'Which name?' });
    expect(await ask(application, { action: 'requestCorrection' })).toEqual({
      outcome: 'DONE',
      status: 'NEEDS_CORRECTION',
    });
    await expect(submitDraft(world, application)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await change(application, entityBody.parse(anEntity({ name: 'Polna Works II' })));
    await submitAndTell(application, handle);
    await untilStatus(handle, 'SUBMITTED');
    const mails = ['started', 'submitted', 'comment', 'correction', 'submitted'];
    await untilMails(application, mails);
    const { sections } = await handle.query(state);
    expect(sections.map((one) => one.state)).toEqual(KYB_SECTIONS.map(() => 'PENDING'));
    await ask(application, { action: 'reject', reason: 'enough' });
    await handle.result();
  });

  it('puts a correction that never comes on hold; resumed it is in review again', async () => {
    const { application, handle } = await inReview({}, { correctionMs: 500 });
    const mark = { action: 'reviewSection', section: 'PERSONS', result: 'NEEDS_CORRECTION' } as const;
    await ask(application, { ...mark, comment: 'Who?' });
    await ask(application, { action: 'requestCorrection' });
    await untilStatus(handle, 'ON_HOLD');
    expect(await ask(application, mark)).toEqual(refused('STATE_CONFLICT'));
    expect(await ask(application, { action: 'resume' })).toEqual({ outcome: 'DONE', status: 'IN_REVIEW' });
    expect(await ask(application, { action: 'hold', reason: 'asked the registry' })).toEqual({
      outcome: 'DONE',
      status: 'ON_HOLD',
    });
    await ask(application, { action: 'reject', reason: 'no answer' });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
  });

  it('does one command once, however often its update is sent', async () => {
    const { application, handle } = await inReview();
    const mark = { action: 'reviewSection', section: 'CONTACT', result: 'VERIFIED' } as const;
    await ask(application, mark, 'same');
    await ask(application, mark, 'same');
    const rows = await owner
      .selectFrom('kyb_reviews')
      .select(['action', 'section', 'result', 'operator'])
      .where('application_id', '=', application.applicationId)
      .execute();
    expect(rows).toEqual([
      { action: 'reviewSection', section: 'CONTACT', result: 'VERIFIED', operator: 'operator-1' },
    ]);
    await handle.terminate();
  });

  it('reminds Admins and Managers, and nobody else', async () => {
    const { partnerId } = world.programme;
    await owner
      .insertInto('operators')
      .values(
        (['Admin', 'Manager', 'Employee'] as const).map((role) => ({
          operator_id: crypto.randomUUID(),
          partner_id: partnerId,
          email: `${role.toLowerCase()}@partner.test`,
          first_name: role,
          last_name: role,
          role,
          scope: 'PARTNER' as const,
          state: 'ACTIVE' as const,
        })),
      )
      .execute();
    const { application, handle } = await inReview({}, { reviewReminderMs: 300 });
    const reminded = async () => {
      const rows = await owner
        .selectFrom('outbox')
        .select('data')
        .where('kind', '=', 'kybWaiting')
        .where('subject_id', '=', application.applicationId)
        .execute();
      return new Set(rows.map((row) => (row.data as { to: string }).to));
    };
    await vi.waitFor(async () => expect((await reminded()).size).toBe(2), { timeout: 10_000 });
    expect(await reminded()).toEqual(new Set(['admin@partner.test', 'manager@partner.test']));
    await handle.terminate();
  });
});

describe('a programme with autoCorporation', () => {
  const accepted = async (of: KybWorld, entity: Readonly<Record<string, unknown>> = {}) => {
    const application = await aDraft(of);
    await fillDraft(of, application, { entity });
    const handle = await start(application);
    await submitAndTell(application, handle);
    await untilMails(application, ['started', 'submitted']);
    await untilStatus(handle, 'SUBMITTED');
    await verifyAll(application);
    await ask(application, { action: 'accept' });
    await handle.result();
    return await storedKyb(of, application.applicationId);
  };
  const corporationsOf = ({ programmeId }: Programme) =>
    owner
      .selectFrom('corporations')
      .select(['corporation_id', 'name', 'tax_id', 'kyb', 'state', 'kyb_application_id'])
      .where('programme_id', '=', programmeId)
      .execute();

  it('has the corporation as soon as the application is accepted; others have none', async () => {
    const programme = await aProgramme(owner);
    await owner
      .updateTable('programmes')
      .set({ auto_corporation: true })
      .where('programme_id', '=', programme.programmeId)
      .execute();
    const { applicationId } = await accepted({ ...world, programme });
    const made = await corporationsOf(programme);
    expect(made).toMatchObject([
      {
        name: 'Polna Works',
        tax_id: '5260001246',
        kyb: 'SUCCESS',
        state: 'ACTIVE',
        kyb_application_id: applicationId,
      },
    ]);
    const addresses = await owner
      .selectFrom('corporation_addresses')
      .select('type')
      .where('corporation_id', '=', made[0]?.corporation_id ?? '')
      .execute();
    expect(addresses).toEqual([{ type: 'REGISTERED' }]);
    const again = await accepted({ ...world, programme });
    expect([again.status, again.flags]).toEqual(['ACCEPTED', ['CORPORATION_EXISTS']]);
    expect(await corporationsOf(programme)).toEqual(made);
    await accepted(world, { taxId: '5260001247' });
    expect(await corporationsOf(world.programme)).toEqual([]);
  });
});

describe('screening', () => {
  const onList = (kind: 'PERSON' | 'ENTITY', name: string) =>
    owner
      .insertInto('screening_entries')
      .values({
        list_code: 'EU',
        entry_id: name,
        kind,
        normalized_names: [normalizeName(name)],
        birth_years: [],
      })
      .execute();
  const hitsOf = ({ applicationId }: KybApplication) =>
    owner
      .selectFrom('screening_hits')
      .select(['subject_type', 'entry_id'])
      .where('kyb_application_id', '=', applicationId)
      .execute();
  const decide = ({ applicationId }: KybApplication, to: 'FALSE_POSITIVE' | 'CONFIRMED') =>
    owner
      .updateTable('screening_hits')
      .set({ state: to })
      .where('kyb_application_id', '=', applicationId)
      .execute();

  it('finds company and persons; an open hit forbids acceptance, a false one does not', async () => {
    await onList('ENTITY', 'Dark Harbour Trading');
    await onList('PERSON', 'Igor Zly');
    const { application, handle } = await inReview({
      entity: { name: 'Dark Harbor Trading' },
      owner: { firstName: 'Igor', lastName: 'Zly' },
    });
    expect(await hitsOf(application)).toEqual(
      expect.arrayContaining([
        { subject_type: 'CORPORATION', entry_id: 'Dark Harbour Trading' },
        { subject_type: 'PERSON', entry_id: 'Igor Zly' },
      ]),
    );
    expect((await storedKyb(world, application.applicationId)).flags).toEqual(['SCREENING_HIT']);
    await verifyAll(application);
    expect(await ask(application, { action: 'accept' })).toEqual(refused('SCREENING_HIT_OPEN'));
    await decide(application, 'CONFIRMED');
    expect(await ask(application, { action: 'accept' })).toEqual(refused('SCREENING_HIT_OPEN'));
    await decide(application, 'FALSE_POSITIVE');
    expect(await ask(application, { action: 'accept' })).toEqual({ outcome: 'DONE', status: 'ACCEPTED' });
    await handle.result();
  });

  it('lets a company of a person declared as sanctioned only be rejected', async () => {
    const { application, handle } = await inReview({ owner: { sanctioned: true } });
    await verifyAll(application);
    expect(await ask(application, { action: 'accept' })).toEqual(refused('SCREENING_HIT_OPEN'));
    await ask(application, { action: 'reject', reason: 'sanctions' });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
  });
});

const change = ({ applicationId }: KybApplication, fields: EntitySection): Promise<unknown> =>
  atomically(engine, engineCaller, async (trx) => {
    const application = await lockKybApplication(trx, 'every', applicationId);
    return await changeSection(trx, vault, application, { section: 'ENTITY', fields });
  });
