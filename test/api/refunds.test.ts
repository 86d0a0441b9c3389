import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { aPurchase, aRecord } from '../support/card-traffic.ts';
import { type ApiHarness, startApi } from '../support/harness.ts';
import { anApproval, aPayingCard, type PayingCard, send } from '../support/processor-calls.ts';

let api: ApiHarness;
let card: PayingCard;

beforeAll(async () => {
  api = await startApi();
  card = await aPayingCard(api, 1_000);
});

afterAll(async () => {
  expect(await verifyLedger(api.owner)).toEqual({ ok: true, differences: [] });
  await api.stop();
});

const posted = async (): Promise<number> =>
  (await api.call('GET', `/secure/balances/${card.balanceId}`)).body.amount;

describe('POST /processor/refunds', () => {
  it('200: posts a refund as /clearings does; the other path knows it as a duplicate', async () => {
    const { purchase, answer } = await anApproval(api, card, 100);
    await send(api, 'clearings', aRecord(purchase, 100));
    const refund = aRecord(purchase, 40, { recordType: 'REFUND' });
    const { status, body } = await send(api, 'refunds', refund);
    expect([status, body.results]).toEqual([
      200,
      [{ recordId: refund.recordId, result: 'POSTED', id: answer.id, exception: null }],
    ]);
    const again = await send(api, 'clearings', refund);
    expect(again.body.results).toMatchObject([{ result: 'DUPLICATE', id: answer.id }]);
    expect(await posted()).toBe(940);
  });

  it('200 POSTED: a refund that is taken back is paid by the holder again', async () => {
    const before = await posted();
    const record = aRecord(aPurchase(card, 100), 100, { recordType: 'REFUND_REVERSAL' });
    const { status, body } = await send(api, 'refunds', record);
    expect([status, body.results[0]]).toMatchObject([
      200,
      { result: 'POSTED', exception: 'SECOND_PRESENTMENT' },
    ]);
    expect(await posted()).toBe(before - 100);
  });

  it.each(['PURCHASE', 'CASH', 'CREDIT', 'CHARGEBACK', 'SECOND_PRESENTMENT'] as const)(
    '400 VALIDATION_ERROR: %s is no refund',
    async (recordType) => {
      const before = await posted();
      const answer = await send(api, 'refunds', aRecord(aPurchase(card, 100), 100, { recordType }));
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toMatchObject([{ field: 'recordType' }]);
      expect(await posted()).toBe(before);
    },
  );
});
