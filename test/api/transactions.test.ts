import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transactionSchema } from '../../api/schemas/transaction.ts';
import { aCustomer, encrypted, openAnswer, topUp } from '../support/builders.ts';
import { aPurchase, aRecord, aReversal } from '../support/card-traffic.ts';
import { type ApiHarness, type CallOptions, startApi } from '../support/harness.ts';
import { anApproval, aPayingCard, type PayingCard, send } from '../support/processor-calls.ts';

let api: ApiHarness;
let card: PayingCard;

beforeAll(async () => {
  api = await startApi();
  card = await aPayingCard(api, 100_000);
});

afterAll(async () => {
  await api.stop();
});

const read = (id: string | null, options: CallOptions = {}) =>
  api.call('GET', `/secure/transactions/${id}`, options);

describe('GET /secure/transactions/{transactionId}', () => {
  it('200: an authorization with its hold, in the shape that is described', async () => {
    const { answer, purchase } = await anApproval(api, card, 2_233);
    const transaction = await read(answer.id);
    expect(transaction.status).toBe(200);
    expect(transactionSchema.safeParse(transaction.body).error).toBeUndefined();
    expect(transaction.body).toMatchObject({
      id: answer.id,
      balanceId: card.balanceId,
      resource: 'card',
      resourceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      cardId: String(card.cardId),
      customerId: card.customerId,
      transactionId: purchase.externalTransactionId,
      type: 'pos',
      category: 'DEBIT',
      amount: 2_233,
      currency: 'EUR',
      status: 'AUTHORIZED',
      processingStatus: 'SUCCESS',
      result: 'APPROVED',
      reason: null,
      description: 'BOOK STORE',
      date: '2026-03-01T09:10:54.000Z',
      authorizedAmount: 2_233,
      clearedAmount: 0,
      holdAmount: 2_233,
      holdExpiresAt: expect.stringMatching(/Z$/),
      transactionData: {
        mcc: '5942',
        captureMode: 'nfc',
        retrievalReferenceNumber: purchase.retrievalReferenceNumber,
        lastFourDigits: expect.stringMatching(/^[0-9]{4}$/),
        merchantName: null,
      },
    });
    expect(transaction.body.balanceBefore - transaction.body.balanceAfter).toBe(2_233);
    expect(transaction.body.resourceId).not.toBe(card.balanceId);
  });

  it('200: in another currency, with the rate in major units', async () => {
    const message = aPurchase(card, 2_233, { originalAmount: 76_000, originalCurrency: 'THB' });
    const { body } = await send(api, 'authorizations', message);
    expect((await read(body.id)).body).toMatchObject({
      originalAmount: 76_000,
      originalCurrency: 'THB',
      exchangeRate: '34.0349305867',
    });
  });

  it('200: a declined one moved nothing', async () => {
    const { body } = await send(api, 'authorizations', aPurchase(card, 999_999_999));
    const transaction = await read(body.id);
    expect(transaction.body).toMatchObject({
      status: 'AUTHORIZED',
      processingStatus: 'DECLINED',
      result: 'INSUFFICIENT_FUNDS',
      holdAmount: 0,
      holdExpiresAt: null,
    });
    expect(transaction.body.balanceAfter).toBe(transaction.body.balanceBefore);
  });

  it('200: reversed, and cleared', async () => {
    const reversed = await anApproval(api, card, 100);
    await send(api, 'reversals', aReversal(reversed.purchase));
    expect((await read(reversed.answer.id)).body).toMatchObject({
      status: 'REVERSED',
      reversedAmount: 100,
      holdAmount: 0,
    });
    const cleared = await anApproval(api, card, 100);
    await send(api, 'clearings', aRecord(cleared.purchase, 90));
    expect((await read(cleared.answer.id)).body).toMatchObject({
      status: 'CLEARED',
      clearedAmount: 90,
      holdAmount: 0,
    });
  });

  it('200: a top-up, on both path forms, also encrypted', async () => {
    const posted = (await topUp(api, card, 500)).body;
    const short = await read(posted.id);
    const long = await api.call('GET', `/secure/customers/${card.customerId}/transactions/${posted.id}`);
    expect(short.body).toEqual(posted);
    expect(long.body).toEqual(posted);
    expect(await openAnswer(await read(posted.id, { headers: encrypted }))).toEqual(posted);
  });

  it("404 TRANSACTION_NOT_FOUND: nothing, another user's, another partner's, another programme's", async () => {
    const { answer } = await anApproval(api, card, 100);
    const stranger = await aCustomer(api);
    const missing = await read('11111111-1111-4111-8111-111111111111');
    expect([missing.status, missing.body.title]).toEqual([404, 'TRANSACTION_NOT_FOUND']);
    const answers = [
      await api.call('GET', `/secure/customers/${stranger}/transactions/${answer.id}`),
      await read(answer.id, { as: 'other' }),
      await read(answer.id, { headers: { 'Issuer-Code': 'credit' } }),
    ];
    for (const one of answers) expect([one.status, one.text]).toEqual([404, missing.text]);
  });

  it('400 VALIDATION_ERROR: what is no id, and a query', async () => {
    expect((await read('177482')).body.errors[0].field).toBe('transactionId');
    const { answer } = await anApproval(api, card, 100);
    expect((await api.call('GET', `/secure/transactions/${answer.id}?full=1`)).status).toBe(400);
  });
});
