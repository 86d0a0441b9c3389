import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClearingFileActivities } from '../../activities/authorization/clearing-files.ts';
import { atomically } from '../../db/atomically.ts';
import { announceClearingFile } from '../../db/clearing-files.ts';
import { reconcile } from '../../db/reconciliation.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type ReconciliationJob, reconciliationJobs } from '../../domain/reconciliation.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  aReversal,
  type CardTraffic,
  openCardTraffic,
} from '../support/card-traffic.ts';
import { aClearingFile, inPieces } from '../support/clearing-file.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;

let database: FreshDatabase;
let traffic: CardTraffic;
let admin: pg.Client;
let fileId: string;
const subjects: Record<string, string> = {};

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  // Books can only be broken by somebody who switches their guards off.
  await admin.query('set session_replication_role = replica');
  const authorizer = traffic.authorizer();
  for (const funding of ['credit', 'deposit'] as const) {
    const card = await traffic.card(await traffic.programme({ funding }), 100_000);
    const purchases = [900, 800, 700, 600, 500].map((amount) => aPurchase(card, amount));
    for (const one of purchases) await authorizer.authorize(one, aCall());
    const [, partly, under, reversed, over] = purchases as [never, ...typeof purchases];
    if (!partly || !under || !reversed || !over) throw new Error('five purchases were wanted');
    await authorizer.reverse(aReversal(reversed), aCall());
    const payment = aPurchase(card, 70, {
      kind: 'CREDIT_AUTHORIZATION',
      type: 'adjustment',
      transactionData: { adjustmentReasonDescription: 'MONEY_SEND' },
    });
    await authorizer.authorize(payment, aCall());
    await post([
      aRecord(payment, 70, { recordType: 'CREDIT' }),
      aRecord(under, 20, { recordType: 'CHARGEBACK' }),
      aRecord(under, 20, { recordType: 'SECOND_PRESENTMENT' }),
      aRecord(under, 5, { recordType: 'REFUND_REVERSAL' }),
      aRecord(partly, 300, { final: false }),
      aRecord(under, 650, { interchangeAmount: 5 }),
      aRecord(over, 520),
      aRecord(aPurchase(card, 40), 40),
      aRecord(under, 100, { recordType: 'REFUND' }),
      aRecord({ ...aPurchase(card, 40), processorCardId: 'nobody' }, 40),
    ]);
  }
  await authorizer.drain();
  await admin.query(`create temp table was_keys as select * from network_keys;
    create temp table was_outbox as select * from outbox`);
  const { rows } = await admin.query<Record<string, string>>(`select
    (select id from transactions where state = 'AUTHORIZED' order by id limit 1) as open,
    (select id from transactions where cleared > 600 order by id limit 1) as cleared,
    (select balance_id from balances order by balance_id limit 1) as balance`);
  Object.assign(subjects, rows[0]);
});
afterAll(async () => {
  await admin.end();
  await traffic.end();
  await database.drop();
});

/** Posts records as a file; all activities of its workflow. */
async function post(records: readonly object[]): Promise<void> {
  const file = aClearingFile(records);
  ({ fileId } = file.announced);
  const activities = createClearingFileActivities({
    db: traffic.engine,
    clearingPool: traffic.pool(),
    logger: { warn: () => undefined, error: () => undefined },
    openClearingFile: async () => ({ outcome: 'OPEN', body: inPieces(file.bytes) }),
  });
  await atomically(traffic.engine, caller, (trx) =>
    announceClearingFile(trx, file.announced, { processor: 'processor-1', source: 'PROCESSOR' }),
  );
  const steps = [
    activities.fetchClearingFile,
    activities.checkClearingFile,
    activities.postClearingBlocks,
    activities.finishClearingFile,
  ] as const;
  for (const step of steps) await new MockActivityEnvironment().run(step as never, { fileId });
}

const named = (statement: string): string =>
  statement.replaceAll(/:([a-z]+)\b/g, (all, name: string) => (subjects[name] ? `'${subjects[name]}'` : all));

const run = (job: ReconciliationJob) => reconcile(traffic.engine, job, job === 'clearing' ? fileId : null);

const mismatches = async () =>
  await traffic.engine
    .selectFrom('exceptions')
    .selectAll()
    .where('kind', '=', 'RECON_MISMATCH')
    .orderBy('exception_id')
    .execute();

describe('reconciliation', () => {
  it.each(reconciliationJobs)('%s finds nothing in books that are in order, and says so', async (job) => {
    expect(await run(job)).toEqual({ job, ok: true, invariants: [] });
    const stored = await traffic.engine
      .selectFrom('recon_runs')
      .selectAll()
      .where('job', '=', job)
      .orderBy('run_id', 'desc')
      .executeTakeFirstOrThrow();
    expect(stored).toMatchObject({ result: 'OK', evidence: { differences: [] } });
    expect(await mismatches()).toEqual([]);
  });

  it.each<[ReconciliationJob, string, string, string]>([
    ['ledger', 'I1', "update ledger_transfers set currency = 'USD' where transaction_id = :cleared", "update ledger_transfers set currency = 'EUR' where transaction_id = :cleared"],
    ['ledger', 'I3', 'update balances set posted = posted + 1 where balance_id = :balance', 'update balances set posted = posted - 1 where balance_id = :balance'],
    ['ledger', 'I3', 'update partner_balances set posted = posted + 1', 'update partner_balances set posted = posted - 1'],
    ['ledger', 'I5', 'update transactions set held = held - 1 where id = :open', 'update transactions set held = held + 1 where id = :open'],
    ['ledger', 'I10', 'update transactions set event_count = event_count + 1 where id = :open', 'update transactions set event_count = event_count - 1 where id = :open'],
    ['ledger', 'I11', 'delete from network_keys', 'insert into network_keys select * from was_keys'],
    ['holds', 'I4', 'update balances set held = held + 1 where balance_id = :balance', 'update balances set held = held - 1 where balance_id = :balance'],
    ['holds', 'I5', 'update transactions set held = held - 1 where id = :open', 'update transactions set held = held + 1 where id = :open'],
    ['holds', 'I9', "update transactions set state = 'REVERSED' where id = :open", "update transactions set state = 'AUTHORIZED' where id = :open"],
    ['holds', 'I15', "update transactions set state = 'PENDING_PARTNER', updated_at = now() - interval '2 minutes' where id = :open", "update transactions set state = 'AUTHORIZED' where id = :open"],
    ['outbox', 'I12', 'delete from outbox where transaction_id = :open', 'insert into outbox overriding system value select * from was_outbox where transaction_id = :open'],
    ['outbox', 'I12', "insert into outbox (partner_id, programme_id, destination, kind, transaction_id, event_seq, order_key) select partner_id, programme_id, destination, kind, transaction_id, event_seq, 'twice' from was_outbox where transaction_id = :open", "delete from outbox where order_key = 'twice'"],
    ['outbox', 'I13', "insert into outbox (destination, kind, order_key, created_at) values ('workflow', 'none', 'stuck', now() - interval '2 hours')", "delete from outbox where order_key = 'stuck'"],
    ['clearing', 'I20', 'update clearing_files set posted = posted - 1', 'update clearing_files set posted = posted + 1'],
    ['clearing', 'I20', "update transaction_events set request_id = '-' || request_id where request_id like 'clearing-file:%'", "update transaction_events set request_id = substr(request_id, 2) where request_id like '-clearing-file:%'"],
    ['clearing', 'I20', 'update transaction_events set amount = amount + 1 where amount is not null', 'update transaction_events set amount = amount - 1 where amount is not null'],
    ['ledger-full', 'I22', "update balances set state = 'CLOSED' where balance_id = :balance", "update balances set state = 'ACTIVE' where balance_id = :balance"],
  ])('%s notices %s', async (job, invariant, breaking, mending) => {
    await admin.query("delete from exceptions where kind = 'RECON_MISMATCH'");
    await admin.query(named(breaking));
    const first = await run(job);
    const raised = await mismatches();
    await run(job);
    const again = await mismatches();
    await admin.query(named(mending));
    expect(first).toMatchObject({ ok: false });
    expect(first.invariants).toContain(invariant);
    expect(raised.map((one) => one.values['invariant'])).toContain(invariant);
    expect(raised[0]).toMatchObject({ severity: 'CRITICAL', state: 'OPEN', partner_id: null });
    // While it is open nobody is told of the same difference twice.
    expect(again).toEqual(raised);
    expect(await run(job)).toMatchObject({ ok: true });
  }); // prettier-ignore

  it('account-age notices what was not settled in time, oldest first', async () => {
    const { rows } = await admin.query<{ account_id: number; partner_id: number }>(`
      insert into ledger_accounts (partner_id, programme_id, code, currency)
      select partner_id, programme_id, code, 'EUR' from programmes, (values ('IC'), ('BK')) as codes (code)
      where programme_id = (select min(programme_id) from programmes)
      on conflict do nothing returning account_id, partner_id`);
    await admin.query(`insert into ledger_accounts (partner_id, programme_id, code, currency)
      select partner_id, programme_id, 'BK', 'EUR' from programmes
      where programme_id = (select min(programme_id) from programmes) on conflict do nothing`);
    expect(rows.length).toBeGreaterThan(0);
    const add = (debit: string, credit: string, amount: number, daysAgo: number) =>
      admin.query(
        `insert into ledger_transfers (transaction_id, event_seq, seq, partner_id, debit_account, credit_account,
           amount, currency, state, created_at)
         select $1, 1, 1, d.partner_id, d.account_id, c.account_id, $2, 'EUR', 'POSTED',
           now() - make_interval(days => $3)
         from ledger_accounts d join ledger_accounts c using (programme_id)
         where d.code = $4 and c.code = $5 and programme_id = (select min(programme_id) from programmes)`,
        [subjects['open']?.replace(/.{4}$/, randomUUID().slice(0, 4)), amount, daysAgo, debit, credit],
      );
    await add('BK', 'IC', 100, 2);
    expect(await run('account-age')).toMatchObject({ ok: true });
    await add('BK', 'IC', 50, 4);
    expect(await run('account-age')).toMatchObject({ ok: false, invariants: ['I21'] });
    await add('IC', 'BK', 50, 0);
    expect(await run('account-age')).toMatchObject({ ok: true });
    await admin.query(`delete from ledger_transfers where debit_account in
      (select account_id from ledger_accounts where code = 'IC') or credit_account in
      (select account_id from ledger_accounts where code = 'IC')`);
    expect((await verifyLedger(traffic.engine)).differences).toEqual([]);
  });
});
