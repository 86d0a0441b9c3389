import { sql } from 'kysely';
import { pino } from 'pino';
import { SMTPServer } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMailClient } from '../../activities/messaging/client.ts';
import { atomically } from '../../db/atomically.ts';
import { claimMails } from '../../db/messages.ts';
import { putAlert, sweepAlerts } from '../../db/partner-balance-alerts.ts';
import type { Programme } from '../../db/partners.ts';
import { type Inbox, startInbox } from '../../simulators/inbox/start.ts';
import { startMailRelay } from '../../worker/mail-relay.ts';
import { testVault } from '../support/vault.ts';
import { type CardTraffic, openCardTraffic, type TestCard } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { SYSTEM } from '../support/held-transaction.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let inbox: Inbox;
const logger = pino({ level: 'silent' });

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  inbox = await startInbox({ logger });
});
afterAll(async () => {
  await inbox.stop();
  await traffic.end();
  await database.drop();
});

let programme: Programme;
let card: TestCard;
let balanceId: string;

/** A credit balance of 1000, and a user's balance to spend it on. */
beforeEach(async () => {
  programme = await traffic.programme({ funding: 'credit', prefund: 1_000 });
  card = await traffic.card(programme, 0);
  ({ partner_balance_id: balanceId } = await traffic.owner
    .selectFrom('partner_balances')
    .select('partner_balance_id')
    .where('programme_id', '=', programme.programmeId)
    .where('kind', '=', 'credit')
    .executeTakeFirstOrThrow());
});
afterEach(async () => {
  await fetch(`${inbox.url}/messages`, { method: 'DELETE' });
  await sql`delete from partner_balance_alerts`.execute(traffic.owner);
  await sql`delete from outbox`.execute(traffic.owner);
  await sql`delete from clock_offset`.execute(traffic.owner);
});

const set = (changes: Partial<Parameters<typeof putAlert>[2]> = {}) =>
  atomically(traffic.engine, SYSTEM, (trx) =>
    putAlert(
      trx,
      { partnerBalanceId: balanceId, partnerId: programme.partnerId },
      {
        threshold: 500,
        rearmLevel: 550,
        emails: ['one@bank.test', 'two@bank.test'],
        enabled: true,
        ...changes,
      },
    ),
  );

const spend = async (amount: number) => {
  expect(await traffic.topUp(programme, card.balanceId, amount)).toMatchObject({ posted: true });
};

/** Sets the value without the book-keeping that other tests are about. */
const refill = (posted: number) =>
  sql`update partner_balances set posted = ${posted} where partner_balance_id = ${balanceId}`.execute(
    traffic.owner,
  );

const sweep = () => sweepAlerts(traffic.engine);

const later = (hours: number) =>
  sql`insert into clock_offset (offset_by) values (make_interval(secs => ${hours * 3_600}))
    on conflict (only_row) do update set offset_by = excluded.offset_by`.execute(traffic.owner);

const waiting = () =>
  traffic.owner.selectFrom('outbox').selectAll().where('destination', '=', 'message').orderBy('id').execute();

interface Mailed {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

async function inInbox(): Promise<Mailed[]> {
  const answer = await fetch(`${inbox.url}/messages`);
  return ((await answer.json()) as { items: Mailed[] }).items;
}

/** Starts a mail relay as a worker has it. */
const relay = (smtpUrl = inbox.smtpUrl) =>
  startMailRelay({
    renderKyb: async () => null,
    engine: traffic.engine,
    vault: testVault(),
    mail: createMailClient({ smtpUrl, from: 'cardloom@bank.test' }),
    addressOf: async () => null,
    logger,
    lookMs: 20,
  });

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 250; look += 1) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come to that');
}

/** Sends what waits and gives subjects and addresses, in the order of the addresses. */
async function mailed(): Promise<string[]> {
  const sender = relay();
  await until(async () => (await waiting()).length === 0);
  await sender.stop();
  const mails = (await inInbox()).map(({ to, subject }) => `${to} ${subject.split(':')[0]}`).toSorted();
  await fetch(`${inbox.url}/messages`, { method: 'DELETE' });
  return mails;
}

const audits = async () =>
  (
    await traffic.owner
      .selectFrom('audit_log')
      .select(['action', 'after', 'actor_type', 'partner_id'])
      .where('object_id', '=', balanceId)
      .where('action', 'in', ['partner_balance.low', 'partner_balance.recovered'])
      .orderBy('id')
      .execute()
  ).map((row) => [row.action, row.after?.['step'], row.actor_type, row.partner_id]);

describe('an alert on a partner balance', () => {
  it('mails every address once when the balance falls below, with all that the chapter names', async () => {
    await set();
    await spend(500);
    expect(await sweep()).toBe(0);
    await spend(1);
    expect(await sweep()).toBe(1);
    expect(await sweep()).toBe(0);
    const sender = relay();
    await until(async () => (await inInbox()).length === 2);
    await sender.stop();
    const mails = await inInbox();
    expect(mails.map(({ to }) => to).toSorted()).toEqual(['one@bank.test', 'two@bank.test']);
    for (const { subject, text } of mails) {
      expect(subject).toBe(`Low: credit balance EUR of ${await nameOf()}`);
      expect(text).toMatch(/Value: 4\.99 EUR\s+Threshold: 5\.00 EUR\s+Time: \d{4}-\d\d-\d\dT[\d:.]+Z/);
    }
    expect(await audits()).toEqual([['partner_balance.low', 'FIRE', 'SYSTEM', programme.partnerId]]);
  });

  it('stays silent between threshold and rearm level, mails the recovery, and fires again', async () => {
    await set();
    await refill(499);
    await sweep();
    expect(await mailed()).toEqual(['one@bank.test Low', 'two@bank.test Low']);
    for (const value of [500, 549, 400, 549]) {
      await refill(value);
      expect(await sweep()).toBe(0);
    }
    await refill(550);
    expect(await sweep()).toBe(1);
    expect(await mailed()).toEqual(['one@bank.test Recovered', 'two@bank.test Recovered']);
    await refill(500);
    expect(await sweep()).toBe(0);
    await refill(499);
    expect(await sweep()).toBe(1);
    expect((await audits()).map(([, step]) => step)).toEqual(['FIRE', 'REARM', 'FIRE']);
  });

  it('reminds every 24 hours of the database clock while the balance is low', async () => {
    await set({ emails: ['one@bank.test'] });
    await refill(499);
    await sweep();
    expect(await mailed()).toEqual(['one@bank.test Low']);
    await later(23.9);
    expect(await sweep()).toBe(0);
    await later(24.1);
    expect([await sweep(), await sweep()]).toEqual([1, 0]);
    expect(await mailed()).toEqual(['one@bank.test Still low']);
    await later(48);
    expect(await sweep()).toBe(0);
    await later(48.2);
    expect(await sweep()).toBe(1);
    expect((await audits()).map(([, step]) => step)).toEqual(['FIRE', 'REMIND', 'REMIND']);
  });

  it('is taken by one of many that look at once, and mailed by one of many relays', async () => {
    await set();
    await refill(1);
    const taken = await Promise.all(Array.from({ length: 4 }, sweep));
    expect(taken.toSorted()).toEqual([0, 0, 0, 1]);
    expect(await waiting()).toHaveLength(2);
    const relays = [relay(), relay(), relay()];
    await until(async () => (await waiting()).length === 0);
    await Promise.all(relays.map((one) => one.stop()));
    expect(await inInbox()).toHaveLength(2);
  });

  it('does nothing while it is off, and starts anew when it is switched on', async () => {
    await set();
    await refill(1);
    await sweep();
    await set({ enabled: false });
    await later(30);
    expect(await sweep()).toBe(0);
    await set();
    expect(await sweep()).toBe(1);
    expect((await audits()).map(([, step]) => step)).toEqual(['FIRE', 'FIRE']);
  });

  it('keeps its state over new figures, which the next look decides by', async () => {
    await set();
    await refill(499);
    await sweep();
    await set({ threshold: 600, rearmLevel: 700 });
    expect(await sweep()).toBe(0);
    await set({ threshold: 100, rearmLevel: 110 });
    expect(await sweep()).toBe(1);
    expect((await audits()).map(([action]) => action)).toEqual([
      'partner_balance.low',
      'partner_balance.recovered',
    ]);
  });

  it('changed while somebody looks is looked at again: one step for one version', async () => {
    await set();
    await refill(1);
    const [taken] = await Promise.all([sweep(), set({ threshold: 600, rearmLevel: 660 })]);
    expect(taken + (await sweep())).toBe(1);
  });

  const nameOf = async () =>
    (
      await traffic.owner
        .selectFrom('programmes')
        .select('name')
        .where('programme_id', '=', programme.programmeId)
        .executeTakeFirstOrThrow()
    ).name;
});

describe('the mail relay', () => {
  const queueOne = async () => {
    await set({ emails: ['one@bank.test'] });
    await refill(1);
    await sweep();
  };
  const makeDue = () => sql`update outbox set not_before = null`.execute(traffic.owner);

  it('keeps mails while the mail server is away, without end, and sends them when it is back', async () => {
    await queueOne();
    const away = relay('smtp://localhost:9');
    for (let round = 0; round < 7; round += 1) {
      await until(async () => (await waiting()).every((row) => row.not_before !== null));
      expect(await waiting()).toMatchObject([{ failures: 0 }]);
      await makeDue();
    }
    await away.stop();
    await makeDue();
    expect(await mailed()).toEqual(['one@bank.test Low']);
  });

  it('gives a mail up that the server refuses five times, and tells of it', async () => {
    const refusing = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, done) =>
        done(Object.assign(new Error('no such user'), { responseCode: 550 })),
    });
    refusing.on('error', () => undefined);
    await new Promise<void>((listening) => refusing.listen(0, '127.0.0.1', () => listening()));
    const { port } = refusing.server.address() as { port: number };
    await queueOne();
    const sender = relay(`smtp://127.0.0.1:${port}`);
    for (let failures = 1; failures <= 5; failures += 1) {
      await until(async () => (await waiting())[0]?.failures === failures);
      await makeDue();
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    await sender.stop();
    await new Promise<void>((closed) => refusing.close(() => closed()));
    const rows = await waiting();
    expect(rows).toMatchObject([{ failures: 5 }]);
    const exceptions = await traffic.owner
      .selectFrom('exceptions')
      .selectAll()
      .where('record_id', '=', String(rows[0]?.id))
      .execute();
    expect(exceptions).toMatchObject([
      { kind: 'RELAY_POISON', severity: 'CRITICAL', values: { template: 'partnerBalanceLow' } },
    ]);
  });

  it('sends a mail again whose sender died with it, after two minutes', async () => {
    await queueOne();
    expect(await claimMails(traffic.engine)).toHaveLength(1);
    const sender = relay();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await inInbox()).toEqual([]);
    await later(0.04);
    await until(async () => (await inInbox()).length === 1);
    await sender.stop();
  });

  it('sends the mails of one alert in order', async () => {
    await queueOne();
    await refill(900);
    await sweep();
    expect(await waiting()).toHaveLength(2);
    const sender = relay();
    await until(async () => (await waiting()).length === 0);
    await sender.stop();
    const subjects = (await inInbox()).map(({ subject }) => subject.split(':')[0]);
    expect(subjects).toEqual(['Recovered', 'Low']);
  });
});
