import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Json, ProcessorRig } from './processor-rig.ts';
import { startRig } from './processor-rig.ts';

let rig: ProcessorRig;

beforeAll(async () => {
  rig = await startRig();
});

afterEach(() => rig.clean());

afterAll(() => rig.stop());

const today = () => new Date().toISOString().slice(0, 10);

/** Makes a file and fetches it as the platform would. */
async function makeFile(body: Json) {
  const made = await rig.control('POST', '/simulator/clearing-files', { businessDate: today(), ...body });
  const fileId = String(made.body['fileId']);
  const { text, headers, status } = await rig.contract('GET', `/v1/clearing-files/${fileId}`);
  const lines = text.trimEnd().split('\n');
  const read = (line: string | undefined) => JSON.parse(line ?? '{}') as Json;
  return {
    made,
    fileId,
    status,
    headers,
    text,
    announced: made.body['request'] as Json,
    head: read(lines[0]),
    records: () => lines.slice(1, -1).map(read),
    trailer: () => read(lines.at(-1)),
  };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function purchases(count: number): Promise<{ cardId: number; traceIds: string[] }> {
  const { cardId } = await rig.newCard();
  const traceIds: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    traceIds.push((await rig.authorize(cardId, { amount: 100 * number })).traceId);
  }
  rig.received = [];
  return { cardId, traceIds };
}

describe('a clearing file', () => {
  it('holds header, numbered records and trailer, and is announced with size and hash', async () => {
    const { cardId, traceIds } = await purchases(2);
    const paidIn = await rig.authorize(cardId, { type: 'adjustment', amount: 70 });
    const file = await makeFile({ traceIds: [...traceIds, paidIn.traceId] });
    expect(file.head).toEqual({
      recordType: 'H',
      version: 1,
      fileId: file.fileId,
      businessDate: today(),
    });
    expect(file.records()).toMatchObject([
      { recordNo: 1, recordType: 'PURCHASE', amount: 100, final: true, authorizationCode: 'A7K2Q9' },
      { recordNo: 2, recordType: 'PURCHASE', amount: 200 },
      { recordNo: 3, recordType: 'CREDIT', amount: 70 },
    ]);
    expect(new Set(file.records().map((one) => one['recordId'])).size).toBe(3);
    expect(file.trailer()).toEqual({
      recordType: 'T',
      records: 3,
      debitTotals: { EUR: 300 },
      creditTotals: { EUR: 70 },
    });
    expect(file.headers['content-type']).toBe('application/x-ndjson');
    expect(rig.received.at(-1)).toMatchObject({ path: '/processor/clearing-files', body: file.announced });
    expect(file.announced).toEqual({
      fileId: file.fileId,
      businessDate: today(),
      records: 3,
      size: Buffer.byteLength(file.text),
      sha256: sha256(file.text),
    });
  });

  it('without traces holds every open approval of its date and what waited for a file', async () => {
    await rig.control('POST', '/simulator/reset');
    const { traceIds } = await purchases(3);
    await rig.control('POST', `/simulator/authorizations/${traceIds[0]}/clear`, {});
    const waiting = await rig.control('POST', `/simulator/authorizations/${traceIds[1]}/clear`, {
      via: 'file',
      amount: 250,
    });
    expect(waiting.body['response']).toBeNull();
    expect(rig.received).toHaveLength(1);
    const file = await makeFile({});
    expect(file.records()).toMatchObject([{ amount: 250 }, { amount: 300 }]);
    const again = await rig.control('POST', '/simulator/clearing-files', { businessDate: today() });
    expect(again).toMatchObject({ status: 409, body: { title: 'STATE_CONFLICT' } });
    const listed = (await rig.control('GET', '/simulator/clearing-files')).body['items'] as Json[];
    expect(listed).toMatchObject([{ fileId: file.fileId, records: 2 }]);
    expect(listed[0]).not.toHaveProperty('path');
  });

  it('is announced with the same bytes until it is taken, 202 too', async () => {
    const { traceIds } = await purchases(1);
    let refusals = 2;
    rig.script = () => ((refusals -= 1) >= 0 ? { status: 503, body: {} } : { status: 202, body: {} });
    await makeFile({ traceIds });
    await expect.poll(() => rig.received.length).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(rig.received).toHaveLength(3);
    expect(new Set(rig.received.map((one) => one.text)).size).toBe(1);
  });

  it('made anew under its id has another hash, and a refusal of that ends the announcements', async () => {
    const { traceIds } = await purchases(2);
    const first = await makeFile({ traceIds: [traceIds[0]], announce: false });
    expect(rig.received).toHaveLength(0);
    rig.script = () => ({ status: 422, body: { title: 'FILE_CHANGED', detail: '' } });
    const second = await makeFile({ traceIds: [traceIds[1]], fileId: first.fileId });
    expect(second.fileId).toBe(first.fileId);
    expect(second.announced['sha256']).not.toBe(sha256(first.text));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(rig.received).toHaveLength(1);
  });

  it('unknown is not found', async () => {
    const answer = await rig.contract('GET', '/v1/clearing-files/C00000000-01');
    expect(answer).toMatchObject({ status: 404, body: { title: 'FILE_NOT_FOUND' } });
    const bad = await rig.control('POST', '/simulator/clearing-files', {
      businessDate: 'today',
      fileId: '../x',
      defect: 'holes',
    });
    expect((bad.body['errors'] as Json[]).map((one) => one['field']).sort()).toEqual([
      'businessDate',
      'defect',
      'fileId',
    ]);
  });
});

describe('defects', () => {
  it('truncate: fewer bytes than were announced', async () => {
    const { traceIds } = await purchases(3);
    const { text, announced } = await makeFile({ traceIds, defect: 'truncate' });
    expect(Buffer.byteLength(text)).toBeLessThan(Number(announced['size']));
    expect(sha256(text)).not.toBe(announced['sha256']);
    expect(text).not.toContain('"recordType":"T"');
  });

  it('badTotal: a trailer that does not fit the records, in a file with the right hash', async () => {
    const { traceIds } = await purchases(2);
    const file = await makeFile({ traceIds, defect: 'badTotal' });
    expect(file.trailer()['debitTotals']).toEqual({ EUR: 301 });
    expect(sha256(file.text)).toBe(file.announced['sha256']);
  });

  it('duplicate: one record twice, otherwise in order', async () => {
    const { traceIds } = await purchases(2);
    const file = await makeFile({ traceIds, defect: 'duplicate' });
    const [first, second, third] = file.records();
    expect({ ...second, recordNo: 1 }).toEqual(first);
    expect(third).toMatchObject({ recordNo: 3, amount: 200 });
    expect(file.trailer()).toMatchObject({ records: 3, debitTotals: { EUR: 400 } });
  });

  it('reorder: the first two numbers changed', async () => {
    const { traceIds } = await purchases(3);
    const file = await makeFile({ traceIds, defect: 'reorder' });
    expect(file.records().map((one) => one['recordNo'])).toEqual([2, 1, 3]);
  });

  it('unknownCard: one record of a card that nobody has', async () => {
    const { traceIds } = await purchases(2);
    const [first, second] = (await makeFile({ traceIds, defect: 'unknownCard' })).records();
    expect(first?.['processorCardId']).toBe('pc_0000000000000000');
    expect(second?.['processorCardId']).not.toBe(first?.['processorCardId']);
  });
});

describe('a file of force posts', () => {
  it('has 100,000 records that are all different, within seconds', async () => {
    const { cardId } = await rig.newCard();
    const startedAt = performance.now();
    const file = await makeFile({ forcePosts: { cardId, count: 100_000, amount: 123, currency: 'EUR' } });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    const records = file.records();
    expect(records).toHaveLength(100_000);
    for (const member of ['recordId', 'externalTransactionId', 'networkReferenceId', 'arn', 'recordNo']) {
      expect(new Set(records.map((one) => one[member])).size).toBe(100_000);
    }
    expect(records.at(-1)).toMatchObject({ recordNo: 100_000, amount: 123, recordType: 'PURCHASE' });
    expect(String(records[0]?.['networkReferenceId']).length).toBeLessThanOrEqual(36);
    expect(records[0]?.['arn']).toMatch(/^[0-9]{23}$/);
    expect(file.trailer()['debitTotals']).toEqual({ EUR: 12_300_000 });
    expect(file.announced).toMatchObject({ records: 100_000, sha256: sha256(file.text) });
  });

  it('spreads over several cards, and holds no open approval unless asked for', async () => {
    const [one, other] = [await rig.newCard(), await rig.newCard()];
    await rig.authorize(one.cardId);
    const forcePosts = {
      processorCardIds: [one.processorCardId, other.processorCardId],
      count: 3,
      amount: 1,
      currency: 'EUR',
    };
    const file = await makeFile({ forcePosts });
    const cards = file.records().map((record) => record['processorCardId']);
    expect(cards).toEqual([one.processorCardId, other.processorCardId, one.processorCardId]);
    const unknown = { ...forcePosts, processorCardIds: ['pc_none'] };
    const refused = await rig.control('POST', '/simulator/clearing-files', {
      businessDate: today(),
      forcePosts: unknown,
    });
    expect(refused.body['title']).toBe('CARD_NOT_FOUND');
  });
});
