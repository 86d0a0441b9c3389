import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alter } from '../../simulators/processor/faults/alter.ts';
import { garbageOf } from '../../simulators/processor/faults/garbage.ts';
import type { Json, ProcessorRig } from './processor-rig.ts';
import { approve, call, eventually, newOrder, startRig } from './processor-rig.ts';

let rig: ProcessorRig;

beforeAll(async () => {
  rig = await startRig();
});

afterEach(() => rig.clean());

afterAll(() => rig.stop());

const fault = (body: Json) => rig.control('POST', '/simulator/faults', body);
const once = { direction: 'toPlatform', message: 'authorization', count: 1 };

describe('late', () => {
  it('gives up although the platform approved: stand-in, advice, reversal with TIMEOUT', async () => {
    const { cardId } = await rig.newCard();
    await fault({ ...once, kind: 'late', params: { ms: 5_000 } });
    const { body } = await rig.authorize(cardId);
    expect(body).toMatchObject({ response: null, standIn: { result: 'DECLINED' } });
    expect(Number(body['latencyMs'])).toBeGreaterThanOrEqual(390);
    expect(Number(body['latencyMs'])).toBeLessThan(2_000);
    await eventually(() => rig.received.length === 3);
    expect(rig.received.map((one) => one.body['adviceResult'] ?? one.body['reasonCode'])).toEqual([
      undefined,
      'DECLINED',
      'TIMEOUT',
    ]);
  });

  it('that is not too late is only slow', async () => {
    const { cardId } = await rig.newCard();
    await fault({ ...once, kind: 'late', params: { ms: 150 } });
    const { body } = await rig.authorize(cardId);
    expect(body['response']).toMatchObject({ result: 'APPROVED' });
    expect(Number(body['latencyMs'])).toBeGreaterThanOrEqual(145);
  });
});

describe('reorder', () => {
  it('lets the second of two messages arrive first', async () => {
    const { cardId } = await rig.newCard();
    await fault({ direction: 'toPlatform', message: '*', count: 2, kind: 'reorder', params: { window: 2 } });
    const [first, second] = await Promise.all([
      rig.control('POST', '/simulator/force-posts', { cardId, amount: 1, currency: 'EUR' }),
      new Promise((resolve) => setTimeout(resolve, 50)).then(() =>
        rig.control('POST', '/simulator/force-posts', { cardId, amount: 2, currency: 'EUR' }),
      ),
    ]);
    expect(rig.received.map((one) => one.body['amount'])).toEqual([2, 1]);
    expect([first.status, second.status]).toEqual([200, 200]);
  });

  it('waits no longer than told for the window to fill', async () => {
    const { cardId } = await rig.newCard();
    await fault({ ...once, kind: 'reorder', params: { window: 5, waitMs: 80 } });
    expect((await rig.authorize(cardId)).body['response']).toMatchObject({ result: 'APPROVED' });
  });

  it('lets an authorization arrive that the network gave up before', async () => {
    const { cardId } = await rig.newCard();
    await fault({ ...once, kind: 'reorder', params: { window: 5, waitMs: 700 } });
    expect((await rig.authorize(cardId)).body['response']).toBeNull();
    await eventually(() => rig.received.length === 3);
    expect(rig.received.map((one) => one.body['kind'] ?? one.path)).toEqual([
      'AUTHORIZATION',
      '/processor/reversals',
      'AUTHORIZATION',
    ]);
    expect(rig.received[2]?.body).not.toHaveProperty('advice');
  });
});

describe('alter', () => {
  it('sends another value under the same key', async () => {
    const { cardId } = await rig.newCard();
    const { traceId } = await rig.authorize(cardId);
    await fault({ ...once, kind: 'alter', params: { field: 'amount', value: 9_999 } });
    await rig.control('POST', `/simulator/authorizations/${traceId}/repeat`);
    const [original, altered] = rig.received.map((one) => one.body);
    expect(altered).toMatchObject({ amount: 9_999, stan: original?.['stan'], repeat: true });
    await fault({ ...once, kind: 'alter', params: { field: 'transactionData.mcc', value: '0000' } });
    await rig.authorize(cardId);
    expect(rig.received[2]?.body['transactionData']).toMatchObject({ mcc: '0000', acquirerCountry: 'POL' });
    expect((await fault({ ...once, kind: 'alter', params: { field: 'a..b', value: 1 } })).status).toBe(400);
  });

  it('changes only the member it names', () => {
    expect(alter({ a: 1, b: { c: 2, d: 3 } }, 'b.c', 9)).toEqual({ a: 1, b: { c: 9, d: 3 } });
    expect(alter({ a: 1 }, 'b.c', null)).toEqual({ a: 1, b: { c: null } });
  });
});

describe('garbage', () => {
  it.each(['truncated', 'html', 'binary'])('%s reaches the platform instead of the message', async (form) => {
    const { cardId } = await rig.newCard();
    await fault({ ...once, kind: 'garbage', params: { form } });
    const { body } = await rig.authorize(cardId);
    expect(body['response']).toMatchObject({ title: 'VALIDATION_ERROR' });
    expect(rig.received[0]?.body).toEqual({});
  });

  it('huge and slow bodies end at the deadline or with what the platform says', async () => {
    const { cardId } = await rig.newCard();
    await fault({ ...once, kind: 'garbage', params: { form: 'slow' } });
    const { body } = await rig.authorize(cardId);
    expect(body['response']).toBeNull();
    expect(Number(body['latencyMs'])).toBeLessThan(2_000);
    // The network's own no, advised and reversed.
    await eventually(() => rig.received.length === 2);
    expect(garbageOf('huge', '{}').pieces[0]?.length).toBeGreaterThan(2 * 1024 * 1024);
    expect(Buffer.concat(garbageOf('slow', '{"a":1}').pieces).toString()).toBe('{"a":1}');
  });

  it('of a record is followed by the record itself', async () => {
    const { cardId } = await rig.newCard();
    await fault({ ...once, message: 'clearing', kind: 'garbage', params: { form: 'truncated' } });
    await rig.control('POST', '/simulator/force-posts', { cardId, amount: 5, currency: 'EUR' });
    await eventually(() => rig.received.length === 2);
    expect(rig.received[1]?.body).toMatchObject({ amount: 5 });
  });

  it('answers the platform with unreadable bytes, the call done', async () => {
    const order = newOrder();
    const disturbed = { direction: 'fromPlatform', message: 'generateVirtualCard', count: 1 };
    await fault({ ...disturbed, kind: 'garbage', params: { form: 'truncated' } });
    const answer = await rig.contract('POST', '/v1/cards/virtual', order, 'garbage-1');
    expect(() => JSON.parse(answer.text) as unknown).toThrow();
    const found = await rig.contract('GET', `/v1/cards?reference=${order.reference}`);
    expect(found.body['items']).toHaveLength(1);
    await fault({ ...disturbed, kind: 'garbage', params: { form: 'huge' } });
    const huge = await rig.contract('POST', '/v1/cards/virtual', newOrder(), 'garbage-2');
    expect(huge.text.length).toBeGreaterThan(64 * 1024);
  });
});

describe('duplicate', () => {
  it('of a clearing record goes out in parallel, byte for byte', async () => {
    const { cardId } = await rig.newCard();
    let atOnce = 0;
    let most = 0;
    rig.script = (one) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      setTimeout(() => (atOnce -= 1), 60);
      return { ...approve(one), afterMs: 60 };
    };
    await fault({ ...once, message: 'clearing', kind: 'duplicate', params: { times: 3 } });
    await rig.control('POST', '/simulator/force-posts', { cardId, amount: 5, currency: 'EUR' });
    expect(new Set(rig.received.map((one) => one.text)).size).toBe(1);
    expect(rig.received).toHaveLength(4);
    expect(most).toBeGreaterThan(1);
  });
});

describe('a fault', () => {
  it.each([
    ['reorder', { window: 2 }],
    ['late', { ms: 1 }],
    ['alter', { field: 'a', value: 1 }],
  ])('%s disturbs only messages of the network', async (kind, params) => {
    const answer = await fault({ direction: 'fromPlatform', message: 'lock', kind, params });
    expect(answer).toMatchObject({ status: 400, body: { title: 'VALIDATION_ERROR' } });
    expect((await fault({ direction: 'toPlatform', message: 'advice', kind, params })).status).toBe(201);
  });

  it('hits increments, advices and files by their own words', async () => {
    const { cardId } = await rig.newCard();
    const { traceId } = await rig.authorize(cardId);
    for (const message of ['incremental', 'advice', 'clearingFile']) {
      await fault({ ...once, message, kind: 'status', params: { code: 503 } });
    }
    const at = `/simulator/authorizations/${traceId}`;
    const answers = [
      await rig.control('POST', `${at}/increment`, { amount: 1 }),
      await rig.control('POST', `${at}/advice`, { reason: 'STAND_IN' }),
      await rig.control('POST', '/simulator/clearing-files', {
        businessDate: '2027-01-01',
        traceIds: [traceId],
      }),
    ];
    for (const { body } of answers) expect(body['response']).toMatchObject({ title: 'SIMULATED_FAULT' });
    expect((await rig.control('GET', '/simulator/faults')).body['items']).toEqual([]);
  });

  it('of getClearingFile disturbs the platform fetching it', async () => {
    const { cardId } = await rig.newCard();
    const made = await rig.control('POST', '/simulator/clearing-files', {
      businessDate: '2027-01-01',
      forcePosts: { cardId, count: 2, amount: 5, currency: 'EUR' },
    });
    await fault({
      direction: 'fromPlatform',
      message: 'getClearingFile',
      count: 1,
      kind: 'status',
      params: { code: 503, retryAfter: 1 },
    });
    const path = `/v1/clearing-files/${String(made.body['fileId'])}`;
    expect((await rig.contract('GET', path)).status).toBe(503);
    const read = await call(rig.simulator.contractUrl + path, 'GET', undefined, {}, rig.certified);
    expect(read.text.split('\n')).toHaveLength(5);
  });
});
