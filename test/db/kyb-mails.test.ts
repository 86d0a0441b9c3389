import type { Kysely } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createMailClient } from '../../activities/messaging/client.ts';
import { emailIndex } from '../../api/personal-data.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { lockKybApplication } from '../../db/kyb-applications.ts';
import { queueKybMail } from '../../db/kyb-mails.ts';
import { addKybComment, applyKybCommand, type SealText } from '../../db/kyb-reviews.ts';
import { findKybToken, requestKybLinks } from '../../db/kyb-tokens.ts';
import { KYB_SECTIONS, type KybCommand } from '../../domain/kyb-application.ts';
import { type Inbox, startInbox } from '../../simulators/inbox/start.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import { tokenHashes } from '../../vault/session-token.ts';
import { createKybMails } from '../../worker/kyb-mails.ts';
import { startMailRelay } from '../../worker/mail-relay.ts';
import { aProgramme, connect, engineCaller } from '../support/customers.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { aContactSection, aDraft, fillDraft, type KybWorld, submitDraft } from '../support/kyb-rows.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
const logger = pino({ level: 'silent' });
let fresh: FreshDatabase;
let owner: Kysely<Database>;
let engine: Kysely<Database>;
let world: KybWorld;
let inbox: Inbox;
let relay: ReturnType<typeof startMailRelay>;

beforeAll(async () => {
  fresh = await freshDatabase();
  owner = connect(fresh.ownerUrl);
  engine = connect(fresh.engineUrl);
  world = { engine, vault, programme: await aProgramme(owner) };
  inbox = await startInbox({ logger });
  relay = startMailRelay({
    engine,
    vault,
    mail: createMailClient({ smtpUrl: inbox.smtpUrl, from: 'cardloom@bank.test' }),
    addressOf: async () => null,
    renderKyb: createKybMails({ engine, vault, publicUrl: 'https://cards.bank.test' }),
    logger,
    lookMs: 20,
  });
});
afterAll(async () => {
  await relay.stop();
  await inbox.stop();
  await Promise.all([owner, engine].map((db) => db.destroy()));
  await fresh.drop();
});

const inOneCommit = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(engine, engineCaller, work);

interface Mailed {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** The mails of an address, once there are `count`, oldest first. */
async function mailsTo(address: string, count: number): Promise<Mailed[]> {
  return await vi.waitFor(
    async () => {
      const answer = await fetch(`${inbox.url}/messages`);
      const all = ((await answer.json()) as { items: Mailed[] }).items;
      const mine = all.filter((one) => one.to === address);
      expect(mine.length).toBeGreaterThanOrEqual(count);
      return mine;
    },
    { timeout: 10_000, interval: 50 },
  );
}

const tokenIn = (mail: Mailed | undefined): string =>
  /https:\/\/cards\.bank\.test\/kyb\/resume\?token=([^\s&]+)/.exec(mail?.text ?? '')?.[1] ?? '';

const opens = async (token: string) =>
  await inOneCommit((trx) => findKybToken(trx, tokenHashes(vault, 'kyb', token)));

describe('a mail to the applicant', () => {
  it('carries a link that opens the application; nothing of it waited in the outbox', async () => {
    const contact = aContactSection();
    const application = await aDraft(world, contact);
    const { applicationId } = application;
    await inOneCommit(async (trx) => {
      await queueKybMail(trx, application, { applicationId, mail: 'started' }, '1');
      await queueKybMail(trx, application, { applicationId, mail: 'started' }, '1');
      const rows = await trx.selectFrom('outbox').select('data').where('kind', '=', 'kyb').execute();
      expect(rows).toEqual([{ data: { to: '', facts: { applicationId, mail: 'started' } } }]);
    });
    const [mail, ...more] = await mailsTo(contact.contactEmail, 1);
    expect(more).toEqual([]);
    expect(mail?.text).toContain('Dear Ada Nowak');
    expect(await opens(tokenIn(mail))).toMatchObject({ application: { applicationId }, expired: false });
  });

  it('asked for again ends the older links, and only of that address', async () => {
    const [contact, other] = [aContactSection(), aContactSection()];
    const [mine, yours] = [await aDraft(world, contact), await aDraft(world, other)];
    for (const one of [mine, yours]) {
      const { applicationId } = one;
      await inOneCommit((trx) => queueKybMail(trx, one, { applicationId, mail: 'started' }));
    }
    const first = tokenIn((await mailsTo(contact.contactEmail, 1))[0]);
    const theirs = tokenIn((await mailsTo(other.contactEmail, 1))[0]);
    await inOneCommit((trx) => requestKybLinks(trx, [emailIndex(vault, contact.contactEmail)]));
    expect(await opens(first)).toBeUndefined();
    const mails = await mailsTo(contact.contactEmail, 2);
    const fresher = mails.map(tokenIn).find((one) => one !== first) ?? '';
    expect(await opens(fresher)).toMatchObject({ application: { applicationId: mine.applicationId } });
    expect(await opens(theirs)).toMatchObject({ application: { applicationId: yours.applicationId } });
  });

  it('tells a comment, what is to be corrected, and the reason of a rejection, which has no link', async () => {
    const contact = aContactSection();
    const application = await aDraft(world, contact);
    const { applicationId, subjectKey } = application;
    await fillDraft(world, application);
    await submitDraft(world, application);
    const seal: SealText = (place, text) => sealPersonal(vault, subjectKey, place, text);
    let key = 0;
    const command = (asked: KybCommand) =>
      inOneCommit((trx) => applyKybCommand(trx, applicationId, asked, { key: String((key += 1)), seal }));
    await inOneCommit(async (trx) =>
      addKybComment(
        trx,
        await lockKybApplication(trx, 'every', applicationId),
        { text: 'Which registry?', operatorId: 'ada' },
        seal,
      ),
    );
    expect((await mailsTo(contact.contactEmail, 1))[0]?.text).toContain('Which registry?');
    const operatorId = 'ada';
    await command({
      action: 'reviewSection',
      section: 'ENTITY',
      result: 'NEEDS_CORRECTION',
      comment: 'Which name?',
      operatorId,
    });
    await command({ action: 'requestCorrection', operatorId });
    const corrected = (await mailsTo(contact.contactEmail, 3)).find((one) => one.text.includes('correct'));
    expect(corrected?.text).toContain('ENTITY');
    expect(corrected?.text).not.toContain('PERSONS');
    await command({ action: 'reject', reason: 'No licence for this.', operatorId });
    const rejected = (await mailsTo(contact.contactEmail, 4)).find((one) => one.text.includes('No licence'));
    expect(rejected?.subject).toContain('not accepted');
    expect(tokenIn(rejected)).toBe('');
    await inOneCommit((trx) => requestKybLinks(trx, [emailIndex(vault, contact.contactEmail)]));
    const waiting = await owner.selectFrom('outbox').select('id').where('kind', '=', 'kyb').execute();
    expect(waiting).toEqual([]);
  });

  it('brings the framework agreement with the acceptance', async () => {
    const contact = aContactSection();
    const application = await aDraft(world, contact);
    const { applicationId, subjectKey } = application;
    await fillDraft(world, application);
    await submitDraft(world, application);
    const seal: SealText = (place, text) => sealPersonal(vault, subjectKey, place, text);
    const operatorId = 'ada';
    const asked: KybCommand[] = [
      ...KYB_SECTIONS.map((section) => ({
        action: 'reviewSection' as const,
        section,
        result: 'VERIFIED' as const,
        operatorId,
      })),
      { action: 'accept', operatorId },
    ];
    for (const [at, one] of asked.entries()) {
      await inOneCommit((trx) => applyKybCommand(trx, applicationId, one, { key: String(at), seal }));
    }
    const [mail] = await mailsTo(contact.contactEmail, 1);
    expect(mail?.text).toContain('FRAMEWORK AGREEMENT');
    expect(tokenIn(mail)).toBe('');
  });
});
