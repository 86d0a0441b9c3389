import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startProcessorSimulator } from '../../simulators/processor/start.ts';
import type { Json, ProcessorRig } from './processor-rig.ts';
import { APPROVED, approve, eventually, startRig } from './processor-rig.ts';

let rig: ProcessorRig;

beforeAll(async () => {
  rig = await startRig();
});

afterEach(async () => {
  await rig.control('PUT', '/simulator/config', { standIn: 'decline', autoClearing: false });
  await rig.control('PUT', '/simulator/clock', { mode: 'real' });
  await rig.clean();
});

afterAll(() => rig.stop());

const post = (path: string, body: unknown = {}) => rig.control('POST', `/simulator${path}`, body);
const onTrace = (traceId: string, what: string, body: unknown = {}) =>
  post(`/authorizations/${traceId}/${what}`, body);
const bodies = (): Json[] => rig.received.map((one) => one.body);

describe('increments', () => {
  it('carry the type and references of the original, the increment and the new total', async () => {
    const { cardId, processorCardId } = await rig.newCard();
    const { traceId, request: original } = await rig.authorize(cardId, {
      amount: 2000,
      preAuthorization: true,
      mcc: '7011',
    });
    await onTrace(traceId, 'increment', { amount: 1000 });
    await onTrace(traceId, 'increment', { amount: 500 });
    expect(rig.received[1]).toMatchObject({
      path: '/processor/authorizations',
      body: {
        kind: 'INCREMENTAL',
        type: 'pos',
        processorCardId,
        amount: 1000,
        cumulativeAmount: 3000,
        currency: 'EUR',
        preAuthorization: true,
        networkReferenceId: original['networkReferenceId'],
        referenceExternalTransactionId: original['externalTransactionId'],
        originalStan: original['stan'],
      },
    });
    expect(bodies()[1]?.['externalTransactionId']).not.toBe(original['externalTransactionId']);
    expect(bodies()[1]).not.toHaveProperty('pinBlock');
    expect(bodies()[2]).toMatchObject({ amount: 500, cumulativeAmount: 3500 });
    const cleared = await onTrace(traceId, 'clear');
    expect(cleared.body['request']).toMatchObject({ amount: 3500, recordType: 'PURCHASE' });
  });

  it('that are declined leave the hold, and an inquiry has none', async () => {
    const { cardId } = await rig.newCard();
    const { traceId } = await rig.authorize(cardId, { amount: 2000 });
    rig.script = () => ({ status: 200, body: { result: 'DECLINED' } });
    await onTrace(traceId, 'increment', { amount: 1000 });
    rig.script = approve;
    expect((await onTrace(traceId, 'clear')).body['request']).toMatchObject({ amount: 2000 });
    const inquiry = await post('/balance-inquiries', { cardId });
    const refused = await onTrace(String(inquiry.body['traceId']), 'increment', { amount: 1 });
    expect(refused).toMatchObject({ status: 409, body: { title: 'STATE_CONFLICT' } });
    expect((await onTrace('none', 'increment', { amount: 1 })).status).toBe(404);
    expect((await onTrace(traceId, 'increment', {})).status).toBe(400);
  });

  it('that nobody answers are taken back down to what was held before', async () => {
    const { cardId } = await rig.newCard();
    const { traceId } = await rig.authorize(cardId, { amount: 2000 });
    rig.script = (one) => ({ ...approve(one), afterMs: one.body['kind'] === 'INCREMENTAL' ? 900 : 0 });
    expect((await onTrace(traceId, 'increment', { amount: 1000 })).body['response']).toBeNull();
    await eventually(() => rig.received.length === 3);
    expect(rig.received[2]).toMatchObject({
      path: '/processor/reversals',
      body: { reasonCode: 'TIMEOUT', remainingAmount: 2000, currency: 'EUR' },
    });
    expect(bodies()[2]).not.toHaveProperty('amount');
  });
});

describe('advices', () => {
  it('about a purchase have numbers of their own and its references', async () => {
    const { cardId } = await rig.newCard();
    const { traceId, request: original } = await rig.authorize(cardId, { amount: 10_000, mcc: '5541' });
    await onTrace(traceId, 'advice', { reason: 'COMPLETION', amount: 4_321 });
    expect(rig.received[1]).toMatchObject({
      path: '/processor/authorizations',
      body: {
        kind: 'AUTHORIZATION',
        advice: true,
        adviceReason: 'COMPLETION',
        adviceResult: 'APPROVED',
        responseCode: '00',
        authorizationCode: 'A7K2Q9',
        amount: 4_321,
        networkReferenceId: original['networkReferenceId'],
        transactionData: { mcc: '5541' },
      },
    });
    const key = (body: Json | undefined) => [body?.['stan'], body?.['messageId']];
    expect(key(bodies()[1])).not.toEqual(key(original));
    expect((await onTrace(traceId, 'clear')).body['request']).toMatchObject({ amount: 4_321 });
    expect((await onTrace(traceId, 'advice', {})).status).toBe(400);
  });

  it('of a no end the hold', async () => {
    const { cardId } = await rig.newCard();
    const { traceId } = await rig.authorize(cardId);
    await onTrace(traceId, 'advice', { reason: 'STAND_IN', result: 'DECLINED' });
    expect(bodies()[1]).toMatchObject({ adviceResult: 'DECLINED', responseCode: '05' });
    expect((await onTrace(traceId, 'clear')).status).toBe(409);
  });

  it('stand alone for what was paid offline, are repeated until acknowledged, and can be cleared', async () => {
    const { cardId } = await rig.newCard();
    let refusals = 2;
    rig.script = (one) => ((refusals -= 1) >= 0 ? { status: 503, body: {} } : approve(one));
    const paid = await post('/advices', {
      cardId,
      amount: 250,
      currency: 'EUR',
      captureMode: 'nfc',
      mcc: '4111',
    });
    await eventually(() => rig.received.length === 3);
    expect(new Set(rig.received.map((one) => one.text)).size).toBe(1);
    expect(bodies()[0]).toMatchObject({
      kind: 'AUTHORIZATION',
      advice: true,
      adviceReason: 'OFFLINE',
      adviceResult: 'APPROVED',
      amount: 250,
      verification: { cryptogram: 'MATCH' },
    });
    const cleared = await onTrace(String(paid.body['traceId']), 'clear');
    expect(cleared.body['request']).toMatchObject({
      amount: 250,
      authorizationCode: bodies()[0]?.['authorizationCode'],
    });
  });
});

describe('credits', () => {
  it('present a refund under the references of its authorization', async () => {
    const { cardId } = await rig.newCard();
    await post('/refunds', { cardId, amount: 500, currency: 'EUR', authorize: true });
    expect(bodies()).toMatchObject([
      {
        kind: 'CREDIT_AUTHORIZATION',
        type: 'adjustment',
        processingCode: '200000',
        transactionData: { adjustmentReasonDescription: 'REFUND' },
      },
      {
        recordType: 'REFUND',
        amount: 500,
        networkReferenceId: bodies()[0]?.['networkReferenceId'],
        authorizationCode: 'A7K2Q9',
      },
    ]);
  });

  it('present no refund that was declined', async () => {
    const { cardId } = await rig.newCard();
    rig.script = () => ({ status: 200, body: { result: 'DECLINED' } });
    await post('/refunds', { cardId, amount: 500, currency: 'EUR', authorize: true });
    expect(rig.received).toHaveLength(1);
  });

  it('pay to a card and clear it with a CREDIT record, once', async () => {
    const { cardId } = await rig.newCard();
    const { traceId, request } = await rig.authorize(cardId, { type: 'adjustment', amount: 700 });
    expect(request).toMatchObject({
      kind: 'CREDIT_AUTHORIZATION',
      processingCode: '280000',
      transactionData: { adjustmentReasonDescription: 'MONEY_SEND' },
    });
    const cleared = await onTrace(traceId, 'clear');
    expect(cleared.body['request']).toMatchObject({ recordType: 'CREDIT', amount: 700 });
    expect((await onTrace(traceId, 'clear')).status).toBe(409);
  });

  it('come back as chargeback, second presentment and refund reversal', async () => {
    const { cardId } = await rig.newCard();
    const { traceId, request: original } = await rig.authorize(cardId, { amount: 5_000 });
    await onTrace(traceId, 'clear');
    await onTrace(traceId, 'chargeback');
    await onTrace(traceId, 'chargeback', { recordType: 'SECOND_PRESENTMENT', amount: 1_000 });
    await onTrace(traceId, 'chargeback', { recordType: 'REFUND_REVERSAL', amount: 10 });
    const linked = {
      networkReferenceId: original['networkReferenceId'],
      referenceExternalTransactionId: original['externalTransactionId'],
    };
    expect(bodies().slice(2)).toMatchObject([
      { recordType: 'CHARGEBACK', amount: 5_000, ...linked },
      { recordType: 'SECOND_PRESENTMENT', amount: 1_000, ...linked },
      { recordType: 'REFUND_REVERSAL', amount: 10, ...linked },
    ]);
  });
});

describe('options of a purchase', () => {
  it('reach the wire', async () => {
    const { cardId } = await rig.newCard();
    await rig.authorize(cardId, { preAuthorization: true, partialApproval: true });
    expect(bodies()[0]).toMatchObject({ preAuthorization: true, partialApprovalSupported: true });
    await rig.authorize(cardId);
    expect(bodies()[1]).not.toHaveProperty('preAuthorization');
    expect(bodies()[1]).not.toHaveProperty('partialApprovalSupported');
  });

  it('keep of a partly approved purchase what was approved', async () => {
    const { cardId } = await rig.newCard();
    rig.script = () => ({
      status: 200,
      body: { ...APPROVED, result: 'PARTIALLY_APPROVED', approvedAmount: 300 },
    });
    const { traceId } = await rig.authorize(cardId, { partialApproval: true });
    rig.script = approve;
    expect((await onTrace(traceId, 'clear')).body['request']).toMatchObject({ amount: 300 });
  });
});

describe('PIN tries', () => {
  it('are withdrawals whose PIN the network found wrong', async () => {
    const { cardId } = await rig.newCard();
    rig.script = () => ({ status: 200, body: { result: 'DECLINED', reason: 'PIN_INVALID' } });
    const { body } = await post('/pin-tries', { cardId, count: 3 });
    expect(body['tries']).toHaveLength(3);
    expect(bodies()).toHaveLength(3);
    for (const one of bodies()) {
      expect(one).toMatchObject({ type: 'atm', verification: { pin: 'NO_MATCH' } });
      expect(one).not.toHaveProperty('pinBlock');
    }
  });

  it('offline are told by the event', async () => {
    const { cardId, processorCardId } = await rig.newCard();
    await post('/pin-tries', { cardId, count: 3, offline: true });
    expect(rig.received).toMatchObject([
      {
        path: '/processor/events',
        body: { type: 'PIN_TRIES_EXCEEDED', processorCardId, data: { offline: true } },
      },
    ]);
  });
});

describe('stand-in', () => {
  it('approves up to the configured amount and advises it, without a reversal', async () => {
    const { cardId } = await rig.newCard();
    await rig.control('PUT', '/simulator/config', { standIn: { decision: 'approve', upTo: 5_000 } });
    rig.script = (one) => ({ ...approve(one), afterMs: one.body['advice'] === true ? 0 : 900 });
    const { body, traceId } = await rig.authorize(cardId, { amount: 5_000 });
    expect(body).toMatchObject({ response: null, standIn: { result: 'APPROVED' } });
    await eventually(() => rig.received.length === 2);
    const { authorizationCode } = body['standIn'] as Json;
    expect(bodies()[1]).toMatchObject({
      adviceReason: 'STAND_IN',
      adviceResult: 'APPROVED',
      amount: 5_000,
      authorizationCode,
    });
    rig.script = approve;
    const cleared = await onTrace(traceId, 'clear');
    expect(cleared.body['request']).toMatchObject({ amount: 5_000, authorizationCode });
    expect(rig.received).toHaveLength(3);
  });

  it('declines more than that: advice of the no, then a reversal with TIMEOUT', async () => {
    const { cardId } = await rig.newCard();
    await rig.control('PUT', '/simulator/config', { standIn: { decision: 'approve', upTo: 5_000 } });
    rig.script = (one) => ({ ...approve(one), afterMs: one.body['kind'] === 'AUTHORIZATION' ? 900 : 0 });
    const { body } = await rig.authorize(cardId, { amount: 5_001 });
    expect(body).toMatchObject({ standIn: { result: 'DECLINED' } });
    await eventually(() => rig.received.length === 3);
    expect(bodies()[1]).toMatchObject({ adviceResult: 'DECLINED' });
    expect(bodies()[2]).toMatchObject({ reasonCode: 'TIMEOUT' });
  });

  it('stands in after an error too, with nothing to take back', async () => {
    const { cardId } = await rig.newCard();
    await rig.control('PUT', '/simulator/config', { standIn: { decision: 'approve', upTo: 5_000 } });
    const overloaded = { status: 503, body: { title: 'OVERLOADED', detail: '' } };
    rig.script = (one) => (one.body['advice'] === true ? approve(one) : overloaded);
    expect((await rig.authorize(cardId)).body['standIn']).toMatchObject({ result: 'APPROVED' });
    await eventually(() => rig.received.length === 2);
    expect(bodies()[1]).toMatchObject({ advice: true, adviceResult: 'APPROVED' });
  });

  it('is configured with what it can do only', async () => {
    const config = (standIn: unknown) => rig.control('PUT', '/simulator/config', { standIn });
    expect((await config({ decision: 'approve' })).status).toBe(400);
    expect((await config('maybe')).status).toBe(400);
    expect((await config('decline')).body['standIn']).toEqual({ decision: 'decline' });
  });
});

describe('replays', () => {
  it('send a recording again as it was, in the order given', async () => {
    const { cardId } = await rig.newCard();
    const { traceId } = await rig.authorize(cardId);
    await onTrace(traceId, 'reverse');
    const recorded = await rig.control('GET', `/simulator/messages?traceId=${traceId}`);
    const messages = (recorded.body['items'] as Json[]).toReversed();
    const [authorization, reversal] = rig.received.map((one) => one.text);
    rig.received = [];
    const { body } = await post('/replays', { messages });
    expect(rig.received.map((one) => one.text)).toEqual([reversal, authorization]);
    expect(body['items']).toMatchObject([{ message: 'reversal', status: 200 }, { message: 'authorization' }]);
    expect((await post('/replays', { messages: [{ message: 'health', request: {} }] })).status).toBe(400);
  });
});

describe('clock', () => {
  it('freezes, advances and scales the time of messages, over a restart', async () => {
    const { cardId } = await rig.newCard();
    const clock = (body: Json) => rig.control('PUT', '/simulator/clock', body);
    await clock({ mode: 'frozen', at: '2027-01-31T12:00:00.000Z' });
    expect((await clock({ advance: 'P1M1DT30M' })).body).toMatchObject({ at: '2027-03-04T12:30:00.000Z' });
    await rig.authorize(cardId);
    expect(bodies()[0]).toMatchObject({
      date: '2027-03-04T12:30:00+00:00',
      transmissionAt: '2027-03-04T12:30:00.000Z',
    });
    await rig.simulator.stop();
    rig.simulator = await startProcessorSimulator(rig.options);
    expect((await rig.control('GET', '/simulator/clock')).body).toMatchObject({
      mode: 'frozen',
      at: '2027-03-04T12:30:00.000Z',
    });
    await clock({ mode: 'scaled', scale: 3_600 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { at } = (await rig.control('GET', '/simulator/clock')).body;
    expect(Date.parse(String(at))).toBeGreaterThanOrEqual(Date.parse('2027-03-04T12:33:00.000Z'));
    expect((await clock({ advance: '1 week' })).status).toBe(400);
    expect((await clock({ mode: 'stopped' })).status).toBe(400);
    const { at: real } = (await clock({ mode: 'real' })).body;
    expect(Math.abs(Date.parse(String(real)) - Date.now())).toBeLessThan(5_000);
  });

  it('clears open approvals in a file when the day ends', async () => {
    const { cardId } = await rig.newCard();
    await rig.control('PUT', '/simulator/clock', { mode: 'frozen', at: '2027-05-05T22:00:00.000Z' });
    const { body: config } = await rig.control('PUT', '/simulator/config', { autoClearing: true });
    expect(config['autoClearing']).toBe(true);
    const { traceId } = await rig.authorize(cardId, { amount: 800 });
    await rig.control('PUT', '/simulator/clock', { advance: 'PT3H' });
    await eventually(() => rig.received.length === 2);
    expect(rig.received[1]).toMatchObject({
      path: '/processor/clearing-files',
      body: { fileId: 'C20270505-01', businessDate: '2027-05-05' },
    });
    const file = await rig.contract('GET', '/v1/clearing-files/C20270505-01');
    expect(file.text).toContain('"amount":800');
    expect((await onTrace(traceId, 'clear')).status).toBe(409);
  });
});
