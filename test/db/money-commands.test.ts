import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balanceCommand } from '../../cli/operate/balance.ts';
import { balanceSummaryCommand } from '../../cli/operate/balance-summary.ts';
import { limitsCommand } from '../../cli/operate/limits.ts';
import { atomically } from '../../db/atomically.ts';
import { balanceSummary } from '../../db/balance-summary.ts';
import { putCardLimits } from '../../db/limits.ts';
import type { Programme } from '../../db/partners.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { Refusal } from '../../domain/errors.ts';
import { type LimitDocument, NO_LIMITS } from '../../domain/limit.ts';
import { aCall, aPurchase, aRecord, type CardTraffic, openCardTraffic } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { SYSTEM } from '../support/held-transaction.ts';
import { openShell, type Shell } from '../support/run-command.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let shell: Shell;
let programme: Programme;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  shell = openShell(database);
  programme = await traffic.programme({ funding: 'deposit', prefund: 100_000 });
});
afterAll(async () => {
  shell.end();
  await traffic.end();
  await database.drop();
});

describe('cardloom limits', () => {
  const fileOf = (content: unknown): string => {
    const file = join(shell.folder, `${randomUUID()}.json`);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const ofProgramme = () => ['--programme', programme.issuerCode];
  const ofProduct = () => [...ofProgramme(), '--product', '1'];
  const set = (of: string[], content: unknown) =>
    shell.run(limitsCommand, 'set', ...of, '--file', fileOf(content), '--operator', 'ada');
  const show = async (of: string[]) =>
    JSON.parse((await shell.run(limitsCommand, 'show', ...of, '--json')).output) as LimitDocument;
  const daily = (amountMinor: number): LimitDocument => ({
    ...NO_LIMITS,
    limits: [{ timeUnit: 'daily', type: 'general', amountMinor }],
  });
  const versions = async () =>
    (
      await sql<{ programme: number; product: number }>`
        select g.version as programme, p.version as product from programmes g
        join card_products p using (programme_id) where programme_id = ${programme.programmeId}`.execute(
        traffic.owner,
      )
    ).rows[0];

  it('sets and shows those of a programme and of a product, under a new version, with an audit row', async () => {
    expect(await show(ofProgramme())).toEqual(NO_LIMITS);
    const before = await versions();
    expect(await set(ofProgramme(), daily(500))).toMatchObject({ code: 0 });
    expect(await set(ofProduct(), daily(400))).toMatchObject({ code: 0 });
    expect([await show(ofProgramme()), await show(ofProduct())]).toEqual([daily(500), daily(400)]);
    const after = await versions();
    expect(after).toEqual({
      programme: (before?.programme ?? 0) + 1,
      product: (before?.product ?? 0) + 1,
    });
    const rows = await traffic.owner
      .selectFrom('audit_log')
      .selectAll()
      .where('action', '=', 'limit.changed')
      .orderBy('id')
      .execute();
    expect(rows.map((row) => [row.object_type, row.before, row.after])).toEqual([
      ['programme', NO_LIMITS, daily(500)],
      ['card_product', NO_LIMITS, daily(400)],
    ]);
    expect(rows[0]?.actor_id).toMatch(/ for ada$/);
  });

  it('holds for the next put of a card', async () => {
    const card = await traffic.card(programme, 0);
    const put = (document: LimitDocument) =>
      atomically(traffic.engine, SYSTEM, (trx) => putCardLimits(trx, card.cardId, document)).catch(
        (error: unknown) => (error instanceof Refusal ? error.code : error),
      );
    expect(await put(daily(401))).toBe('LIMIT_ABOVE_CEILING');
    expect(await put(daily(400))).toMatchObject({ limits: [{ amountMinor: 400, remaining: 400 }] });
  });

  it('refuses a product above its programme, and takes limits away with an empty document', async () => {
    expect(await set(ofProduct(), daily(501))).toEqual({
      code: 1,
      output: expect.stringMatching(/above what the programme allows.*\n {2}limits\.0\.amountMinor /),
    });
    expect(await show(ofProduct())).toEqual(daily(400));
    expect(await set(ofProduct(), {})).toMatchObject({ code: 0 });
    expect(await show(ofProduct())).toEqual(NO_LIMITS);
    const { limits } = await traffic.owner
      .selectFrom('card_products')
      .select('limits')
      .where('programme_id', '=', programme.programmeId)
      .executeTakeFirstOrThrow();
    expect(limits).toBeNull();
  });

  it('names everything that is wrong with a file, and changes nothing', async () => {
    const before = await versions();
    const content = { limits: [{ timeUnit: 'daily', type: 'cash', amountMinor: -1 }], more: 1 };
    const { code, output } = await set(ofProgramme(), content);
    expect(code).toBe(1);
    expect(output).toMatch(/limits\.0\.type {2}must be one of general/);
    expect(output).toMatch(/limits\.0\.amountMinor {2}must be at least 0/);
    expect(await set(ofProgramme(), 'no json')).toMatchObject({ code: 1 });
    const missing = ['set', ...ofProgramme(), '--file', '/nonexistent/limits.json'];
    expect(await shell.run(limitsCommand, ...missing)).toMatchObject({ code: 1 });
    expect(await versions()).toEqual(before);
  });

  it('needs to be told what to do, and to whom', async () => {
    const code = async (...args: string[]) => (await shell.run(limitsCommand, ...args)).code;
    expect(await code()).toBe(64);
    expect(await code('show')).toBe(64);
    expect(await code('set', ...ofProgramme())).toBe(64);
    expect(await code('show', ...ofProgramme(), '--file', 'x')).toBe(64);
    expect(await code('show', '--programme', 'nobody')).toBe(1);
    expect(await code('show', ...ofProgramme(), '--product', '999')).toBe(1);
  });
});

describe('cardloom balance', () => {
  it('blocks and unblocks, once each, with the reason', async () => {
    const { balanceId } = await traffic.card(programme, 0);
    const reason = ['--reason', 'reported by the bank', '--operator', 'ada'];
    const run = (action: string) =>
      shell.run(balanceCommand, action, balanceId.toUpperCase(), ...reason, '--json');
    expect(await run('block')).toEqual({ code: 0, output: JSON.stringify({ balanceId, state: 'BLOCKED' }) });
    expect(await run('block')).toMatchObject({ code: 1 });
    expect(await run('unblock')).toEqual({ code: 0, output: JSON.stringify({ balanceId, state: 'ACTIVE' }) });
    expect(await run('unblock')).toMatchObject({ code: 1 });
    const row = await traffic.owner
      .selectFrom('audit_log')
      .selectAll()
      .where('action', '=', 'balance.blocked')
      .where('object_id', '=', balanceId)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ actor_type: 'CLI', after: { reason: 'reported by the bank' } });
  });

  it('needs an action, a balance and a reason', async () => {
    const code = async (...args: string[]) => (await shell.run(balanceCommand, ...args)).code;
    expect(await code('close', randomUUID(), '--reason', 'x')).toBe(64);
    expect(await code('block', 'x', '--reason', 'x')).toBe(64);
    expect(await code('block', randomUUID())).toBe(64);
    expect(await code('block', randomUUID(), '--reason', ' ')).toBe(64);
    expect(await code('block', randomUUID(), '--reason', 'x'.repeat(256))).toBe(64);
    expect(await code('block', randomUUID(), '--reason', 'x')).toBe(1);
  });
});

describe('cardloom balance-summary', () => {
  it('gives users, partner balances and wallet of a programme by currency', async () => {
    const own = await traffic.programme({ funding: 'credit', prefund: 10_000 });
    const authorizer = traffic.authorizer();
    const card = await traffic.card(own, 3_000);
    await traffic.card(own, 500);
    const purchase = aPurchase(card, 1_000);
    await authorizer.authorize(purchase, aCall());
    await authorizer.clear(aRecord(purchase, 1_000), aCall());
    await authorizer.authorize(aPurchase(card, 700), aCall());
    await authorizer.drain();
    const { code, output } = await shell.run(balanceSummaryCommand, '--programme', own.issuerCode, '--json');
    expect(code).toBe(0);
    const { items, nextCursor } = JSON.parse(output) as { items: { company: number }[]; nextCursor: null };
    expect(nextCursor).toBeNull();
    expect(items).toEqual([
      {
        currency: 'EUR',
        users: 2_500,
        usersExternal: null,
        usersExternalAsOf: null,
        credit: 6_500,
        deposit: 0,
        company: 0,
        ibanTechnical: 0,
        wallet: 9_000,
      },
    ]);
    const { output: table } = await shell.run(balanceSummaryCommand, '--programme', own.issuerCode);
    expect(table).toMatch(/EUR +25\.00 EUR +65\.00 EUR +0\.00 EUR +0\.00 EUR +0\.00 EUR +90\.00 EUR$/m);
  });

  it('adds up over all programmes, and I19 proves it from the ledger', async () => {
    const all = await balanceSummary(traffic.engine, null);
    const [one] = all;
    const programmes = await traffic.owner.selectFrom('programmes').select('programme_id').execute();
    const each = await Promise.all(
      programmes.map(({ programme_id: id }) => balanceSummary(traffic.engine, [id])),
    );
    const sum = each.flat().reduce((total, summary) => total + summary.wallet, 0);
    expect(all.map((summary) => summary.currency)).toEqual(['EUR']);
    expect(one?.wallet).toBe(sum);
    expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });

    const card = await traffic.card(programme, 100);
    await sql`update balances set posted = posted + 1 where balance_id = ${card.balanceId}`.execute(
      traffic.owner,
    );
    const { differences } = await verifyLedger(traffic.engine);
    expect(differences.filter((found) => found.invariant === 'I19')).toEqual([
      {
        invariant: 'I19',
        subject: `programme ${programme.programmeId} EUR users`,
        expected: '100',
        found: '101',
      },
    ]);
    await sql`update balances set posted = posted - 1 where balance_id = ${card.balanceId}`.execute(
      traffic.owner,
    );
  });

  it('is empty for a programme without balances, and fails for one that is not there', async () => {
    const fresh = await traffic.programme({ prefund: 0 });
    const run = (...args: string[]) => shell.run(balanceSummaryCommand, ...args);
    expect(await run('--programme', fresh.issuerCode, '--json')).toEqual({
      code: 0,
      output: '{"items":[],"nextCursor":null}',
    });
    expect(await run('--programme', 'nobody')).toMatchObject({ code: 1 });
    expect(await run('now')).toMatchObject({ code: 64 });
  });
});
