import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { sealLedger } from '../../db/ledger-seals.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  type TestCard,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;
const AT_ONCE_MS = 0;

let database: FreshDatabase;
let traffic: CardTraffic;
let owner: pg.Client;
let card: TestCard;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  card = await traffic.card(await traffic.programme(), 100_000);
});
afterAll(async () => {
  await owner.end();
  await traffic.end();
  await database.drop();
});

async function pay(amount: number): Promise<void> {
  const authorizer = traffic.authorizer();
  const purchase = aPurchase(card, amount);
  await authorizer.authorize(purchase, aCall());
  await authorizer.clear(aRecord(purchase, amount), aCall());
  await authorizer.drain();
}
const seal = (settledMs = AT_ONCE_MS) =>
  atomically(traffic.engine, caller, (trx) => sealLedger(trx, settledMs));
const seals = async () =>
  await traffic.engine.selectFrom('ledger_seals').selectAll().orderBy('seal_no').execute();
const differences = async () => (await verifyLedger(traffic.engine)).differences;

describe('the hash chain', () => {
  it('seals what was written, each row once, and is whole', async () => {
    await pay(100);
    expect(await seal()).toBe(1);
    await pay(200);
    expect(await seal()).toBe(1);
    expect(await seal()).toBe(0);
    const { rows } = await owner.query<{ count: number }>(`select
      (select count(*) from transaction_events) + (select count(*) from ledger_transfers) as count`);
    const chain = await seals();
    expect(chain.map((one) => one.seal_no)).toEqual([1, 2]);
    expect(chain.reduce((sum, one) => sum + one.rows, 0)).toBe(rows[0]?.count);
    expect(chain[1]?.from_at).toEqual(chain[0]?.to_at);
    expect(await differences()).toEqual([]);
  });

  it('leaves alone what may still be joined by rows of transactions under way', async () => {
    const before = (await seals()).length;
    await pay(50);
    expect(await seal(60_000)).toBe(0);
    expect(await seals()).toHaveLength(before);
    await seal();
  });

  it('lets two sealers at once make one chain', async () => {
    await pay(60);
    const added = await Promise.all([seal(), seal(), seal()]);
    expect(added.reduce((sum, one) => sum + one, 0)).toBe(1);
    expect(await differences()).toEqual([]);
  });

  const guards = (action: 'enable' | 'disable') =>
    ['transaction_events', 'ledger_transfers', 'ledger_seals']
      .map((table) => `alter table ${table} ${action} trigger refuse_change`)
      .join(';');

  it.each<[string, string, string]>([
    ['an event whose reason was changed', "update transaction_events set reason = 'OTHER' where seq = 2", 'update transaction_events set reason = null where seq = 2'],
    ['an event that was back-dated', "update transaction_events set created_at = created_at - interval '1 microsecond'", "update transaction_events set created_at = created_at + interval '1 microsecond'"],
    ['a transfer that was deleted', 'with gone as (delete from ledger_transfers returning *) insert into kept select * from gone', 'insert into ledger_transfers select * from kept; delete from kept'],
    ['an event that was put in later', "insert into transaction_events select transaction_id, 99, partner_id, kind, status, result, reason, amount, external_id, occurred_at, request_id, actor, answer, trace, created_at from transaction_events limit 1", 'delete from transaction_events where seq = 99'],
    ['a seal that was changed', 'update ledger_seals set rows = rows + 1 where seal_no = 1', 'update ledger_seals set rows = rows - 1 where seal_no = 1'],
    ['a seal that was taken out', 'with gone as (delete from ledger_seals where seal_no = 2 returning *) insert into kept_seals select * from gone', 'insert into ledger_seals select * from kept_seals; delete from kept_seals'],
  ])('detects %s by the owner', async (_what, tampering, mending) => {
    await owner.query(`create table if not exists kept (like ledger_transfers);
      create table if not exists kept_seals (like ledger_seals)`);
    await owner.query(guards('disable'));
    await owner.query(tampering);
    const found = await differences();
    await owner.query(mending);
    await owner.query(guards('enable'));
    expect(found.map((one) => one.invariant)).toContain('SEAL');
    expect(await differences()).toEqual([]);
  }); // prettier-ignore

  it('detects a change that was sealed anew in its own place', async () => {
    await owner.query(guards('disable'));
    await owner.query("update transaction_events set trace = 'rewritten' where seq = 1");
    await owner.query(`update ledger_seals s set rows_hash = w.rows_hash,
        hash = seal_hash(s.seal_no, s.from_at, s.to_at, s.shifted, s.rows, w.rows_hash, sha256('cardloom-ledger'))
      from ledger_seals o, lateral seal_window(o.from_at, o.to_at) w where o.seal_no = s.seal_no and s.seal_no = 1`);
    const found = await differences();
    expect(found.map((one) => one.subject)).toContainEqual(expect.stringContaining('seal 2'));
    await owner.query(guards('enable'));
  });
});

describe('events, transfers, audit rows and seals', () => {
  it.each(['transaction_events', 'ledger_transfers', 'audit_log', 'ledger_seals'])(
    'are never changed: %s, not even by the owner or a superuser',
    async (table) => {
      const admin = new pg.Client({ connectionString: database.adminUrl });
      await admin.connect();
      for (const client of [owner, admin]) {
        for (const statement of [`update ${table} set created_at = created_at`, `delete from ${table}`]) {
          await expect(client.query(statement)).rejects.toMatchObject({ code: '23001' });
        }
        await expect(client.query(`truncate ${table}`)).rejects.toMatchObject({ code: '23001' });
      }
      await admin.end();
    },
  );
});
