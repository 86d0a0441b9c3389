import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch } from '../../cli/cardloom.ts';
import { commands } from '../../cli/commands.ts';
import type { Programme } from '../../db/partners.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type CardTraffic, openCardTraffic, type TestCard } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { partnerBalancesOf, transfersOf } from '../support/money.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let programme: Programme;
let card: TestCard;
const dataDir = mkdtempSync(join(tmpdir(), 'cardloom-money-'));

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  programme = await traffic.programme({ prefund: 0 });
});

afterAll(async () => {
  expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  await traffic.end();
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Runs a command line as a person would, against the database of this file. */
async function cardloom(line: string) {
  const lines: string[] = [];
  const environment = {
    CARDLOOM_DATA_DIR: dataDir,
    DATABASE_URL: database.appUrl,
    DATABASE_ENGINE_URL: database.engineUrl,
    DATABASE_OWNER_URL: database.ownerUrl,
  };
  const out = (text: string) => void lines.push(text);
  const argv = line.split(' ').map((word) => word.replaceAll('~', ' '));
  const io = { out, err: out, json: argv.includes('--json'), environment, projectDir: dataDir };
  return { code: await dispatch(argv, io, commands), output: lines.join('\n') };
}

const audited = async (action: 'partner_balance.created' | 'partner_balance.posted' | 'balance.adjusted') =>
  await traffic.owner
    .selectFrom('audit_log')
    .select(['actor_type', 'actor_id', 'partner_id'])
    .where('action', '=', action)
    .execute();

describe('a partner balance', () => {
  const prefund = (rest: string) =>
    cardloom(`post-partner-balance --programme ${programme.issuerCode} --type collateralCredit ${rest}`);

  it('is opened once, and prefunded with the number of the bank', async () => {
    const early = await prefund('--amount 10 --currency EUR --reference bank-1');
    expect(early).toMatchObject({ code: 1, output: expect.stringMatching(/^COLLATERAL_BALANCE_NOT_FOUND/) });
    const open = `open-partner-balance --programme ${programme.issuerCode} --kind credit --currency eur`;
    expect((await cardloom(`${open} --operator ada`)).code).toBe(0);
    expect(await cardloom(open)).toMatchObject({ code: 1, output: expect.stringMatching(/^ALREADY_EXISTS/) });
    const posted = await prefund('--amount 10.50 --currency EUR --reference bank-1 --json');
    expect(posted.code).toBe(0);
    const { transactionId } = JSON.parse(posted.output) as { transactionId: string };
    expect(await transfersOf(traffic.engine, transactionId)).toBe('BK>PC 1050');
    const again = await prefund('--amount 10.50 --currency EUR --reference bank-1');
    expect(again).toMatchObject({ code: 1, output: expect.stringMatching(/^DUPLICATE_BANK_REFERENCE/) });
    expect(await partnerBalancesOf(traffic.engine, programme)).toEqual({ credit: 1050 });
    const row = { actor_type: 'CLI', partner_id: programme.partnerId };
    expect(await audited('partner_balance.created')).toEqual([
      { ...row, actor_id: expect.stringMatching(/ for ada$/) },
    ]);
    expect(await audited('partner_balance.posted')).toEqual([{ ...row, actor_id: expect.any(String) }]);
  });

  it.each([
    ['without a reference', '--amount 1 --currency EUR', 64],
    ['of nothing', '--amount 0 --currency EUR --reference x', 64],
    ['with too many decimals', '--amount 1.001 --currency EUR --reference x', 64],
    ['with decimals that the currency does not have', '--amount 1.5 --currency JPY --reference x', 64],
    ['in words', '--amount ten --currency EUR --reference x', 64],
    ['in no currency', '--amount 1 --currency EURO --reference x', 64],
  ])('is not posted %s', async (_name, rest, code) => {
    expect((await prefund(rest)).code).toBe(code);
    expect(await partnerBalancesOf(traffic.engine, programme)).toEqual({ credit: 1050 });
  });

  it('is not that of a programme nobody knows, nor of another type', async () => {
    const rest = '--amount 1 --currency EUR --reference x';
    const unknown = await cardloom(`post-partner-balance --programme nobody --type companyCredit ${rest}`);
    expect(unknown).toMatchObject({ code: 1, output: expect.stringMatching(/^PROGRAMME_NOT_FOUND/) });
    const wrong = `post-partner-balance --programme ${programme.issuerCode} --type topUp ${rest}`;
    expect((await cardloom(wrong)).code).toBe(64);
  });
});

describe('an adjustment', () => {
  beforeAll(async () => {
    card = await traffic.card(programme, 500);
  });

  const adjust = (rest: string) => cardloom(`adjust --balance ${card.balanceId} --currency EUR ${rest}`);

  it('is booked with its note, in the name of the operator', async () => {
    const rest = '--category debit --amount 6 --reason correction --note booked~twice --operator ada --json';
    const { code, output } = await adjust(rest);
    expect(code).toBe(0);
    const answer = JSON.parse(output) as { transactionId: string };
    expect(answer).toMatchObject({ category: 'DEBIT', amount: 600, reason: 'CORRECTION' });
    expect(await transfersOf(traffic.engine, answer.transactionId)).toBe('U>CO 600');
    expect(await traffic.balance(card)).toMatchObject({ posted: -100 });
    const rows = await audited('balance.adjusted');
    expect(rows).toEqual([
      { actor_type: 'CLI', actor_id: expect.stringMatching(/ for ada$/), partner_id: programme.partnerId },
    ]);
  });

  it.each([
    [1, 'INSUFFICIENT_FUNDS', '--category DEBIT --amount 1 --reason GOODWILL --note n'],
    [1, 'INVALID_AMOUNT', '--category CREDIT --amount 2 --reason WRITE_OFF --note n'],
    [1, 'TRANSACTION_NOT_FOUND', `--category CREDIT --amount 1 --reason GOODWILL --note n --reference ${randomUUID()}`],
    [64, 'cardloom adjust: --note', '--category CREDIT --amount 1 --reason GOODWILL'],
    [64, 'cardloom adjust: --note', `--category CREDIT --amount 1 --reason GOODWILL --note ${'n'.repeat(501)}`],
    [64, 'cardloom adjust: --reason', '--category CREDIT --amount 1 --reason BECAUSE --note n'],
    [64, 'cardloom adjust: --category', '--category UP --amount 1 --reason GOODWILL --note n'],
    [64, 'cardloom adjust: cannot read', '--category CREDIT --amount 1 --reason GOODWILL --note n more'],
  ])('ends with %i %s', async (code, told, rest) => {
    const answer = await adjust(rest);
    expect(answer).toMatchObject({ code });
    expect(answer.output.startsWith(told)).toBe(true);
    expect(await traffic.balance(card)).toMatchObject({ posted: -100 });
  }); // prettier-ignore
});

it('a ceiling is set and taken away', async () => {
  const ceiling = (amount: string) =>
    cardloom(
      `posting-ceiling --programme ${programme.issuerCode} --type topup --currency EUR --amount ${amount}`,
    );
  const stored = async () =>
    await traffic.engine
      .selectFrom('programmes')
      .select(['posting_ceilings', 'version'])
      .where('programme_id', '=', programme.programmeId)
      .executeTakeFirstOrThrow();
  expect((await ceiling('5')).code).toBe(0);
  expect(await stored()).toEqual({ posting_ceilings: { topUp: { EUR: 500 } }, version: 2 });
  expect((await ceiling('none')).code).toBe(0);
  expect(await stored()).toEqual({ posting_ceilings: { topUp: {} }, version: 3 });
  expect((await ceiling('much')).code).toBe(64);
});
