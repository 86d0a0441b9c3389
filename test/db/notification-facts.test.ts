import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transactionBody } from '../../activities/partner/schemas.ts';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { eventKey, loadTransactionFacts } from '../../db/notification-facts.ts';
import type { Programme } from '../../db/partners.ts';
import { schemaOf } from '../../simulators/partner/schemas.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  aReversal,
  type CardTraffic,
  openCardTraffic,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { PLAIN_STYLE } from '../support/partner-connection.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let authorizer: Authorizer;
let programme: Programme;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  authorizer = traffic.authorizer();
  programme = await traffic.programme();
});
afterAll(async () => {
  await authorizer.drain();
  await traffic.end();
  await database.drop();
});

interface Told {
  readonly status: string;
  readonly description: string;
  readonly transaction: Readonly<Record<string, unknown>>;
}

/** What a partner is told of every event of the newest transactions, oldest first. */
async function told(where: { cardId?: number; balanceId?: string }): Promise<Told[]> {
  let query = traffic.engine
    .selectFrom('transaction_events')
    .innerJoin('transactions', 'transactions.id', 'transaction_events.transaction_id')
    .select(['transaction_id as transactionId', 'seq as eventSeq']);
  if (where.cardId !== undefined) query = query.where('card_id', '=', where.cardId);
  if (where.balanceId !== undefined) {
    query = query.where('balance_id', '=', where.balanceId).where('card_id', 'is', null);
  }
  const keys = await query.orderBy('transaction_id').orderBy('seq').execute();
  const facts = await loadTransactionFacts(traffic.engine, keys);
  return keys.map((key) => {
    const found = facts.get(eventKey(key));
    if (found === undefined) throw new Error('an event has no facts');
    const body = transactionBody(found, PLAIN_STYLE);
    expect(schemaOf('transaction', 'transaction')?.safeParse(body).error).toBeUndefined();
    return body as unknown as Told;
  });
}

describe('what a partner is told of real traffic', () => {
  it('purchase and clearing are two steps of one transaction', async () => {
    const card = await traffic.card(programme, 10_000);
    const purchase = aPurchase(card, 1_234);
    await authorizer.authorize(purchase, aCall());
    await authorizer.clear(aRecord(purchase, 1_300), aCall());
    const steps = await told({ cardId: card.cardId });
    expect(steps).toMatchObject([
      {
        status: 'SUCCESS',
        description: 'APPROVED',
        transaction: {
          type: 'POS',
          category: 'DEBIT',
          amount: 1_234,
          status: 'AUTHORIZED',
          cardId: String(card.cardId),
        },
      },
      { status: 'SUCCESS', transaction: { amount: 1_300, status: 'CLEARED' } },
    ]);
    expect(steps[0]?.transaction['id']).toBe(steps[1]?.transaction['id']);
    expect(steps[0]?.transaction['transactionData']).toMatchObject({ mcc: '5942', captureMode: 'nfc' });
  });

  it('a reversal gives back with an id of its own and refers to the purchase', async () => {
    const card = await traffic.card(programme, 10_000);
    const purchase = aPurchase(card, 2_000);
    await authorizer.authorize(purchase, aCall());
    const reversal = aReversal(purchase, { amount: 500, currency: 'EUR' });
    await authorizer.reverse(reversal, aCall());
    expect((await told({ cardId: card.cardId })).at(-1)).toMatchObject({
      transaction: {
        type: 'Adjustment',
        category: 'CREDIT',
        amount: 500,
        externalTransactionId: reversal.externalTransactionId,
        referenceExternalTransactionId: purchase.externalTransactionId,
      },
    });
  });

  it('a refused purchase is told with its reason and AUTHORIZED', async () => {
    const card = await traffic.card(programme, 100);
    await authorizer.authorize(aPurchase(card, 5_000), aCall());
    expect(await told({ cardId: card.cardId })).toMatchObject([
      {
        status: 'DECLINED',
        description: 'INSUFFICIENT_FUNDS',
        transaction: { status: 'AUTHORIZED', amount: 5_000 },
      },
    ]);
  });

  it('a top up is told of the balance, without a card', async () => {
    const card = await traffic.card(programme, 700);
    const steps = await told({ balanceId: card.balanceId });
    expect(steps[0]).toMatchObject({
      transaction: {
        type: 'topUp',
        category: 'CREDIT',
        resource: 'balance',
        resourceId: card.balanceId,
        cardId: null,
      },
    });
  });
});
