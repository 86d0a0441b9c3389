import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transactionBody } from '../../activities/partner/schemas.ts';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import type { AuthorizationMessage } from '../../activities/authorization/messages.ts';
import { loadTransactionFacts } from '../../db/notification-facts.ts';
import { schemaOf } from '../../simulators/partner/schemas.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  aReversal,
  type CardTraffic,
  openCardTraffic,
  read,
  type TestCard,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let authorizer: Authorizer;
let card: TestCard;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  authorizer = traffic.authorizer();
  card = await traffic.card(await traffic.programme(), 1_000_000);
});

afterAll(async () => {
  await authorizer.drain();
  await traffic.end();
  await database.drop();
});

const STYLE = { dateStyle: 'ISO_MS_Z', numberStyle: 'STRING', captureModeStyle: 'TABLE' } as const;

/** What the partner is told of each step of a transaction, in one line a step. */
async function told(transactionId: string | null | undefined): Promise<string[]> {
  const rows = await traffic.engine
    .selectFrom('outbox')
    .select(['transaction_id as transactionId', 'event_seq as eventSeq'])
    .where('transaction_id', '=', transactionId ?? null)
    .orderBy('id')
    .execute();
  const keys = rows as { transactionId: string; eventSeq: number }[];
  const facts = await loadTransactionFacts(traffic.engine, keys);
  return [...facts.values()]
    .toSorted((one, other) => one.eventSeq - other.eventSeq)
    .map((one) => {
      const body = transactionBody(one, STYLE);
      expect(schemaOf('transaction', 'transaction')?.safeParse(body).error).toBeUndefined();
      const { type, category, status, amount, originalAmount, referenceExternalTransactionId } = body[
        'transaction'
      ] as Record<string, unknown>;
      const refers = referenceExternalTransactionId === null ? '' : ' refers';
      return `${body['status']} ${body['description']}: ${type} ${category} ${status} ${amount} of ${originalAmount}${refers}`;
    });
}

const abroad = (amount: number, changes: Partial<AuthorizationMessage> = {}): AuthorizationMessage =>
  aPurchase(card, amount, { originalAmount: 76_000, originalCurrency: 'THB', ...changes });

describe('the partner is told', () => {
  it('of a purchase, its reversal in part, its clearing and its refund in part', async () => {
    const purchase = abroad(2233);
    const { id } = read(await authorizer.authorize(purchase, aCall()));
    await authorizer.reverse(aReversal(purchase, { amount: 233, currency: 'EUR' }), aCall());
    await authorizer.clear(aRecord(purchase, 1000, { final: false, clearingSequence: 1 }), aCall());
    await authorizer.clear(aRecord(purchase, 1000, { clearingSequence: 2 }), aCall());
    await authorizer.clear(aRecord(purchase, 500, { recordType: 'REFUND' }), aCall());
    expect(await told(id)).toEqual([
      'SUCCESS APPROVED: POS DEBIT AUTHORIZED 2233 of 76000',
      'SUCCESS APPROVED: Adjustment CREDIT AUTHORIZED 233 of null refers',
      'SUCCESS APPROVED: POS DEBIT AUTHORIZED 1000 of null',
      'SUCCESS APPROVED: POS DEBIT CLEARED 1000 of null',
      'SUCCESS APPROVED: Adjustment CREDIT CLEARED 500 of null refers',
    ]);
  });

  it('of a purchase that clears as a whole', async () => {
    const purchase = abroad(2233);
    const { id } = read(await authorizer.authorize(purchase, aCall()));
    await authorizer.clear(aRecord(purchase, 2233), aCall());
    expect(await told(id)).toEqual([
      'SUCCESS APPROVED: POS DEBIT AUTHORIZED 2233 of 76000',
      'SUCCESS APPROVED: POS DEBIT CLEARED 2233 of 76000',
    ]);
  });

  it('of refusals', async () => {
    const declined = read(await authorizer.authorize(abroad(9_000_000), aCall()));
    const invalid = read(await authorizer.authorize(aPurchase(card, 100, { currency: 'USD' }), aCall()));
    expect(await told(declined.id)).toEqual([
      'DECLINED INSUFFICIENT_FUNDS: POS DEBIT AUTHORIZED 9000000 of 76000',
    ]);
    expect(await told(invalid.id)).toEqual(['INVALID CURRENCY_MISMATCH: POS DEBIT AUTHORIZED 100 of null']);
  });

  it('of what has no purchase: a force post, a refund, a reversal', async () => {
    const nobody = aPurchase(card, 100);
    const { results } = await authorizer.clear(aRecord(nobody, 300, { recordType: 'CASH' }), aCall());
    expect(await told(results[0]?.id)).toEqual(['SUCCESS APPROVED: ATM DEBIT CLEARED 300 of null']);
    const refund = await authorizer.clear(aRecord(aPurchase(card, 1), 40, { recordType: 'REFUND' }), aCall());
    expect(await told(refund.results[0]?.id)).toEqual([
      'SUCCESS APPROVED: Adjustment CREDIT CLEARED 40 of null',
    ]);
    const reversal = read(await authorizer.reverse(aReversal(aPurchase(card, 1)), aCall()));
    expect(await told(reversal.id)).toEqual([
      'INVALID REFERENCED_TRANSACTION_NOT_FOUND: Adjustment CREDIT AUTHORIZED 0 of null',
    ]);
  });
});
