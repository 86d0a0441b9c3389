import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createExpirySweep, createHoldActivities } from '../../activities/authorization/holds.ts';
import type { AuthorizationMessage } from '../../activities/authorization/messages.ts';
import { atomically } from '../../db/atomically.ts';
import { dueHolds } from '../../db/due-holds.ts';
import type { Programme } from '../../db/partners.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  read,
  type TestCard,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;
const quiet = { warn: () => undefined, error: () => undefined };

let database: FreshDatabase;
let traffic: CardTraffic;
let programme: Programme;
let card: TestCard;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  programme = await traffic.programme({ funding: 'deposit' });
});
beforeEach(async () => {
  card = await traffic.card(programme, 100_000);
});
afterAll(async () => {
  expect((await verifyLedger(traffic.engine)).differences).toEqual([]);
  await traffic.end();
  await database.drop();
});

const parts = () => ({ db: traffic.engine, clearingPool: traffic.pool(), logger: quiet });

async function approve(amount: number, times = 1): Promise<{ id: string; purchase: AuthorizationMessage }[]> {
  const authorizer = traffic.authorizer();
  const made = await Promise.all(
    Array.from({ length: times }, async () => {
      const purchase = aPurchase(card, amount);
      const { id } = read(await authorizer.authorize(purchase, aCall()));
      if (id === null) throw new Error('not approved');
      return { id, purchase };
    }),
  );
  await authorizer.drain();
  return made;
}
const clear = async (purchase: AuthorizationMessage, amount: number, final = true) => {
  const authorizer = traffic.authorizer();
  await authorizer.clear(aRecord(purchase, amount, { final }), aCall());
  await authorizer.drain();
};
/** Their time is over now, by the database's clock. */
const letExpire = (...ids: string[]) =>
  traffic.owner
    .updateTable('transactions')
    .set({ expires_at: sql<Date>`cardloom_now()` })
    .where('id', 'in', ids)
    .execute();
const transaction = (id: string) =>
  traffic.engine
    .selectFrom('transactions')
    .select(['state', 'held', 'expires_at', 'event_count'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
const eventsOf = (id: string) =>
  traffic.engine
    .selectFrom('transaction_events')
    .select(['seq', 'kind', 'status', 'amount', 'actor'])
    .where('transaction_id', '=', id)
    .orderBy('seq')
    .execute();

describe('the expiry sweeper', () => {
  it('gives back what is due, and nothing else', async () => {
    const [due, later] = await approve(3_500, 2);
    if (!due || !later) throw new Error('no holds');
    await letExpire(due.id);
    expect(await createExpirySweep(parts())()).toBe(1);
    expect(await transaction(due.id)).toMatchObject({ state: 'EXPIRED', held: 0, expires_at: null });
    expect(await transaction(later.id)).toMatchObject({ state: 'AUTHORIZED', held: 3_500 });
    expect(await traffic.balance(card)).toMatchObject({ posted: 100_000, held: 3_500 });
    expect((await eventsOf(due.id)).at(-1)).toEqual({
      seq: 2,
      kind: 'EXPIRY',
      status: 'REVERSED',
      amount: 3_500,
      actor: 'SYSTEM:expiry',
    });
    const told = await traffic.engine
      .selectFrom('outbox')
      .select('event_seq')
      .where('transaction_id', '=', due.id)
      .orderBy('event_seq')
      .execute();
    expect(told.map((one) => one.event_seq)).toEqual([1, 2]);
  });

  it('ends a partly cleared one as CLEARED', async () => {
    const [one] = await approve(1_000);
    if (!one) throw new Error('no hold');
    await clear(one.purchase, 400, false);
    await letExpire(one.id);
    expect(await createExpirySweep(parts())()).toBe(1);
    expect(await transaction(one.id)).toMatchObject({ state: 'CLEARED', held: 0, expires_at: null });
    expect(await traffic.balance(card)).toMatchObject({ posted: 99_600, held: 0 });
  });

  it('goes on until none is due, also beyond one batch', async () => {
    const made = await approve(10, 1_010);
    await letExpire(...made.map((one) => one.id));
    expect(await createExpirySweep(parts())()).toBe(1_010);
    expect(await traffic.balance(card)).toMatchObject({ posted: 100_000, held: 0 });
    expect(await createExpirySweep(parts())()).toBe(0);
  });

  it('is harmless twice at once', async () => {
    const made = await approve(10, 300);
    await letExpire(...made.map((one) => one.id));
    const ended = await Promise.all([1, 2, 3].map(() => createExpirySweep(parts())()));
    expect(ended.reduce((sum, one) => sum + one, 0)).toBe(300);
    expect(await traffic.balance(card)).toMatchObject({ posted: 100_000, held: 0 });
    for (const { id } of made.slice(0, 20)) expect(await eventsOf(id)).toHaveLength(2);
  });

  it('leaves a row alone that somebody else works on', async () => {
    const [held, free] = await approve(10, 2);
    if (!held || !free) throw new Error('no holds');
    await letExpire(held.id, free.id);
    const client = await traffic.pool().connect();
    await client.query('begin');
    await client.query('select from transactions where id = $1 for no key update', [held.id]);
    const due = await atomically(traffic.engine, caller, (trx) => dueHolds(trx, null));
    expect(due.map((one) => one.transactionId)).toEqual([free.id]);
    await client.query('rollback');
    client.release();
    expect(await createExpirySweep(parts())()).toBe(2);
  });

  it('races clearings: each hold is resolved once, whoever wins', async () => {
    const made = await approve(10, 60);
    await letExpire(...made.map((one) => one.id));
    const authorizer = traffic.authorizer();
    await Promise.all([
      createExpirySweep(parts())(),
      ...made.map(({ purchase }) => authorizer.clear(aRecord(purchase, 10), aCall())),
    ]);
    await authorizer.drain();
    expect(await traffic.balance(card)).toMatchObject({ posted: 100_000 - 600, held: 0 });
  });

  it('goes by the clock of the database', async () => {
    const [one] = await approve(10);
    if (!one) throw new Error('no hold');
    const { expires_at: expiresAt } = await transaction(one.id);
    await sql`insert into clock_offset (offset_by)
      values (${expiresAt}::timestamptz - now() - interval '1 minute')`.execute(traffic.owner);
    await createExpirySweep(parts())();
    expect(await transaction(one.id)).toMatchObject({ state: 'AUTHORIZED' });
    await sql`update clock_offset set offset_by = offset_by + interval '61 seconds'`.execute(traffic.owner);
    await createExpirySweep(parts())();
    expect(await transaction(one.id)).toMatchObject({ state: 'EXPIRED' });
    await sql`delete from clock_offset`.execute(traffic.owner);
  });
});

describe('a release by hand', () => {
  const release = (id: string, amount: number | null, requestId: string = randomUUID()) =>
    createHoldActivities(parts()).releaseHold({
      transactionId: id,
      amount,
      reason: 'merchant closed',
      operatorId: 'ada',
      requestId,
    });

  it('gives back a part, then the rest, and tells who and why', async () => {
    const [one] = await approve(1_000);
    if (!one) throw new Error('no hold');
    expect(await release(one.id, 300)).toEqual({ result: 'RELEASED', amount: 300, state: 'AUTHORIZED' });
    expect(await traffic.balance(card)).toMatchObject({ held: 700 });
    expect(await release(one.id, null)).toMatchObject({ result: 'RELEASED', amount: 700, state: 'REVERSED' });
    expect(await release(one.id, null)).toEqual({ result: 'NOTHING_HELD' });
    expect((await eventsOf(one.id)).map((event) => event.actor).slice(1)).toEqual([
      'OPERATOR:ada',
      'OPERATOR:ada',
    ]);
    const audits = await traffic.engine
      .selectFrom('audit_log')
      .select(['actor_type', 'actor_id', 'after'])
      .where('action', '=', 'hold.released')
      .where('object_id', '=', one.id)
      .orderBy('id')
      .execute();
    expect(audits).toMatchObject([
      { actor_type: 'OPERATOR', actor_id: 'ada', after: { amount: 300, reason: 'merchant closed' } },
      { after: { amount: 700 } },
    ]);
  });

  it('happens once, however often it is tried', async () => {
    const [one] = await approve(1_000);
    if (!one) throw new Error('no hold');
    const requestId = randomUUID();
    const first = await release(one.id, 300, requestId);
    expect(await release(one.id, 300, requestId)).toEqual(first);
    expect(await traffic.balance(card)).toMatchObject({ held: 700 });
    expect(await eventsOf(one.id)).toHaveLength(2);
  });

  it('says when there is no such transaction', async () => {
    expect(await release(randomUUID(), null)).toEqual({ result: 'NO_TRANSACTION' });
  });
});
