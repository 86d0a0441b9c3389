import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authorizationAnswer } from '../../api/processor/schemas.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { aPurchase, aRecord, aReversal } from '../support/card-traffic.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { anApproval, aPayingCard, type PayingCard, send } from '../support/processor-calls.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});

afterEach(async () => {
  expect(await verifyLedger(api.owner)).toEqual({ ok: true, differences: [] });
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const faults = (answer: HttpAnswer): string[] =>
  answer.body.errors.map((one: { field: string }) => one.field).toSorted();

async function funds({ balanceId }: PayingCard): Promise<{ amount: number; held: number }> {
  const { body } = await api.call('GET', `/secure/balances/${balanceId}`);
  return { amount: body.amount, held: body.heldAmount };
}

const transaction = async (id: string) => (await api.call('GET', `/secure/transactions/${id}`)).body;

describe('increments', () => {
  it.each(['authorizations', 'authorizations/incremental'] as const)(
    '200 APPROVED on /%s: the hold grows, the transaction stays one',
    async (path) => {
      const card = await aPayingCard(api, 10_000);
      const { purchase, answer } = await anApproval(api, card, 2_000);
      const { networkReferenceId } = purchase;
      const increment = aPurchase(card, 500, { kind: 'INCREMENTAL', networkReferenceId });
      const first = await send(api, path, increment);
      expect(authorizationAnswer.safeParse(first.body).error).toBeUndefined();
      expect(first.body).toMatchObject({
        id: answer.id,
        result: 'APPROVED',
        approvedAmount: 500,
        authorizationCode: answer.authorizationCode,
      });
      expect(await funds(card)).toEqual({ amount: 10_000, held: 2_500 });
      expect(await transaction(answer.id as string)).toMatchObject({
        authorizedAmount: 2_500,
        status: 'AUTHORIZED',
      });
      const again = await send(api, path, { ...increment, messageId: 'again' });
      expect([again.text, again.headers['idempotency-replayed']]).toEqual([first.text, 'true']);
      expect(await funds(card)).toEqual({ amount: 10_000, held: 2_500 });
    },
  );

  it('200 REFERENCED_TRANSACTION_NOT_FOUND: one that names nothing we know', async () => {
    const card = await aPayingCard(api, 10_000);
    const { body } = await send(api, 'authorizations', aPurchase(card, 500, { kind: 'INCREMENTAL' }));
    expect(body).toMatchObject({
      result: 'DECLINED',
      description: 'REFERENCED_TRANSACTION_NOT_FOUND',
      responseCode: '25',
    });
    expect(await funds(card)).toEqual({ amount: 10_000, held: 0 });
  });

  it('400 VALIDATION_ERROR: one without a reference', async () => {
    const card = await aPayingCard(api, 100);
    const { networkReferenceId: _left, ...message } = aPurchase(card, 50, { kind: 'INCREMENTAL' });
    const answer = await send(api, 'authorizations', message);
    expect([answer.status, faults(answer)]).toEqual([400, ['networkReferenceId']]);
  });
});

describe('advices', () => {
  const standIn = { advice: true, adviceReason: 'STAND_IN', adviceResult: 'APPROVED' } as const;

  it.each(['authorizations', 'advices'] as const)(
    '200 ACKNOWLEDGED on /%s: held by force, though there is too little',
    async (path) => {
      const card = await aPayingCard(api, 1_000);
      const answer = await send(
        api,
        path,
        aPurchase(card, 4_000, { ...standIn, authorizationCode: 'NET123' }),
      );
      expect(answer.body).toMatchObject({
        result: 'ACKNOWLEDGED',
        responseCode: '00',
        authorizationCode: null,
      });
      expect(await funds(card)).toEqual({ amount: 1_000, held: 4_000 });
      const next = await send(api, 'authorizations', aPurchase(card, 1));
      expect(next.body.description).toBe('INSUFFICIENT_FUNDS');
    },
  );

  it('200 ACKNOWLEDGED: for a card that nobody knows, with something for people to look at', async () => {
    const card = await aPayingCard(api, 100);
    const message = aPurchase({ ...card, processorCardId: 'pc_nobody' }, 700, standIn);
    const { body } = await send(api, 'advices', message);
    expect(body).toMatchObject({ id: null, result: 'ACKNOWLEDGED' });
    const raised = await api.owner
      .selectFrom('exceptions')
      .select('values')
      .where('kind', '=', 'ADVICE_UNKNOWN_CARD')
      .execute();
    expect(raised.map((one) => one.values)).toContainEqual({
      transactionId: message.externalTransactionId,
      amount: 700,
      currency: 'EUR',
    });
  });

  it('400 VALIDATION_ERROR: an advice without its result, a result without an advice', async () => {
    const card = await aPayingCard(api, 100);
    const lacking = await send(api, 'advices', aPurchase(card, 50, { advice: true }));
    expect([lacking.status, faults(lacking)]).toEqual([400, ['adviceReason', 'adviceResult']]);
    const lone = await send(api, 'authorizations', aPurchase(card, 50, { adviceResult: 'APPROVED' }));
    expect([lone.status, faults(lone)]).toEqual([400, ['advice']]);
  });
});

describe('credits', () => {
  const credit = (card: PayingCard, amount: number, reason: 'REFUND' | 'MONEY_SEND') =>
    aPurchase(card, amount, {
      kind: 'CREDIT_AUTHORIZATION',
      type: 'adjustment',
      transactionData: { adjustmentReasonDescription: reason },
    });

  it('200 APPROVED: an incoming payment is there at once, its record only ends it', async () => {
    const card = await aPayingCard(api, 100);
    const message = credit(card, 700, 'MONEY_SEND');
    const { body } = await send(api, 'authorizations', { ...message, type: 'payment' });
    expect(body).toMatchObject({ result: 'APPROVED', approvedAmount: 700 });
    expect(await funds(card)).toEqual({ amount: 800, held: 0 });
    expect(await transaction(body.id)).toMatchObject({
      type: 'adjustment',
      adjustmentKind: 'money_send',
      category: 'CREDIT',
      status: 'AUTHORIZED',
    });
    const record = aRecord(message, 700, { recordType: 'CREDIT' });
    const cleared = await send(api, 'clearings', record);
    expect(cleared.body.results).toEqual([
      { recordId: record.recordId, result: 'POSTED', id: body.id, exception: null },
    ]);
    expect(await funds(card)).toEqual({ amount: 800, held: 0 });
    expect((await transaction(body.id)).status).toBe('CLEARED');
  });

  it('200 APPROVED: a refund is only announced; withdrawn, nothing has moved', async () => {
    const card = await aPayingCard(api, 100);
    const message = credit(card, 700, 'REFUND');
    const { body } = await send(api, 'authorizations', message);
    expect(body).toMatchObject({ result: 'APPROVED', approvedAmount: 700 });
    expect(await funds(card)).toEqual({ amount: 100, held: 0 });
    const reversed = await send(api, 'reversals', aReversal(message));
    expect(reversed.body).toMatchObject({ id: body.id, result: 'ACKNOWLEDGED' });
    expect(await funds(card)).toEqual({ amount: 100, held: 0 });
    expect((await transaction(body.id)).status).toBe('REVERSED');
  });

  it('400 VALIDATION_ERROR: a credit that does not say what it is', async () => {
    const card = await aPayingCard(api, 100);
    const message = aPurchase(card, 50, {
      kind: 'CREDIT_AUTHORIZATION',
      type: 'adjustment',
      transactionData: {},
    });
    const answer = await send(api, 'authorizations', message);
    expect([answer.status, faults(answer)]).toEqual([400, ['transactionData.adjustmentReasonDescription']]);
  });
});

describe('partial approvals', () => {
  it('200 PARTIALLY_APPROVED: what there is, where programme and message allow it', async () => {
    const card = await aPayingCard(api, 3_000);
    const ask = () => send(api, 'authorizations', aPurchase(card, 5_000, { partialApprovalSupported: true }));
    expect((await ask()).body.description).toBe('INSUFFICIENT_FUNDS');
    await api.owner
      .updateTable('programmes')
      .set((row) => ({ allow_partial_approval: true, version: row('version', '+', 1) }))
      .execute();
    const { body } = await ask();
    expect(body).toMatchObject({
      result: 'PARTIALLY_APPROVED',
      description: 'APPROVED',
      responseCode: '10',
      actionCode: '0002',
      approvedAmount: 3_000,
    });
    expect(await funds(card)).toEqual({ amount: 3_000, held: 3_000 });
    const unsupported = await send(api, 'authorizations', aPurchase(card, 5_000));
    expect(unsupported.body.description).toBe('INSUFFICIENT_FUNDS');
  });
});

describe('several records in one message', () => {
  const batch = (records: readonly object[], totals?: object) => ({
    fileId: `F${Math.random()}`.slice(0, 20),
    records,
    ...(totals === undefined ? {} : { totals }),
  });

  it('200: each with its own result, a repeat of all is a DUPLICATE of each', async () => {
    const card = await aPayingCard(api, 10_000);
    const { purchase } = await anApproval(api, card, 2_000);
    const records = [
      aRecord(purchase, 2_000, { recordId: '1' }),
      aRecord(aPurchase(card, 300), 300, { recordId: '2', recordType: 'REFUND' }),
      aRecord(aPurchase({ ...card, processorCardId: 'pc_nobody' }, 500), 500, { recordId: '3' }),
    ];
    const body = batch(records, { count: 3, debit: 2_500, credit: 300 });
    const answer = await send(api, 'clearings', body);
    expect(answer.body.results).toMatchObject([
      { recordId: '1', result: 'POSTED', exception: null },
      { recordId: '2', result: 'POSTED', exception: 'UNLINKED_REFUND' },
      { recordId: '3', result: 'QUARANTINED', id: null, exception: 'UNKNOWN_CARD' },
    ]);
    expect(await funds(card)).toEqual({ amount: 8_300, held: 0 });
    const again = await send(api, 'clearings', body);
    expect(again.body.results.map((one: { result: string }) => one.result)).toEqual(
      Array(3).fill('DUPLICATE'),
    );
    expect(await funds(card)).toEqual({ amount: 8_300, held: 0 });
  });

  it('400 VALIDATION_ERROR: totals that differ, a bad record; nothing is posted', async () => {
    const card = await aPayingCard(api, 1_000);
    const records = [aRecord(aPurchase(card, 300), 300, { recordId: '1' })];
    const differs = await send(api, 'clearings', batch(records, { count: 2, debit: 300, credit: 1 }));
    expect([differs.status, faults(differs)]).toEqual([400, ['totals.count', 'totals.credit']]);
    const bad = await send(
      api,
      'clearings',
      batch([...records, { ...records[0], recordId: '2', amount: 'x' }]),
    );
    expect([bad.status, faults(bad)]).toEqual([400, ['records.1.amount']]);
    const none = await send(api, 'clearings', batch([]));
    expect([none.status, faults(none)]).toEqual([400, ['records']]);
    expect(await funds(card)).toEqual({ amount: 1_000, held: 0 });
  });
});
