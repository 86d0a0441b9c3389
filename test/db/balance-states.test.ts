import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import { blockBalance, deleteBalance, unblockBalance } from '../../db/balance-states.ts';
import { requestCard } from '../../db/cards.ts';
import type { Programme } from '../../db/partners.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { Refusal } from '../../domain/errors.ts';
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
import { holdOpen, SYSTEM, untilSomebodyWaits } from '../support/held-transaction.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let authorizer: Authorizer;
let programme: Programme;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  authorizer = traffic.authorizer();
  programme = await traffic.programme({ funding: 'deposit' });
});

afterAll(async () => {
  await authorizer.drain();
  expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  await traffic.end();
  await database.drop();
});

/** The outcome of `work` in a transaction of its own: `done`, or the code it was refused with. */
async function outcome(work: (trx: Trx) => Promise<unknown>): Promise<string> {
  try {
    await atomically(traffic.engine, SYSTEM, work);
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const remove = ({ balanceId }: TestCard) => outcome((trx) => deleteBalance(trx, { balanceId }));

const stateOf = async ({ balanceId }: TestCard) =>
  (
    await traffic.owner
      .selectFrom('balances')
      .select('state')
      .where('balance_id', '=', balanceId)
      .executeTakeFirstOrThrow()
  ).state;

const auditsOf = async ({ balanceId }: TestCard) =>
  (
    await traffic.owner
      .selectFrom('audit_log')
      .select(['action', 'before', 'after'])
      .where('object_id', '=', balanceId)
      .orderBy('id')
      .execute()
  ).filter((row) => row.action !== 'balance.created');

/** The wire cannot remove cards yet; the row that decisions work on is left as it is. */
async function removeCards({ balanceId }: TestCard): Promise<void> {
  await sql`update cards set base_state = 'REMOVED' where balance_id = ${balanceId}`.execute(traffic.owner);
}

async function anEmptyBalance(): Promise<TestCard> {
  const card = await traffic.card(programme, 0);
  await removeCards(card);
  return card;
}

const request = (trx: Trx, card: TestCard) =>
  requestCard(trx, {
    programmeId: programme.programmeId,
    partnerId: programme.partnerId,
    configId: '1',
    kind: 'VIRTUAL',
    balanceId: card.balanceId,
    customerId: card.customerId,
    corporationId: null,
    label: null,
  });

describe('a balance is deleted', () => {
  it('at zero, without holds and live cards, once, with an audit row', async () => {
    const card = await anEmptyBalance();
    expect(await remove(card)).toBe('done');
    expect(await stateOf(card)).toBe('CLOSED');
    expect(await auditsOf(card)).toEqual([
      { action: 'balance.deleted', before: { state: 'ACTIVE' }, after: { state: 'CLOSED' } },
    ]);
    expect(await remove(card)).toBe('STATE_CONFLICT');
    expect(await auditsOf(card)).toHaveLength(1);
  });

  it('while it is blocked too', async () => {
    const card = await anEmptyBalance();
    await outcome((trx) => blockBalance(trx, card, 'fraud'));
    expect(await remove(card)).toBe('done');
  });

  it('not with money, holds or cards, and then nothing changes', async () => {
    const card = await traffic.card(programme, 1_000);
    expect(await remove(card)).toBe('BALANCE_NOT_EMPTY');
    const purchase = aPurchase(card, 1_000);
    expect(read(await authorizer.authorize(purchase, aCall()))).toMatchObject({ result: 'APPROVED' });
    expect(await remove(card)).toBe('BALANCE_NOT_EMPTY');
    await authorizer.clear(aRecord(purchase, 1_000), aCall());
    expect(await traffic.balance(card)).toMatchObject({ posted: 0, held: 0 });
    expect(await remove(card)).toBe('BALANCE_HAS_CARDS');
    await removeCards(card);
    expect(await auditsOf(card)).toEqual([]);
    expect(await remove(card)).toBe('done');
  });

  it('not with a hold on nothing that is posted', async () => {
    const card = await traffic.card(programme, 1_000);
    const purchase = aPurchase(card, 1_000);
    await authorizer.authorize(purchase, aCall());
    // A record that names no authorization is posted beside the hold.
    await authorizer.clear(aRecord(aPurchase(card, 1_000), 1_000), aCall());
    await removeCards(card);
    expect(await traffic.balance(card)).toMatchObject({ posted: 0, held: 1_000 });
    expect(await remove(card)).toBe('BALANCE_HAS_HOLDS');
    await authorizer.clear(aRecord(purchase, 1_000), aCall());
    expect(await traffic.balance(card)).toMatchObject({ posted: -1_000, held: 0 });
    expect(await remove(card)).toBe('BALANCE_NOT_EMPTY');
  });

  it('not while a card is asked for; one that was never made is no hindrance', async () => {
    const card = await anEmptyBalance();
    await atomically(traffic.engine, SYSTEM, (trx) => request(trx, card));
    expect(await remove(card)).toBe('BALANCE_HAS_CARDS');
    await sql`update cards set base_state = 'FAILED'
      where balance_id = ${card.balanceId} and base_state = 'PENDING'`.execute(traffic.owner);
    expect(await remove(card)).toBe('done');
  });

  it('only where the caller may look', async () => {
    const card = await anEmptyBalance();
    const { balanceId } = card;
    const elsewhere = await traffic.programme();
    const look = (target: object) => outcome((trx) => deleteBalance(trx, { balanceId, ...target }));
    expect(await look({ programmeIds: [elsewhere.programmeId] })).toBe('BALANCE_NOT_FOUND');
    expect(await look({ customerId: card.customerId + 1 })).toBe('BALANCE_NOT_FOUND');
    expect(await look({ balanceId: randomUUID() })).toBe('BALANCE_NOT_FOUND');
    expect(await look({ programmeIds: [programme.programmeId], customerId: card.customerId })).toBe('done');
  });
});

describe('a balance is deleted on one connection while on another', () => {
  it('a purchase waits: it finds the balance closed and leaves no hold', async () => {
    const card = await anEmptyBalance();
    const deletion = await holdOpen(traffic.owner, (trx) => deleteBalance(trx, card));
    const purchase = authorizer.authorize(aPurchase(card, 100), aCall());
    await untilSomebodyWaits(traffic.engine);
    await deletion.commit();
    expect(read(await purchase)).toMatchObject({ result: 'DECLINED', description: 'BALANCE_NOT_FOUND' });
    const { reason } = await traffic.owner
      .selectFrom('transactions')
      .select('reason')
      .where('balance_id', '=', card.balanceId)
      .executeTakeFirstOrThrow();
    expect(reason).toBe('BALANCE_CLOSED');
    expect(await traffic.balance(card)).toMatchObject({ posted: 0, held: 0 });
  });

  it('a top-up waits: it is refused', async () => {
    const card = await anEmptyBalance();
    const deletion = await holdOpen(traffic.owner, (trx) => deleteBalance(trx, card));
    const topUp = traffic.topUp(programme, card.balanceId, 100);
    await untilSomebodyWaits(traffic.owner);
    await deletion.commit();
    expect(await topUp).toMatchObject({ posted: false, refusal: { code: 'BALANCE_NOT_FOUND' } });
    expect(await traffic.balance(card)).toMatchObject({ posted: 0 });
  });

  it('a card is asked for: it is refused', async () => {
    const card = await anEmptyBalance();
    const deletion = await holdOpen(traffic.owner, (trx) => deleteBalance(trx, card));
    const asked = outcome((trx) => request(trx, card));
    await untilSomebodyWaits(traffic.owner);
    await deletion.commit();
    expect(await asked).toBe('BALANCE_NOT_ACTIVE');
  });

  it('a card was asked for a moment ago: the deletion waits and is refused', async () => {
    const card = await anEmptyBalance();
    const asking = await holdOpen(traffic.owner, (trx) => request(trx, card));
    const deletion = remove(card);
    await untilSomebodyWaits(traffic.owner);
    await asking.commit();
    expect(await deletion).toBe('BALANCE_HAS_CARDS');
    expect(await stateOf(card)).toBe('ACTIVE');
  });

  it('purchases clear and others come: what is closed is empty', async () => {
    for (let round = 0; round < 10; round += 1) {
      const card = await traffic.card(programme, 1_000);
      const purchase = aPurchase(card, 1_000);
      await authorizer.authorize(purchase, aCall());
      await removeCards(card);
      const [, , ...deletions] = await Promise.all([
        authorizer.clear(aRecord(purchase, 1_000), aCall()),
        authorizer.authorize(aPurchase(card, 10), aCall()),
        ...Array.from({ length: 4 }, () => remove(card)),
      ]);
      expect(deletions.filter((one) => one === 'done').length).toBeLessThanOrEqual(1);
      expect(await traffic.balance(card)).toMatchObject({ posted: 0, held: 0 });
      const done = deletions.includes('done') ? 'STATE_CONFLICT' : 'done';
      expect(await remove(card)).toBe(done);
    }
  });
});

describe('a balance is blocked', () => {
  it('declines purchases until it is unblocked, takes credits, and leaves the reason in the audit', async () => {
    const card = await traffic.card(programme, 1_000);
    expect(await outcome((trx) => blockBalance(trx, card, 'reported stolen'))).toBe('done');
    expect(read(await authorizer.authorize(aPurchase(card, 1), aCall()))).toMatchObject({
      result: 'DECLINED',
      description: 'BALANCE_NOT_FOUND',
    });
    expect(await traffic.topUp(programme, card.balanceId, 5)).toMatchObject({ posted: true });
    expect(await outcome((trx) => blockBalance(trx, card, 'again'))).toBe('STATE_CONFLICT');
    expect(await outcome((trx) => unblockBalance(trx, card, 'found'))).toBe('done');
    expect(await outcome((trx) => unblockBalance(trx, card, 'again'))).toBe('STATE_CONFLICT');
    expect(read(await authorizer.authorize(aPurchase(card, 1), aCall()))).toMatchObject({
      result: 'APPROVED',
    });
    expect(await auditsOf(card)).toEqual([
      {
        action: 'balance.blocked',
        before: { state: 'ACTIVE' },
        after: { state: 'BLOCKED', reason: 'reported stolen' },
      },
      {
        action: 'balance.unblocked',
        before: { state: 'BLOCKED' },
        after: { state: 'ACTIVE', reason: 'found' },
      },
    ]);
  });
});
