import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  read,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let engine: pg.Client;
let open: string;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  engine = new pg.Client({ connectionString: database.engineUrl });
  await engine.connect();
  const card = await traffic.card(await traffic.programme({ funding: 'deposit' }), 10_000);
  await traffic.programme();
  const authorizer = traffic.authorizer();
  const purchase = aPurchase(card, 100);
  open = read(await authorizer.authorize(purchase, aCall())).id ?? '';
  await authorizer.clear(aRecord(purchase, 60, { final: false }), aCall());
  await authorizer.drain();
});
afterAll(async () => {
  await engine.end();
  await traffic.end();
  await database.drop();
});

/** A further transfer of the open transaction: its first PENDING one, with changes. */
const insert = (changes: Record<string, string>) => {
  const columns = [
    'transaction_id',
    'event_seq',
    'seq',
    'partner_id',
    'debit_account',
    'credit_account',
    'amount',
    'currency',
    'state',
    'of_event_seq',
    'of_seq',
  ];
  const values: Record<string, string> = { event_seq: '9', seq: '1', ...changes };
  return engine.query(
    `insert into ledger_transfers (${columns.join(', ')})
     select ${columns.map((one) => values[one] ?? `p.${one}`).join(', ')}
     from ledger_transfers p where transaction_id = $1 and state = 'PENDING'`,
    [open],
  );
};
const account = (where: string) => `(select min(account_id) from ledger_accounts a where ${where})`;

describe('a transfer', () => {
  it.each<[string, Record<string, string>]>([
    ['of another currency than its accounts', { currency: "'USD'" }],
    ['from an account that is not there', { debit_account: '999999' }],
    ['to an account that is not there', { credit_account: '999999' }],
    ['of another partner', { partner_id: 'p.partner_id + 1' }],
    ['to an account of another partner', { credit_account: account('a.partner_id <> p.partner_id') }],
    ['that uses more than is pending', { state: "'POSTED'", amount: '41', of_event_seq: 'p.event_seq', of_seq: 'p.seq' }],
    ['that frees more than is pending', { state: "'VOIDED'", amount: '100', of_event_seq: 'p.event_seq', of_seq: 'p.seq' }],
    ['that uses what was never pending', { state: "'VOIDED'", amount: '1', of_event_seq: '7', of_seq: '7' }],
    ['that uses a posted one', { state: "'VOIDED'", amount: '1', of_event_seq: '2', of_seq: '1' }],
  ])('%s is refused by the database', async (_what, changes) => {
    const count = async () => (await engine.query('select from ledger_transfers')).rowCount;
    const before = await count();
    await expect(insert(changes)).rejects.toMatchObject({ code: '23514' });
    expect(await count()).toBe(before);
  }); // prettier-ignore

  it('between the two sides of the balance sheet is refused', async () => {
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    await owner.query(`insert into ledger_accounts (partner_id, programme_id, code, currency)
      select partner_id, programme_id, 'XC', currency from ledger_accounts where code = 'NS'`);
    await owner.end();
    const offBalance = account("a.code = 'XC' and a.partner_id = p.partner_id");
    await expect(insert({ credit_account: offBalance })).rejects.toMatchObject({ code: '23514' });
  });

  it('that uses exactly the rest is taken', async () => {
    await engine.query('begin');
    await insert({ state: "'VOIDED'", amount: '40', of_event_seq: 'p.event_seq', of_seq: 'p.seq' });
    await engine.query('rollback');
  });
});
