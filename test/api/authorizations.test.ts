import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authorizationAnswer, clearingAnswer } from '../../api/processor/schemas.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { encrypted, openAnswer } from '../support/builders.ts';
import { aPurchase, aRecord, aReversal } from '../support/card-traffic.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { anApproval, aPayingCard, type PayingCard, send } from '../support/processor-calls.ts';
import { type TableState, type TableWatch, watchTables } from '../support/table-state.ts';

let api: ApiHarness;
let tables: TableWatch;

beforeAll(async () => {
  api = await startApi();
  tables = await watchTables(api.databaseUrls.adminUrl);
});

afterEach(async () => {
  expect(await verifyLedger(api.owner)).toEqual({ ok: true, differences: [] });
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await tables.end();
  await api.stop();
});

const authorize = (body: unknown) => send(api, 'authorizations', body);
const reverse = (body: unknown) => send(api, 'reversals', body);
const clear = (body: unknown) => send(api, 'clearings', body);

const faults = (answer: HttpAnswer): string[] =>
  answer.body.errors.map((one: { field: string }) => one.field).toSorted();

/** What the partner sees of a balance. */
async function funds({ balanceId }: PayingCard): Promise<{ amount: number; held: number }> {
  const { body } = await api.call('GET', `/secure/balances/${balanceId}`);
  expect(body.availableAmount).toBe(body.amount - body.heldAmount);
  return { amount: body.amount, held: body.heldAmount };
}

const transaction = async (id: string) => (await api.call('GET', `/secure/transactions/${id}`)).body;

async function changedSince(before: TableState): Promise<string[]> {
  const after = await tables.state();
  return Object.keys(after)
    .filter((name) => after[name] !== before[name])
    .map((name) => name.replace(/_20\d\d_\d\d$/, '').replace('public.', ''))
    .toSorted();
}

const RECORDED = ['network_keys', 'outbox', 'transaction_events', 'transactions'];

describe('POST /processor/authorizations: approved', () => {
  it('200 APPROVED: the documented answer, and the money is held', async () => {
    const card = await aPayingCard(api, 10_000);
    const answer = await authorize(aPurchase(card, 2_233));
    expect(answer.status).toBe(200);
    expect(authorizationAnswer.safeParse(answer.body).error).toBeUndefined();
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      result: 'APPROVED',
      description: 'APPROVED',
      reason: null,
      actionCode: '0000',
      responseCode: '00',
      authorizationCode: expect.stringMatching(/^[A-Z0-9]{6}$/),
      approvedAmount: 2_233,
      currency: 'EUR',
      availableAmount: null,
      iccResponse: null,
    });
    expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8');
    expect(await funds(card)).toEqual({ amount: 10_000, held: 2_233 });
  });

  it.each(['POS', 'pos', 'P-O-S', 'aft', 'AFT'])('200 APPROVED: the type %j', async (type) => {
    const card = await aPayingCard(api, 100);
    expect((await authorize(aPurchase(card, 100, { type }))).body.result).toBe('APPROVED');
  });

  it.each(['cashback', 'Cashback at POS', 'cashback_at_pos'])('200 APPROVED: the type %j', async (type) => {
    const card = await aPayingCard(api, 100);
    const transactionData = { mcc: '5942', cashbackPosAmount: 40, cashbackPosCurrencyCode: 'EUR' };
    const chipAndPin = { entryMode: '051', verification: { pin: 'MATCH' as const } };
    const answer = await authorize(aPurchase(card, 100, { type, transactionData, ...chipAndPin }));
    expect(answer.body.result).toBe('APPROVED');
    expect((await transaction(answer.body.id)).type).toBe('cashback_at_pos');
  });

  it('200 APPROVED: what an inquiry needs, and nothing is held', async () => {
    const card = await aPayingCard(api, 10_000);
    const inquiry = aPurchase(card, 0, { kind: 'BALANCE_INQUIRY', type: 'Balance Inquiry' });
    const answer = await authorize(inquiry);
    expect(answer.body).toMatchObject({ result: 'APPROVED', availableAmount: 10_000, approvedAmount: 0 });
    expect(await funds(card)).toEqual({ amount: 10_000, held: 0 });
  });

  it('200 APPROVED: a text is taken without its outer blanks, in NFC', async () => {
    const card = await aPayingCard(api, 100);
    const answer = await authorize(aPurchase(card, 100, { description: '  CAFE\u0301 ADA   ' }));
    expect((await transaction(answer.body.id)).description).toBe('CAF\u00c9 ADA');
  });

  it('200 APPROVED: encrypted both ways when asked for', async () => {
    const card = await aPayingCard(api, 100);
    const answer = await send(api, 'authorizations', aPurchase(card, 100), { headers: encrypted });
    expect(await openAnswer(answer)).toMatchObject({ result: 'APPROVED', approvedAmount: 100 });
  });

  it('seven of a hundred at a time, when there is money for seven', async () => {
    const card = await aPayingCard(api, 799);
    const answers = await Promise.all(Array.from({ length: 100 }, () => authorize(aPurchase(card, 100))));
    expect(answers.map((answer) => answer.status)).toEqual(Array(100).fill(200));
    const results = answers.map((answer) => `${answer.body.result} ${answer.body.description}`);
    expect(results.filter((one) => one === 'APPROVED APPROVED')).toHaveLength(7);
    expect(results.filter((one) => one === 'DECLINED INSUFFICIENT_FUNDS')).toHaveLength(93);
    expect(await funds(card)).toEqual({ amount: 799, held: 700 });
    const ids = answers.map((answer) => answer.body.id);
    expect(new Set(ids).size).toBe(100);
  });
});

describe('POST /processor/authorizations: declined', () => {
  it('200 INSUFFICIENT_FUNDS: nothing moves, the decision is recorded and told', async () => {
    const card = await aPayingCard(api, 100);
    const before = await tables.state();
    const answer = await authorize(aPurchase(card, 101));
    expect(answer.status).toBe(200);
    expect(authorizationAnswer.safeParse(answer.body).error).toBeUndefined();
    expect(answer.body).toMatchObject({
      id: expect.any(String),
      result: 'DECLINED',
      description: 'INSUFFICIENT_FUNDS',
      responseCode: '51',
      actionCode: '1016',
      authorizationCode: null,
    });
    expect(await changedSince(before)).toEqual(RECORDED);
    expect(await funds(card)).toEqual({ amount: 100, held: 0 });
  });

  it('200 CARD_NOT_FOUND: a card that nobody knows, without an id', async () => {
    const before = await tables.state();
    const answer = await authorize(
      aPurchase({ cardId: 1, balanceId: '', customerId: 1, processorCardId: 'pc_unknown' }, 100),
    );
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      id: null,
      result: 'DECLINED',
      description: 'CARD_NOT_FOUND',
      reason: 'CARD_UNKNOWN',
      responseCode: '14',
      actionCode: '1011',
      authorizationCode: null,
    });
    expect(await changedSince(before)).not.toContain('transactions');
  });

  it('200 CARD_NOT_FOUND with the code of the lock: from the moment of the lock to that of the unlock', async () => {
    const card = await aPayingCard(api, 1_000);
    await api.call('POST', `/secure/cards/${card.cardId}/lock`, { body: { reason: 7 } });
    const locked = await authorize(aPurchase(card, 100));
    expect(locked.body).toMatchObject({
      result: 'DECLINED',
      description: 'CARD_NOT_FOUND',
      reason: 'CARD_LOCKED_7',
      responseCode: '59',
      actionCode: '1002',
    });
    await api.call('POST', `/secure/cards/${card.cardId}/unlock`);
    expect((await authorize(aPurchase(card, 100))).body.result).toBe('APPROVED');
  });

  it.each([
    ['an amount of nothing', { amount: 0 }],
    ['an amount below nothing', { amount: -100 }],
    ['an original amount of nothing', { originalAmount: 0, originalCurrency: 'USD' }],
    ['an inquiry with an amount', { kind: 'BALANCE_INQUIRY' as const, type: 'balance_inquiry' }],
  ])('200 INVALID_AMOUNT: %s is decided, not refused', async (_name, changes) => {
    const card = await aPayingCard(api, 1_000);
    const answer = await authorize(aPurchase(card, 100, changes));
    expect([answer.status, answer.body.description, answer.body.responseCode]).toEqual([
      200,
      'INVALID_AMOUNT',
      '13',
    ]);
    expect((await transaction(answer.body.id)).processingStatus).toBe('INVALID');
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
  });

  it.each(['teleport', 'topUp', 'balance_inquiry'])('200 UNKNOWN_TRANSACTION_TYPE: %s', async (type) => {
    const card = await aPayingCard(api, 1_000);
    const answer = await authorize(aPurchase(card, 100, { type }));
    expect([answer.status, answer.body.description, answer.body.responseCode]).toEqual([
      200,
      'UNKNOWN_TRANSACTION_TYPE',
      '40',
    ]);
  });
});

describe('POST /processor/authorizations: repeats', () => {
  it('200 again: the stored answer byte for byte; what may change may change', async () => {
    const card = await aPayingCard(api, 1_000);
    const purchase = aPurchase(card, 100);
    const first = await authorize(purchase);
    const before = await tables.state();
    const again = await authorize({
      ...purchase,
      messageId: 'another',
      transmissionAt: '2026-03-01T10:10:59Z',
      repeat: true,
    });
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(await changedSince(before)).toEqual([]);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 100 });
  });

  it('200 again: a declined one stays declined, though there is money now', async () => {
    const card = await aPayingCard(api, 10);
    const purchase = aPurchase(card, 100);
    const first = await authorize(purchase);
    const more = await api.call('POST', `/secure/balances/${card.balanceId}/reload`, {
      headers: { 'X-Idempotency-Key': `more-${card.cardId}` },
      body: { amount: 1_000 },
    });
    expect(more.status).toBe(201);
    const again = await authorize(purchase);
    expect(again.text).toBe(first.text);
    expect((await authorize(aPurchase(card, 100))).body.result).toBe('APPROVED');
  });

  it('200 once: twenty of the same message at a time', async () => {
    const card = await aPayingCard(api, 1_000);
    const purchase = aPurchase(card, 100);
    const answers = await Promise.all(Array.from({ length: 20 }, () => authorize(purchase)));
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === undefined)).toHaveLength(1);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 100 });
  });

  it.each([
    ['amount', { amount: 99 }],
    ['type', { type: 'aft' }],
    ['currency', { currency: 'USD' }],
    ['reference', { networkReferenceId: 'OTHER' }],
  ])('200 DUPLICATE_KEY_CONFLICT: the key with another %s; nothing is changed', async (_name, changes) => {
    const card = await aPayingCard(api, 1_000);
    const purchase = aPurchase(card, 100);
    const first = await authorize(purchase);
    const before = await tables.state();
    const other = await authorize({ ...purchase, ...changes });
    expect(other.status).toBe(200);
    expect(other.body).toMatchObject({
      result: 'DECLINED',
      description: 'UNKNOWN_ERROR',
      reason: 'DUPLICATE_KEY_CONFLICT',
      responseCode: '94',
      actionCode: '1000',
      authorizationCode: null,
    });
    expect((await changedSince(before)).filter((name) => name !== 'exceptions')).toEqual([]);
    expect((await authorize(purchase)).text).toBe(first.text);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 100 });
  });

  it('X-Idempotency-Key guards nothing here: one key, two messages, two decisions', async () => {
    const card = await aPayingCard(api, 1_000);
    const options = { headers: { 'X-Idempotency-Key': 'one' } };
    await send(api, 'authorizations', aPurchase(card, 100), options);
    await send(api, 'authorizations', aPurchase(card, 100), options);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 200 });
  });
});

describe('POST /processor/authorizations: refused', () => {
  it('400 VALIDATION_ERROR: all faults in one answer, and no decision', async () => {
    const card = await aPayingCard(api, 1_000);
    const before = await tables.state();
    const answer = await authorize({
      ...aPurchase(card, 100),
      kind: 'ADVICE',
      messageId: 5,
      processorCardId: '',
      amount: '100',
      currency: 'eur',
      stan: '12345',
      date: '2026-03-01T10:10:54',
      acquirerId: '123456789012',
      retrievalReferenceNumber: '12345678901a',
      externalTransactionId: 'x'.repeat(65),
      pan: '5555444455554444',
      transactionData: { mcc: '59', colour: 'red', acquirerCountry: 'PL' },
      verification: { pin: 'maybe' },
    });
    expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    expect(faults(answer)).toEqual([
      'acquirerId',
      'amount',
      'currency',
      'date',
      'externalTransactionId',
      'kind',
      'messageId',
      'pan',
      'processorCardId',
      'retrievalReferenceNumber',
      'stan',
      'transactionData.acquirerCountry',
      'transactionData.colour',
      'transactionData.mcc',
      'verification.pin',
    ]);
    expect(answer.text).not.toContain('5555');
    expect(await changedSince(before)).toEqual([]);
  });

  it('400 VALIDATION_ERROR: an empty message names every mandatory field', async () => {
    const answer = await authorize({});
    expect(faults(answer)).toEqual([
      'acquirerId',
      'amount',
      'currency',
      'date',
      'externalTransactionId',
      'kind',
      'messageId',
      'processorCardId',
      'retrievalReferenceNumber',
      'stan',
      'type',
    ]);
    expect(answer.body.errors[0].message).toBe('is required');
  });

  it.each([
    { date: '0000-01-01T00:00:00+01:00' },
    { date: '2026-02-30T10:00:00+01:00' },
    { date: '2026-03-01T10:00:00+23:00' },
    { date: '2026-03-01' },
    { date: 1_772_356_254 },
    { amount: 1.5 },
    { amount: 9_007_199_254_740_992 },
    { amount: null },
    { originalAmount: 100 },
    { originalCurrency: 'USD' },
    { expiry: '2030-13' },
    { icc: 'xyz' },
    { payload: 'x' },
    { messageId: '' },
    { description: '   ' },
    { verification: 'MATCH' },
    { transactionData: [] },
  ])('400 VALIDATION_ERROR: %j', async (changes) => {
    const card = await aPayingCard(api, 1_000);
    const answer = await authorize({ ...aPurchase(card, 100), ...changes });
    expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
  });

  it('403 FORBIDDEN: a partner, and the sponsor, on every path of the processor', async () => {
    const card = await aPayingCard(api, 1_000);
    const before = await tables.state();
    for (const as of ['demo', 'other', 'sponsor'] as const) {
      for (const path of ['authorizations', 'reversals', 'clearings'] as const) {
        const answer = await send(api, path, aPurchase(card, 100), { as });
        expect([answer.status, answer.body.title]).toEqual([403, 'FORBIDDEN']);
      }
    }
    expect(await changedSince(before)).toEqual([]);
  });

  it('413 PAYLOAD_TOO_LARGE: a message of more than 64 kB', async () => {
    const card = await aPayingCard(api, 1_000);
    const answer = await authorize({ ...aPurchase(card, 100), description: 'x'.repeat(65 * 1024) });
    expect([answer.status, answer.body.title]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
  });

  it('415 UNSUPPORTED_MEDIA_TYPE', async () => {
    const answer = await send(api, 'authorizations', '{}', { headers: { 'Content-Type': 'text/plain' } });
    expect([answer.status, answer.body.title]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });
});

describe('POST /processor/reversals', () => {
  const acknowledged = { result: 'ACKNOWLEDGED', responseCode: '00' };

  it('200 ACKNOWLEDGED: everything, and the hold is gone', async () => {
    const card = await aPayingCard(api, 1_000);
    const { purchase, answer } = await anApproval(api, card, 100);
    const reversal = await reverse(aReversal(purchase));
    expect(reversal.status).toBe(200);
    expect(reversal.body).toMatchObject({ ...acknowledged, id: answer.id });
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
    expect(await transaction(answer.id as string)).toMatchObject({ status: 'REVERSED', reversedAmount: 100 });
  });

  it.each([
    ['an amount', { amount: 30, currency: 'EUR' }],
    ['what remains', { remainingAmount: 70 }],
  ])('200 ACKNOWLEDGED: a part, told by %s; the rest stays held', async (_name, changes) => {
    const card = await aPayingCard(api, 1_000);
    const { purchase, answer } = await anApproval(api, card, 100);
    expect((await reverse(aReversal(purchase, changes))).body).toMatchObject(acknowledged);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 70 });
    expect(await transaction(answer.id as string)).toMatchObject({
      status: 'AUTHORIZED',
      reversedAmount: 30,
      holdAmount: 70,
    });
  });

  it('200 ACKNOWLEDGED: before the original, which is then declined', async () => {
    const card = await aPayingCard(api, 1_000);
    const purchase = aPurchase(card, 100);
    expect((await reverse(aReversal(purchase))).body).toMatchObject(acknowledged);
    const late = await authorize(purchase);
    expect(late.body).toMatchObject({
      result: 'DECLINED',
      description: 'UNKNOWN_ERROR',
      reason: 'REVERSED_BEFORE_ARRIVAL',
    });
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
  });

  it('200 again: released once, answered the same', async () => {
    const card = await aPayingCard(api, 1_000);
    await anApproval(api, card, 500);
    const { purchase } = await anApproval(api, card, 100);
    const reversal = aReversal(purchase);
    const first = await reverse(reversal);
    const again = await reverse({ ...reversal, messageId: 'again' });
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await funds(card)).toEqual({ amount: 1_000, held: 500 });
    // A reversal of its own of the same purchase finds nothing more to release.
    expect((await reverse(aReversal(purchase))).body).toMatchObject(acknowledged);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 500 });
  });

  it('200 ACKNOWLEDGED: an unknown card, an unknown original', async () => {
    const card = await aPayingCard(api, 1_000);
    await anApproval(api, card, 500);
    const nobody = { ...aReversal(aPurchase(card, 1)), processorCardId: 'pc_unknown' };
    expect((await reverse(nobody)).body).toMatchObject({ ...acknowledged, id: null });
    expect((await reverse(aReversal(aPurchase(card, 1)))).body).toMatchObject(acknowledged);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 500 });
  });

  it('400 VALIDATION_ERROR: no reference, an amount without currency, both ways to say how much', async () => {
    const card = await aPayingCard(api, 1_000);
    const whole = aReversal(aPurchase(card, 1));
    const { originalStan: _stan, networkReferenceId: _reference, ...unreferenced } = whole;
    expect(faults(await reverse(unreferenced))).toEqual(['originalStan']);
    expect(faults(await reverse({ ...whole, amount: 5 }))).toEqual(['currency']);
    expect(faults(await reverse({ ...whole, amount: 5, currency: 'EUR', remainingAmount: 1 }))).toEqual([
      'remainingAmount',
    ]);
    expect(faults(await reverse({ ...whole, amount: 0, currency: 'EUR', why: 1 }))).toEqual([
      'amount',
      'why',
    ]);
  });
});

describe('POST /processor/clearings', () => {
  const onlyResult = (answer: HttpAnswer) => {
    expect(answer.status).toBe(200);
    expect(clearingAnswer.safeParse(answer.body).error).toBeUndefined();
    expect(answer.body.results).toHaveLength(1);
    return answer.body.results[0];
  };

  it.each([
    ['equal to the hold', 100],
    ['less than the hold', 60],
    ['more than the hold', 130],
    ['more than there is', 1_200],
  ])('200 POSTED: %s; the hold ends and exactly the record is booked', async (_name, amount) => {
    const card = await aPayingCard(api, 1_000);
    const { purchase, answer } = await anApproval(api, card, 100);
    const record = aRecord(purchase, amount);
    const result = onlyResult(await clear(record));
    expect(result).toMatchObject({ recordId: record.recordId, result: 'POSTED', id: answer.id });
    expect(await funds(card)).toEqual({ amount: 1_000 - amount, held: 0 });
    expect(await transaction(answer.id as string)).toMatchObject({
      status: 'CLEARED',
      clearedAmount: amount,
      holdAmount: 0,
    });
  });

  it('200 POSTED: a part that is not final keeps the rest held', async () => {
    const card = await aPayingCard(api, 1_000);
    const { purchase } = await anApproval(api, card, 100);
    onlyResult(await clear(aRecord(purchase, 40, { final: false, clearingSequence: 1 })));
    expect(await funds(card)).toEqual({ amount: 960, held: 60 });
    onlyResult(await clear(aRecord(purchase, 60, { clearingSequence: 2 })));
    expect(await funds(card)).toEqual({ amount: 900, held: 0 });
  });

  it('200 DUPLICATE: the same record again, and the same content under another record id', async () => {
    const card = await aPayingCard(api, 1_000);
    const { purchase } = await anApproval(api, card, 100);
    const record = aRecord(purchase, 100);
    expect(onlyResult(await clear(record)).result).toBe('POSTED');
    expect(onlyResult(await clear(record)).result).toBe('DUPLICATE');
    expect(onlyResult(await clear({ ...record, recordId: 'another' })).result).toBe('DUPLICATE');
    expect(await funds(card)).toEqual({ amount: 900, held: 0 });
  });

  it('200 POSTED: without an authorization it is booked all the same', async () => {
    const card = await aPayingCard(api, 1_000);
    const result = onlyResult(await clear(aRecord(aPurchase(card, 100), 100)));
    expect(result.result).toBe('POSTED');
    expect(await funds(card)).toEqual({ amount: 900, held: 0 });
  });

  it('200 POSTED: a refund puts the money back', async () => {
    const card = await aPayingCard(api, 1_000);
    const { purchase } = await anApproval(api, card, 100);
    await clear(aRecord(purchase, 100));
    const refund = aRecord(purchase, 100, { recordType: 'REFUND', settlementDate: '2026-03-05' });
    expect(onlyResult(await clear(refund)).result).toBe('POSTED');
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
  });

  it('200: a card that nobody knows is not booked anywhere', async () => {
    const card = await aPayingCard(api, 1_000);
    const result = onlyResult(
      await clear({ ...aRecord(aPurchase(card, 100), 100), processorCardId: 'pc_unknown' }),
    );
    expect(result).toMatchObject({ result: 'QUARANTINED', id: null });
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
  });

  it('400 VALIDATION_ERROR: all faults of the record', async () => {
    const card = await aPayingCard(api, 1_000);
    const answer = await clear({
      ...aRecord(aPurchase(card, 100), 0),
      recordType: 'GIFT',
      transactionDate: '2026-02-30',
      settlementDate: '01.03.2026',
      arn: '1',
      colour: 'red',
    });
    expect(faults(answer)).toEqual([
      'amount',
      'arn',
      'colour',
      'recordType',
      'settlementDate',
      'transactionDate',
    ]);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
  });
});

describe('GET /processor/health', () => {
  it('200 UP', async () => {
    const answer = await api.call('GET', '/processor/health', { as: 'processor' });
    expect([answer.status, answer.body]).toEqual([200, { status: 'UP' }]);
  });
});
