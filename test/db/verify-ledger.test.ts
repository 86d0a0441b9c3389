import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyLedger } from '../../db/verify-ledger.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  aReversal,
  type CardTraffic,
  openCardTraffic,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let admin: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  // Only somebody who switches the guards off can break the books.
  await admin.query('set session_replication_role = replica');
  const authorizer = traffic.authorizer();
  for (const funding of ['credit', 'deposit'] as const) {
    const card = await traffic.card(await traffic.programme({ funding }), 100_000);
    const [open, partly, cleared, reversed] = [900, 800, 700, 600].map((amount) => aPurchase(card, amount));
    if (!open || !partly || !cleared || !reversed) throw new Error('four purchases were wanted');
    for (const one of [open, partly, cleared, reversed]) await authorizer.authorize(one, aCall());
    await authorizer.clear(aRecord(partly, 300, { final: false }), aCall());
    await authorizer.clear(aRecord(cleared, 650, { interchangeAmount: 5 }), aCall());
    await authorizer.reverse(aReversal(reversed), aCall());
  }
  await authorizer.drain();
  await admin.query(`create temp table was_keys as select * from network_keys;
    create temp table was_accounts as select * from ledger_accounts where code = 'NS'`);
  const { rows } = await admin.query<Record<string, string>>(`select
    (select id from transactions where state = 'AUTHORIZED' order by id limit 1) as open,
    (select id from transactions where state = 'REVERSED' order by id limit 1) as reversed,
    (select id from transactions where cleared = 650 order by id limit 1) as cleared,
    (select t.id from transactions t join programmes p using (programme_id)
      where p.funding = 'deposit' and t.state = 'AUTHORIZED') as deposit,
    (select balance_id from balances order by balance_id limit 1) as balance`);
  Object.assign(subjects, rows[0]);
});

/** What the cases speak of, by name. */
const subjects: Record<string, string> = {};

const named = (statement: string): string =>
  statement.replaceAll(/:([a-z]+)/g, (_all, name: string) => `'${subjects[name]}'`);

afterAll(async () => {
  await admin.end();
  await traffic.end();
  await database.drop();
});

// Each case breaks the books in a way that no role of the product can, and mends them again.
describe('verify-ledger', () => {
  it('finds nothing in books that are in order', async () => {
    expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  });

  it.each<[string, string, string]>([
    ['I1', "update ledger_transfers set currency = 'USD' where transaction_id = :cleared", "update ledger_transfers set currency = 'EUR' where transaction_id = :cleared"],
    ['I1', 'update ledger_transfers set seq = seq + 5 where transaction_id = :cleared and event_seq = 2', 'update ledger_transfers set seq = seq - 5 where seq > 5'],
    ['I1', "update ledger_transfers set amount = amount + 9999 where state = 'VOIDED'", "update ledger_transfers set amount = amount - 9999 where state = 'VOIDED'"],
    ['I2', "delete from ledger_accounts where code = 'NS'", 'insert into ledger_accounts (account_id, partner_id, programme_id, code, currency) overriding system value select account_id, partner_id, programme_id, code, currency from was_accounts'],
    ['I3', 'update balances set posted = posted + 1 where balance_id = :balance', 'update balances set posted = posted - 1 where balance_id = :balance'],
    ['I3', 'update partner_balances set posted = posted + 1', 'update partner_balances set posted = posted - 1'],
    ['I4', 'update balances set held = held + 1 where balance_id = :balance', 'update balances set held = held - 1 where balance_id = :balance'],
    ['I5', 'update transactions set held = held - 1 where id = :open', 'update transactions set held = held + 1 where id = :open'],
    ['I6', 'update transactions set held = held + 1, authorized = authorized + 1 where id = :deposit', 'update transactions set held = held - 1, authorized = authorized - 1 where id = :deposit'],
    ['I7', 'alter table balances drop constraint balances_not_overdrawn; update balances set posted = posted - 1000000', 'update balances set posted = posted + 1000000'],
    ['I8', "update ledger_transfers set debit_after = debit_after + 1 where transaction_id = :cleared and debit_after is not null", "update ledger_transfers set debit_after = debit_after - 1 where transaction_id = :cleared and debit_after is not null"],
    ['I9', "update transactions set state = 'REVERSED' where id = :open", "update transactions set state = 'AUTHORIZED' where id = :open"],
    ['I10', 'update transactions set event_count = event_count + 1 where id = :open', 'update transactions set event_count = event_count - 1 where id = :open'],
    ['I10', "update transactions set state = 'CLEARED' where id = :reversed", "update transactions set state = 'REVERSED' where id = :reversed"],
    ['I11', 'delete from network_keys', 'insert into network_keys select * from was_keys'],
  ])('%s is noticed', async (invariant, breaking, mending) => {
    await admin.query(named(breaking));
    const verdict = await verifyLedger(traffic.engine);
    await admin.query(named(mending));
    expect(verdict.ok).toBe(false);
    expect(verdict.differences.map((one) => one.invariant)).toContain(invariant);
    expect((await verifyLedger(traffic.engine)).differences).toEqual([]);
  }); // prettier-ignore
});
