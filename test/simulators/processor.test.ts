import { createDecipheriv } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../simulators/processor/config.ts';
import { cardVerificationValue, cvc2Of } from '../../simulators/processor/cvc2.ts';
import { isLuhnValid } from '../../simulators/processor/pan.ts';
import { isoFormat4PinBlock } from '../../simulators/processor/pin-block.ts';
import { readProducts } from '../../simulators/processor/products.ts';
import { startProcessorSimulator } from '../../simulators/processor/start.ts';
import { convert } from '../../simulators/processor/wire/rates.ts';
import type { Json, ProcessorRig, Received } from './processor-rig.ts';
import {
  APPROVED,
  approve,
  call,
  CVK,
  eventually,
  makeCa,
  newOrder,
  PIN_KEY,
  startRig,
} from './processor-rig.ts';

let rig: ProcessorRig;

beforeAll(async () => {
  rig = await startRig();
});

afterEach(() => rig.clean());

afterAll(() => rig.stop());

const control: ProcessorRig['control'] = (...call) => rig.control(...call);
const contract: ProcessorRig['contract'] = (...call) => rig.contract(...call);
const newCard: ProcessorRig['newCard'] = () => rig.newCard();
const decrypt: ProcessorRig['decrypt'] = (payload) => rig.decrypt(payload);
const authorize: ProcessorRig['authorize'] = (...call) => rig.authorize(...call);

describe('card numbers and values', () => {
  it.each([
    ['0123456789ABCDEFFEDCBA9876543210', '4123456789012345', '8701', '101', '561'],
    ['0123456789ABCDEFFEDCBA9876543210', '4123456789012345', '8701', '111', '856'],
    ['0123456789ABCDEFFEDCBA9876543210', '4123456789012345', '8701', '000', '636'],
    ['0123456789ABCDEFFEDCBA9876543210', '4123456789012345', '8701', '999', '651'],
    ['9'.repeat(16) + '8'.repeat(16), '2'.repeat(16), '3333', '111', '361'],
  ])('computes the published verification value %#', (cvk, pan, expiry, serviceCode, expected) => {
    expect(cardVerificationValue(Buffer.from(cvk, 'hex'), pan, expiry, serviceCode)).toBe(expected);
  });

  it('derives another key for each CVC2 version', () => {
    const card = { processorCardId: 'pc_1', pan: '4123456789012345', expiry: '2087-01' };
    expect(cvc2Of(CVK, { ...card, cvcVersion: 0 })).toBe('636');
    const values = [1, 2, 3, 4].map((cvcVersion) => cvc2Of(CVK, { ...card, cvcVersion }));
    expect(new Set(values).size).toBeGreaterThan(1);
  });

  it('makes the published format 4 PIN block', () => {
    const block = isoFormat4PinBlock(PIN_KEY, '1234', '1234567890123456789', Buffer.alloc(8, 0xff));
    expect(block).toBe('28B41FDDD29B743E93124BD8E32D921E');
  });

  it('knows the demo products and refuses others', () => {
    const find = readProducts();
    expect(find('VIR-EUR')).toMatchObject({
      from: 5555440000000000n,
      to: 5555449999999999n,
      currency: 'EUR',
    });
    const credit = find('VIR-USD-CREDIT');
    expect(credit?.currency).toBeNull();
    expect(String(credit?.from)).toMatch(/^555544/);
    expect(find('PHY-EUR')?.from).toBeGreaterThanOrEqual(5555445000000000n);
    expect(find('GOLD')).toBeNull();
  });

  it.each([
    [76000, 'THB', 'EUR', '0.02938158', 2233],
    [1000, 'JPY', 'EUR', '0.0061', 610],
    [1, 'USD', 'EUR', '0.1', 1],
    [150, 'USD', 'EUR', '0.01', 2],
  ])('converts %i %s to %s', (amount, from, to, rate, expected) => {
    expect(convert(amount, from, to, rate)).toBe(expected);
  });
});

describe('contract', () => {
  it('demands a client certificate of the known CA', async () => {
    const stranger = await (await makeCa()).issue('platform');
    for (const connect of [{ ca: rig.ca.pem }, { ...stranger, ca: rig.ca.pem }]) {
      const agent = new Agent({ connect });
      await expect(
        call(`${rig.simulator.contractUrl}/v1/health`, 'GET', undefined, {}, agent),
      ).rejects.toThrow();
      await agent.destroy();
    }
    expect((await contract('GET', '/v1/health')).body).toEqual({ status: 'UP' });
  });

  it('shows its public key', async () => {
    const { body } = await contract('GET', '/v1/public-key');
    expect(Buffer.from(String(body['publicKey']), 'base64').toString()).toContain('BEGIN PUBLIC KEY');
  });

  it('makes a card whose number travels only inside the payload', async () => {
    const { status, body, text } = await contract('POST', '/v1/cards/virtual', newOrder());
    expect(status).toBe(201);
    const secret = await decrypt(body['payload']);
    const pan = String(secret['pan']);
    expect(pan).toMatch(/^555544[0-9]{10}$/);
    expect(isLuhnValid(pan)).toBe(true);
    expect(text).not.toContain(pan);
    expect(body).toMatchObject({ lastFourDigits: pan.slice(-4), expiry: secret['expiry'] });
    const expiry = String(body['expiry']);
    expect(secret['cvc2']).toBe(cardVerificationValue(CVK, pan, expiry.slice(2, 4) + expiry.slice(5), '000'));
  });

  it('answers the same key with the same bytes, also to calls at the same time', async () => {
    const order = newOrder();
    const calls = [1, 2, 3].map(() => contract('POST', '/v1/cards/virtual', order, 'one-key'));
    const answers = [
      ...(await Promise.all(calls)),
      await contract('POST', '/v1/cards/virtual', order, 'one-key'),
    ];
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.at(-1)?.headers['idempotency-replayed']).toBe('true');
    const reused = await contract('POST', '/v1/cards/virtual', newOrder(), 'one-key');
    expect(reused).toMatchObject({ status: 422, body: { title: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  it('makes no second card for a reference, and finds the first', async () => {
    const order = newOrder();
    const made = await contract('POST', '/v1/cards/virtual', order);
    expect(await contract('POST', '/v1/cards/virtual', order)).toMatchObject({
      status: 409,
      body: { title: 'ALREADY_DONE' },
    });
    const found = await contract('GET', `/v1/cards?reference=${order.reference}`);
    const [item] = found.body['items'] as Json[];
    expect(item).toMatchObject({ processorCardId: made.body['processorCardId'], status: 'ACTIVE' });
    expect(await decrypt(item?.['payload'])).toEqual(await decrypt(made.body['payload']));
    expect((await contract('GET', `/v1/cards?reference=${'0'.repeat(32)}`)).body).toEqual({ items: [] });
  });

  it('refuses unknown products, broken bodies and calls without a key', async () => {
    const unknown = await contract('POST', '/v1/cards/virtual', newOrder({ productId: 'GOLD' }));
    expect(unknown).toMatchObject({ status: 422, body: { title: 'PRODUCT_UNKNOWN' } });
    const broken = await contract('POST', '/v1/cards/virtual', newOrder({ reference: 'x', colour: 'red' }));
    expect(broken.status).toBe(400);
    const fields = (broken.body['errors'] as Json[]).map((one) => one['field']);
    expect(fields.sort()).toEqual(['colour', 'reference']);
    expect((await contract('POST', '/v1/cards/virtual', '{')).status).toBe(400);
    const keyless = await call(
      `${rig.simulator.contractUrl}/v1/cards/virtual`,
      'POST',
      newOrder(),
      {},
      rig.certified,
    );
    expect(keyless.status).toBe(400);
  });

  it('locks, unlocks, keeps irreversible locks, and counts CVC2 versions', async () => {
    const { processorCardId: id } = await newCard();
    const at = new Date().toISOString();
    const lock = (code: number) => contract('POST', `/v1/cards/${id}/lock`, { code, at });
    const unlock = (codes: number[]) =>
      contract('POST', `/v1/cards/${id}/unlock`, { codes, pinUnblock: false });
    expect(await lock(3)).toMatchObject({ status: 200, body: { status: 'LOCKED' } });
    expect(await lock(3)).toMatchObject({ status: 409, body: { title: 'ALREADY_DONE' } });
    expect(await unlock([3])).toMatchObject({ status: 200, body: { status: 'ACTIVE' } });
    expect(await unlock([3])).toMatchObject({ status: 409, body: { title: 'ALREADY_DONE' } });
    await lock(1);
    expect(await unlock([1])).toMatchObject({ status: 422, body: { title: 'LOCK_IRREVERSIBLE' } });
    expect((await lock(9)).status).toBe(400);
    const reset = await contract('POST', `/v1/cards/${id}/cvc`, { version: 1 });
    expect(reset).toMatchObject({ status: 200, body: { version: 1 } });
    expect((await contract('POST', '/v1/cards/pc_none/lock', { code: 3, at })).body['title']).toBe(
      'CARD_NOT_FOUND',
    );
  });
});

describe('control', () => {
  it('wants the token everywhere but on health', async () => {
    expect((await call(`${rig.simulator.controlUrl}/health`, 'GET', undefined, {})).status).toBe(200);
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const answer = await call(`${rig.simulator.controlUrl}/simulator/cards`, 'GET', undefined, headers);
      expect(answer).toMatchObject({ status: 401, body: { title: 'UNAUTHENTICATED' } });
    }
  });

  it('lists cards, newest first, without numbers', async () => {
    const first = await newCard();
    const second = await newCard();
    const { body, text } = await control('GET', '/simulator/cards');
    const ids = (body['items'] as Json[]).map((card) => card['processorCardId']);
    expect(ids.slice(0, 2)).toEqual([second.processorCardId, first.processorCardId]);
    expect(text).not.toMatch(/[0-9]{16}/);
  });

  it('sends a purchase and shows both sides of it', async () => {
    const { cardId, processorCardId } = await newCard();
    const { status, body, traceId } = await authorize(cardId, { mcc: '5411', merchant: 'CORNER SHOP' });
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual([
      'externalTransactionId',
      'latencyMs',
      'request',
      'response',
      'traceId',
    ]);
    expect(body['request']).toEqual(rig.received[0]?.body);
    expect(rig.received[0]?.body).toMatchObject({
      kind: 'AUTHORIZATION',
      type: 'pos',
      processorCardId,
      amount: 1234,
      currency: 'EUR',
      description: 'CORNER SHOP',
      transactionData: { mcc: '5411', captureMode: 'ecommerce' },
    });
    expect(rig.received[0]?.body['stan']).toMatch(/^[0-9]{6}$/);
    expect(body['response']).toMatchObject({ result: 'APPROVED', approvedAmount: 1234 });
    const log = await control('GET', `/simulator/messages?traceId=${traceId}`);
    expect(log.body['items']).toMatchObject([
      { direction: 'toPlatform', message: 'authorization', status: 200 },
    ]);
    expect((await control('GET', '/simulator/messages?traceId=none')).body['title']).toBe('TRACE_NOT_FOUND');
  });

  it('bills in the currency of the card', async () => {
    const { cardId } = await newCard();
    await authorize(cardId, { amount: 76000, currency: 'THB' });
    expect(rig.received[0]?.body).toMatchObject({
      amount: 2233,
      currency: 'EUR',
      originalAmount: 76000,
      originalCurrency: 'THB',
      conversionRate: '0.02938158',
    });
    expect((await authorize(cardId, { currency: 'AUD' })).status).toBe(400);
    await control('PUT', '/simulator/config', { rates: { 'AUD/EUR': '0.5' } });
    expect((await authorize(cardId, { currency: 'AUD' })).request['amount']).toBe(617);
  });

  it('sends PIN and CVC2 only protected', async () => {
    const order = newOrder();
    const made = await contract('POST', '/v1/cards/virtual', order);
    await authorize(order.externalCardId, { type: 'atm', pin: '4321' });
    const { pinBlock, verification } = rig.received[0]?.body as { pinBlock: Json; verification: Json };
    expect(pinBlock).toMatchObject({ format: 'ISO-4', keyId: 'ptk-1' });
    expect(verification).toMatchObject({ pin: 'NOT_CHECKED', cryptogram: 'MATCH' });
    const decipher = (block: Buffer) =>
      createDecipheriv('aes-128-ecb', PIN_KEY, null).setAutoPadding(false).update(block);
    const panField = Buffer.from(
      `4${String((await decrypt(made.body['payload']))['pan'])}`.padEnd(32, '0'),
      'hex',
    );
    const outer = decipher(Buffer.from(String(pinBlock['data']), 'hex'));
    const pinField = decipher(Buffer.from(outer.map((byte, index) => byte ^ panField[index]!)));
    expect(pinField.toString('hex')).toMatch(/^444321a{10}/);
    await authorize(order.externalCardId, { cvc2: '123' });
    expect(await decrypt(rig.received[1]?.body['payload'])).toEqual({ cvc2: '123' });
    expect(rig.received.map((one) => JSON.stringify([one.body['pin'], one.body['cvc2']]))).toEqual([
      '[null,null]',
      '[null,null]',
    ]);
  });

  it('asks for a balance', async () => {
    const { processorCardId } = await newCard();
    await control('POST', '/simulator/balance-inquiries', { processorCardId });
    expect(rig.received[0]?.body).toMatchObject({
      kind: 'BALANCE_INQUIRY',
      type: 'balance_inquiry',
      amount: 0,
    });
  });

  it('reverses a part, clears the rest, and refuses a second final clearing', async () => {
    const { cardId } = await newCard();
    const { traceId, request: original } = await authorize(cardId, { amount: 5000 });
    await control('POST', `/simulator/authorizations/${traceId}/reverse`, {
      amount: 2000,
      reason: 'MERCHANT',
    });
    expect(rig.received[1]).toMatchObject({
      path: '/processor/reversals',
      body: {
        amount: 2000,
        currency: 'EUR',
        originalStan: original['stan'],
        originalDate: original['date'],
        networkReferenceId: original['networkReferenceId'],
        reasonCode: 'MERCHANT',
      },
    });
    const clear = (body: Json) => control('POST', `/simulator/authorizations/${traceId}/clear`, body);
    expect((await clear({ amount: 1000, final: false })).status).toBe(200);
    expect(rig.received[2]).toMatchObject({
      path: '/processor/clearings',
      body: { final: false, clearingSequence: 1 },
    });
    expect((await clear({ interchangeAmount: 7 })).body['request']).toMatchObject({
      recordType: 'PURCHASE',
      amount: 2000,
      final: true,
      clearingSequence: 2,
      authorizationCode: 'A7K2Q9',
      externalTransactionId: original['externalTransactionId'],
      interchangeAmount: 7,
      interchangeCurrency: 'EUR',
    });
    expect(await clear({})).toMatchObject({ status: 409, body: { title: 'STATE_CONFLICT' } });
    const refund = await control('POST', `/simulator/authorizations/${traceId}/refund`, {});
    expect(refund.body['request']).toMatchObject({
      recordType: 'REFUND',
      amount: 3000,
      referenceExternalTransactionId: original['externalTransactionId'],
    });
  });

  it('clears by default what was approved, and nothing that was declined', async () => {
    const { cardId } = await newCard();
    rig.script = ({ body }) => ({
      status: 200,
      body: { ...APPROVED, approvedAmount: Number(body['amount']) - 34 },
    });
    const partly = await authorize(cardId);
    const clear = (traceId: string) => control('POST', `/simulator/authorizations/${traceId}/clear`, {});
    expect((await clear(partly.traceId)).body['request']).toMatchObject({ amount: 1200 });
    rig.script = () => ({ status: 200, body: { result: 'DECLINED', authorizationCode: null } });
    const declined = await authorize(cardId);
    expect((await clear(declined.traceId)).status).toBe(409);
    expect((await clear('none')).body['title']).toBe('TRACE_NOT_FOUND');
  });

  it('repeats with the same duplicate key, marked as repeat', async () => {
    const { cardId } = await newCard();
    const { traceId } = await authorize(cardId);
    await control('POST', `/simulator/authorizations/${traceId}/repeat`, { times: 2 });
    expect(rig.received).toHaveLength(3);
    const duplicateKey = ({ body }: Received) =>
      ['processorCardId', 'kind', 'stan', 'retrievalReferenceNumber', 'acquirerId', 'date'].map(
        (name) => body[name],
      );
    expect(duplicateKey(rig.received[2]!)).toEqual(duplicateKey(rig.received[0]!));
    expect(rig.received[2]?.body['repeat']).toBe(true);
    expect(rig.received[2]?.body['messageId']).not.toBe(rig.received[0]?.body['messageId']);
    expect(new Set(rig.received.map((one) => one.key)).size).toBe(3);
  });

  it('posts by force and refunds without a purchase', async () => {
    const { cardId } = await newCard();
    await control('POST', '/simulator/force-posts', { cardId, amount: 900, currency: 'EUR', mcc: '7011' });
    await control('POST', '/simulator/refunds', { cardId, amount: 500, currency: 'EUR', authorize: true });
    expect(rig.received.map(({ body }) => body['recordType'] ?? body['kind'])).toEqual([
      'PURCHASE',
      'CREDIT_AUTHORIZATION',
      'REFUND',
    ]);
    expect(rig.received[1]?.body).toMatchObject({
      type: 'adjustment',
      transactionData: { adjustmentReasonDescription: 'REFUND' },
    });
  });

  it('sends card events and keeps a lock of its own', async () => {
    const { cardId, processorCardId } = await newCard();
    await control('POST', '/simulator/card-events', { cardId, type: 'LOCKED_OUTSIDE', data: { code: 3 } });
    expect(rig.received[0]).toMatchObject({
      path: '/processor/events',
      body: { processorCardId, type: 'LOCKED_OUTSIDE', data: { code: 3 } },
    });
    const [card] = (await control('GET', '/simulator/cards')).body['items'] as Json[];
    expect(card).toMatchObject({
      processorCardId,
      status: 'LOCKED',
      locks: [{ code: 3, placedBy: 'processor' }],
    });
  });

  it('names every faulty field and refuses unknown ones', async () => {
    const { cardId } = await newCard();
    const bad = await authorize(cardId, { amount: '12', currency: 'euro', colour: 'red' });
    expect(bad.body['title']).toBe('VALIDATION_ERROR');
    const fields = (bad.body['errors'] as Json[]).map((one) => one['field']);
    expect(fields.sort()).toEqual(['amount', 'colour', 'currency']);
    expect((await authorize(999_999_999)).body['title']).toBe('CARD_NOT_FOUND');
    const both = { cardId, processorCardId: 'pc_1', amount: 1, currency: 'EUR' };
    expect((await control('POST', '/simulator/authorizations', both)).status).toBe(400);
    expect(rig.received).toHaveLength(0);
  });
});

describe('silence and repeats', () => {
  it('gives up an authorization at its deadline, advises its no, and reverses with TIMEOUT until acknowledged', async () => {
    const { cardId } = await newCard();
    let refusals = 2;
    rig.script = (one) => {
      if (one.body['advice'] === true) return approve(one);
      if (one.path === '/processor/authorizations') return { status: 200, body: APPROVED, afterMs: 1_000 };
      refusals -= 1;
      return { status: refusals >= 0 ? 503 : 200, body: {} };
    };
    const { body, request: original } = await authorize(cardId);
    expect(body['response']).toBeNull();
    expect(body['standIn']).toEqual({ result: 'DECLINED', authorizationCode: null });
    expect(body['latencyMs']).toBeGreaterThanOrEqual(390);
    await eventually(() => rig.received.length === 5);
    expect(rig.received[1]?.body).toMatchObject({
      advice: true,
      adviceReason: 'STAND_IN',
      adviceResult: 'DECLINED',
      networkReferenceId: original['networkReferenceId'],
    });
    const reversals = rig.received.slice(2);
    expect(new Set(reversals.map((one) => one.text)).size).toBe(1);
    expect(new Set(reversals.map((one) => one.key)).size).toBe(1);
    expect(reversals[0]?.body).toMatchObject({ reasonCode: 'TIMEOUT', originalStan: original['stan'] });
    expect(reversals[0]?.body).not.toHaveProperty('amount');
  });

  it('takes 503 as no decision: no reversal', async () => {
    const { cardId } = await newCard();
    rig.script = () => ({ status: 503, body: { title: 'OVERLOADED', detail: '' } });
    expect((await authorize(cardId)).body['response']).toMatchObject({ title: 'OVERLOADED' });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(rig.received).toHaveLength(1);
  });

  it('keeps cards, traces, repeats and seed over a restart', async () => {
    const { cardId } = await newCard();
    const { traceId } = await authorize(cardId);
    rig.script = () => ({ status: 503, body: {} });
    await control('POST', `/simulator/authorizations/${traceId}/reverse`, { amount: 234 });
    await rig.simulator.stop();
    expect(statSync(join(rig.folder, 'store', 'processor.sqlite')).mode & 0o077).toBe(0);
    rig.script = approve;
    const before = rig.received.at(-1)?.text;
    rig.received = [];
    rig.simulator = await startProcessorSimulator({ ...rig.options, seed: 99 });
    await eventually(() => rig.received.length === 1);
    expect(rig.received[0]?.text).toBe(before);
    const cleared = await control('POST', `/simulator/authorizations/${traceId}/clear`, {});
    expect(cleared.body['request']).toMatchObject({ amount: 1000 });
    expect((await control('GET', '/simulator/config')).body['seed']).toBe(7);
  });

  it('reverses at the next start what it was stopped in the middle of', async () => {
    const { cardId } = await newCard();
    rig.script = ({ path }) => ({
      status: 200,
      body: APPROVED,
      afterMs: path === '/processor/authorizations' ? 2_000 : 0,
    });
    const lost = authorize(cardId).catch(() => null);
    await eventually(() => rig.received.length === 1);
    await rig.simulator.stop();
    await lost;
    rig.simulator = await startProcessorSimulator(rig.options);
    await eventually(() => rig.received.some((one) => one.body['reasonCode'] === 'TIMEOUT'));
    expect(rig.received.at(-1)?.body['originalStan']).toBe(rig.received[0]?.body['stan']);
  });
});

describe('faults', () => {
  const fault = (body: Json) => control('POST', '/simulator/faults', body);

  it('drops, delays, duplicates and fakes answers on the way to the platform', async () => {
    const { cardId } = await newCard();
    const once = { direction: 'toPlatform', message: 'authorization', count: 1 };
    await fault({ ...once, kind: 'drop', params: { stage: 'request' } });
    expect((await authorize(cardId)).body['response']).toBeNull();
    // The advice of the stand-in and its reversal, but no authorization.
    await eventually(() => rig.received.length === 2 && rig.received[1]?.path === '/processor/reversals');

    await fault({ ...once, kind: 'drop', params: { stage: 'answer' } });
    expect((await authorize(cardId)).body['response']).toBeNull();
    await eventually(() => rig.received.length === 5);

    await fault({ ...once, kind: 'status', params: { code: 500 } });
    expect((await authorize(cardId)).body['response']).toMatchObject({ title: 'SIMULATED_FAULT' });
    expect(rig.received).toHaveLength(5);

    await fault({ ...once, kind: 'duplicate', params: { times: 3 } });
    await authorize(cardId);
    const copies = rig.received.slice(5);
    expect(copies).toHaveLength(4);
    expect(new Set(copies.map((one) => one.text)).size).toBe(1);

    await fault({ ...once, kind: 'delay', params: { ms: 150 } });
    const startedAt = performance.now();
    await authorize(cardId);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145);
    expect((await control('GET', '/simulator/faults')).body['items']).toEqual([]);
  });

  it('cuts the connection before or after the platform has the message', async () => {
    const { cardId } = await newCard();
    const once = { direction: 'toPlatform', message: 'clearing', count: 1, kind: 'reset' };
    const post = () => control('POST', '/simulator/force-posts', { cardId, amount: 100, currency: 'EUR' });
    await fault({ ...once, params: { stage: 'request' } });
    expect((await post()).body['response']).toBeNull();
    await eventually(() => rig.received.length === 1);
    rig.received = [];
    await fault({ ...once, params: { stage: 'answer' } });
    rig.script = () => ({ status: 200, body: {}, afterMs: 50 });
    await post();
    await eventually(() => rig.received.length === 2);
    expect(rig.received[1]?.text).toBe(rig.received[0]?.text);
  });

  it('hits only the named card, and ends by id', async () => {
    const [one, other] = [await newCard(), await newCard()];
    const made = await fault({
      direction: 'toPlatform',
      message: '*',
      kind: 'status',
      params: { code: 503 },
      match: { cardId: one.cardId },
    });
    expect(made.status).toBe(201);
    expect((await authorize(one.cardId)).body['response']).toMatchObject({ title: 'SIMULATED_FAULT' });
    expect((await authorize(other.cardId)).body['response']).toMatchObject({ result: 'APPROVED' });
    expect((await control('DELETE', `/simulator/faults/${String(made.body['faultId'])}`)).status).toBe(204);
    expect((await authorize(one.cardId)).body['response']).toMatchObject({ result: 'APPROVED' });
    expect((await control('DELETE', '/simulator/faults/f-none')).status).toBe(404);
    expect((await fault({ direction: 'sideways', message: '*', kind: 'drop' })).status).toBe(400);
  });

  it('disturbs the calls of the platform: done although the answer is lost', async () => {
    const once = { direction: 'fromPlatform', message: 'generateVirtualCard', count: 1 };
    const order = newOrder();
    await fault({ ...once, kind: 'reset', params: { stage: 'answer' } });
    await expect(contract('POST', '/v1/cards/virtual', order, order.reference)).rejects.toThrow();
    const found = await contract('GET', `/v1/cards?reference=${order.reference}`);
    expect(found.body['items']).toHaveLength(1);
    expect((await contract('POST', '/v1/cards/virtual', order, order.reference)).status).toBe(201);

    await fault({ ...once, kind: 'reset', params: { stage: 'request' } });
    const second = newOrder();
    await expect(contract('POST', '/v1/cards/virtual', second)).rejects.toThrow();
    expect((await contract('GET', `/v1/cards?reference=${second.reference}`)).body['items']).toEqual([]);

    await fault({ ...once, kind: 'status', params: { code: 503, retryAfter: 2 } });
    const refused = await contract('POST', '/v1/cards/virtual', second);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '2']);

    await fault({ ...once, kind: 'duplicate', params: { times: 2 } });
    expect((await contract('POST', '/v1/cards/virtual', second)).status).toBe(201);

    await fault({ ...once, kind: 'drop', params: { stage: 'answer' } });
    const silent = new Agent({
      connect: { ...(await rig.ca.issue('platform')), ca: rig.ca.pem },
      headersTimeout: 200,
    });
    const third = newOrder();
    const url = `${rig.simulator.contractUrl}/v1/cards/virtual`;
    await expect(call(url, 'POST', third, { 'x-idempotency-key': 'k3' }, silent)).rejects.toThrow();
    await silent.destroy();
    expect((await contract('POST', '/v1/cards/virtual', third, 'k3')).headers['idempotency-replayed']).toBe(
      'true',
    );
  });
});

describe('seed', () => {
  async function play(name: string, seed: number) {
    const started = await startProcessorSimulator({
      ...rig.options,
      storeFolder: join(rig.folder, name),
      seed,
    });
    const previous = rig.simulator;
    rig.simulator = started;
    try {
      const made = await contract('POST', '/v1/cards/virtual', newOrder({ externalCardId: 5 }));
      const purchases = [await authorize(5), await authorize(5)];
      const numbers = purchases.map(({ request: sent, traceId }) => [
        traceId,
        sent['stan'],
        sent['networkReferenceId'],
      ]);
      return { made, numbers, pan: (await decrypt(made.body['payload']))['pan'] };
    } finally {
      rig.simulator = previous;
      await started.stop();
    }
  }

  it('gives the same numbers again, and others for another seed', async () => {
    const [first, again, other] = [await play('a', 1), await play('b', 1), await play('c', 2)];
    expect(again.numbers).toEqual(first.numbers);
    expect(again.pan).toBe(first.pan);
    expect(other.numbers).not.toEqual(first.numbers);
  });

  it('forgets state at a reset, but never makes a number twice', async () => {
    const made = await contract('POST', '/v1/cards/virtual', newOrder());
    const pan = (await decrypt(made.body['payload']))['pan'];
    expect((await control('POST', '/simulator/reset')).status).toBe(204);
    expect((await control('GET', '/simulator/cards')).body['items']).toEqual([]);
    const seen = new Set<unknown>();
    for (let count = 0; count < 40; count += 1) {
      const next = await contract('POST', '/v1/cards/virtual', newOrder());
      seen.add((await decrypt(next.body['payload']))['pan']);
    }
    expect(seen.size).toBe(40);
    expect(seen.has(pan)).toBe(false);
  });
});

describe('configuration', () => {
  it('lists every fault, and refuses production mode unless allowed', () => {
    const outcome = readConfig({
      NODE_ENV: 'production',
      SIM_PROCESSOR_PORT: 'x',
      SIM_PLATFORM_URL: 'http://a',
    });
    const names = 'faults' in outcome ? outcome.faults.map((one) => one.name) : [];
    expect(names).toEqual(
      expect.arrayContaining([
        'SIM_ALLOW',
        'SIM_PROCESSOR_PORT',
        'SIM_PLATFORM_URL',
        'SIMULATOR_TOKEN',
        'SIM_PROCESSOR_KEYS',
      ]),
    );
  });
});
