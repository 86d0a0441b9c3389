import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { atomically } from '../../db/atomically.ts';
import { lockCard } from '../../db/card-locks.ts';
import { createPool } from '../../db/client.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  read,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { losingCommits, shuttingDown } from '../support/lossy-pool.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let authorizer: Authorizer;
/** Somebody who holds locks. */
let other: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  authorizer = traffic.authorizer();
  other = new pg.Client({ connectionString: database.adminUrl });
  await other.connect();
});

afterAll(async () => {
  await authorizer.drain();
  expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  await other.end();
  await traffic.end();
  await database.drop();
});

/** Runs `work` while `statement` holds its locks. */
async function whileHeld<T>(statement: string, key: unknown, work: () => Promise<T>): Promise<T> {
  await other.query('begin');
  await other.query(statement, [key]);
  try {
    return await work();
  } finally {
    await other.query('commit');
  }
}

const HOLD_CARD = 'select from card_states where card_id = $1 for no key update';
const HOLD_BALANCE = 'select from balances where balance_id = $1 for no key update';

describe('locks', () => {
  it('are taken balance first: two cards of one balance cannot wait for each other', async () => {
    const card = await traffic.card(await traffic.programme(), 10_000);
    await whileHeld(HOLD_CARD, card.cardId, async () => {
      const waiting = authorizer.authorize(aPurchase(card, 100), aCall());
      await sleep(200);
      const free = await traffic.owner
        .selectFrom('balances')
        .select('balance_id')
        .where('balance_id', '=', card.balanceId)
        .forNoKeyUpdate()
        .skipLocked()
        .execute();
      await other.query('commit');
      expect(read(await waiting).result).toBe('APPROVED');
      expect(free).toEqual([]);
    });
  });

  it('are taken on the purchase that a record names, not on all of its merchant', async () => {
    const card = await traffic.card(await traffic.programme(), 10_000);
    const [one, another] = [aPurchase(card, 500), aPurchase(card, 500)];
    await authorizer.authorize(one, aCall());
    const { id } = read(await authorizer.authorize(another, aCall()));
    const { transactionData } = one;
    await whileHeld('select from transactions where id = $1 for no key update', id, async () => {
      const { results } = await authorizer.clear(aRecord(one, 500, { transactionData }), aCall());
      expect(results).toMatchObject([{ result: 'POSTED', exception: null }]);
    });
  });

  it('of a card that are placed while a wrong PIN locks it do not undo that lock', async () => {
    const programme = await traffic.programme();
    const card = await traffic.card(programme, 10_000);
    const caller = {
      partnerId: null,
      actor: { type: 'SYSTEM', id: 'test' },
      requestId: 't',
      ip: null,
    } as const;
    const target = { cardId: card.cardId, programmeIds: [programme.programmeId] };
    await other.query('begin');
    await other.query(HOLD_CARD, [card.cardId]);
    const locked = atomically(traffic.engine, caller, (trx) => lockCard(trx, target, 3, 'customer'));
    await sleep(200);
    // As the lane does once it holds the row.
    await other.query(
      `insert into card_locks (lock_id, card_id, partner_id, code, placed_by)
        values (gen_random_uuid(), $1, $2, 6, 'system')`,
      [card.cardId, programme.partnerId],
    );
    await other.query("update card_states set locks = '{6}' where card_id = $1", [card.cardId]);
    await other.query('commit');
    await locked;
    const { locks } = await traffic.engine
      .selectFrom('card_states')
      .select('locks')
      .where('card_id', '=', card.cardId)
      .executeTakeFirstOrThrow();
    expect(locks).toEqual([3, 6]);
  });
});

describe('one that breaks off', () => {
  it('among clearing records leaves its neighbours posted, and is set aside itself', async () => {
    const programme = await traffic.programme();
    const cards = await Promise.all([1, 2, 3, 4, 5].map(() => traffic.card(programme, 1_000)));
    const [poor] = cards;
    if (poor === undefined) throw new Error('five cards were wanted');
    const huge = () => authorizer.clear(aRecord(aPurchase(poor, 1), Number.MAX_SAFE_INTEGER), aCall());
    expect((await huge()).results).toMatchObject([{ result: 'POSTED' }]);
    // Two of these leave the range of safe integers; the first call keeps the lane busy for all others.
    const settled = await Promise.all([
      ...cards.map((card) => authorizer.clear(aRecord(aPurchase(card, 1), 100), aCall())),
      huge(),
      ...cards.slice(1).map((card) => authorizer.clear(aRecord(aPurchase(card, 1), 100), aCall())),
    ]);
    expect(settled.map(({ results: [one] }) => one?.result)).toEqual([
      ...['POSTED', 'POSTED', 'POSTED', 'POSTED', 'POSTED'],
      'QUARANTINED',
      ...['POSTED', 'POSTED', 'POSTED', 'POSTED'],
    ]);
    expect(settled[5]?.results).toMatchObject([{ exception: 'RECORD_INVALID' }]);
  });
});

describe('a database that goes away', () => {
  it('for a moment is asked again: nothing is declined because of it', async () => {
    const card = await traffic.card(await traffic.programme(), 10_000);
    const interrupted = traffic.authorizer({ pool: shuttingDown(traffic.pool(), 1) });
    expect(read(await interrupted.authorize(aPurchase(card, 100), aCall())).result).toBe('APPROVED');
  });

  it('around the commit of a record: the record is posted, not a duplicate of itself', async () => {
    const card = await traffic.card(await traffic.programme(), 10_000);
    const lossy = traffic.authorizer({ pool: losingCommits(traffic.pool(), 1) });
    const { results } = await lossy.clear(aRecord(aPurchase(card, 1), 100), aCall());
    expect(results).toMatchObject([{ result: 'POSTED', exception: 'FORCE_POST' }]);
    expect(await traffic.balance(card)).toMatchObject({ posted: 9_900 });
  });

  it('without a word: the caller is answered at the deadline', async () => {
    const card = await traffic.card(await traffic.programme(), 10_000);
    const silent = new Proxy(traffic.pool(), {
      get: (target, property) =>
        property === 'connect' ? () => new Promise(() => undefined) : Reflect.get(target, property),
    });
    const waiting = traffic.authorizer({ pool: silent, deadlineMs: 300 });
    const startedAt = Date.now();
    await expect(waiting.authorize(aPurchase(card, 100), aCall())).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
    expect(Date.now() - startedAt).toBeLessThan(400);
  });

  it('a connection that says nothing more is given up', async () => {
    const pool = createPool({
      url: database.engineUrl,
      max: 1,
      name: 'silent',
      pipeline: true,
      queryTimeoutMs: 200,
    });
    const client = await pool.connect();
    await expect(client.query('select pg_sleep(5)')).rejects.toThrow('timeout');
    client.release(true);
    await pool.end();
  });
});

describe('what comes too late', () => {
  it('for its deadline is not decided any more', async () => {
    const card = await traffic.card(await traffic.programme(), 10_000);
    const quick = traffic.authorizer({ deadlineMs: 300 });
    await whileHeld(HOLD_BALANCE, card.balanceId, async () => {
      await expect(quick.authorize(aPurchase(card, 100), aCall())).rejects.toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
      });
    });
    await quick.drain();
    expect(await traffic.balance(card)).toMatchObject({ held: 0 });
  });
});

it('a conflict of keys is a security event, also while the first is still under way', async () => {
  const card = await traffic.card(await traffic.programme(), 10_000);
  const events: unknown[] = [];
  const logger = { warn: (fields: object) => events.push(fields), error: () => undefined };
  const watched = traffic.authorizer({ logger });
  const purchase = aPurchase(card, 100);
  const [, conflict] = await Promise.all([
    watched.authorize(purchase, aCall()),
    watched.authorize({ ...purchase, amount: 200 }, aCall()),
  ]);
  expect(read(conflict).reason).toBe('DUPLICATE_KEY_CONFLICT');
  expect(events).toMatchObject([{ event: 'security', kind: 'DUPLICATE_KEY_CONFLICT' }]);
});
