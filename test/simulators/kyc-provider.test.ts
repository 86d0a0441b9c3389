import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../simulators/kyc-provider/config.ts';
import { startKycProvider, type KycProvider } from '../../simulators/kyc-provider/provider.ts';

interface Webhook {
  readonly signature: string;
  readonly body: string;
}

const apiKey = 'platform-key';
const token = 'control-token';
const webhookSecret = 'webhook-secret';
const folder = mkdtempSync(join(tmpdir(), 'kyc-sim-'));
const webhooks: Webhook[] = [];
let webhookStatus = 204;
let receiver: Server;
let callbackUrl: string;
let provider: KycProvider;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      webhooks.push({ signature: String(request.headers['x-signature']), body });
      response.writeHead(webhookStatus).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  callbackUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/webhooks/kyc/simulator`;
  provider = await startKycProvider({ apiKey, token, webhookSecret, delayMs: 30 });
});
afterEach(async () => {
  await control('POST', '/reset');
  webhooks.length = 0;
  webhookStatus = 204;
});
afterAll(async () => {
  await provider.stop();
  receiver.close();
  rmSync(folder, { recursive: true });
});

type Json = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  key: string = randomUUID(),
  base = provider,
): Promise<Answer> {
  const response = await fetch(base.url + path, {
    method,
    headers: { Authorization: `Bearer ${apiKey}`, 'X-Idempotency-Key': key },
    ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Json),
  };
}
async function control(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${provider.url}/simulator${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Json),
  };
}

const aPerson = (identityCardNo: string, externalId: string = randomUUID()) => ({
  externalId,
  firstName: 'Ada',
  lastName: 'Nowak',
  birthDate: '1990-04-12',
  nationality: 'POL',
  address: 'Main Street 1, 00-001 Warsaw',
  documentType: 'IDENTITY_CARD',
  identityCardNo,
  documentExpirationDate: '2031-01-31',
});
function aPicture(kind: string, content: string): FormData {
  const form = new FormData();
  form.set('kind', kind);
  form.set('file', new Blob([content], { type: 'image/png' }), 'picture.png');
  return form;
}

/** Starts a check of a person with this identity card number; returns the check's id. */
async function startCheck(identityCardNo: string, externalId?: string, base = provider): Promise<string> {
  const applicant = await ask('POST', '/applicants', aPerson(identityCardNo, externalId), undefined, base);
  const { applicantId } = applicant.body;
  const asked = { applicantId, checks: ['DOCUMENT', 'FACE_MATCH'], callbackUrl };
  const check = await ask('POST', '/checks', asked, undefined, base);
  expect(check).toMatchObject({ status: 202, body: { state: 'RUNNING' } });
  return String(check.body['checkId']);
}
const readCheck = async (checkId: string, base = provider) =>
  (await ask('GET', `/checks/${checkId}`, undefined, undefined, base)).body;
const completed = (checkId: string) =>
  expect.poll(async () => (await readCheck(checkId))['state'], { timeout: 3_000 }).toBe('COMPLETED');
const received = (count: number) => expect.poll(() => webhooks.length, { timeout: 3_000 }).toBe(count);

function isSignedBy(secret: string, { signature, body }: Webhook): boolean {
  const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  return mac === createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
}

describe('calls of the platform', () => {
  it('approves by default and says so by a signed webhook', async () => {
    const externalId = randomUUID();
    const checkId = await startCheck('ABC123456', externalId);
    expect(await readCheck(checkId)).toEqual({
      checkId,
      state: 'RUNNING',
      outcome: null,
      reasons: [],
      completedAt: null,
    });
    await received(1);
    expect(await readCheck(checkId)).toMatchObject({ state: 'COMPLETED', outcome: 'APPROVED', reasons: [] });
    expect(isSignedBy(webhookSecret, webhooks[0]!)).toBe(true);
    const news = JSON.parse(webhooks[0]!.body) as Json;
    expect(Object.keys(news)).toEqual([
      'eventId',
      'type',
      'checkId',
      'applicantId',
      'externalId',
      'outcome',
      'reasons',
      'occurredAt',
    ]);
    expect(news).toMatchObject({
      type: 'check.completed',
      checkId,
      externalId,
      outcome: 'APPROVED',
      reasons: [],
    });
  });

  it.each([
    ['SIMDATA1', 'DATA_MISMATCH'],
    ['SIMFRAUD1', 'SUSPECTED_FRAUD'],
    ['SIMDOCINV1', 'DOCUMENT_INVALID'],
    ['SIMDOCEXP1', 'DOCUMENT_EXPIRED'],
    ['SIMDOCBLUR1', 'DOCUMENT_BLURRED'],
    ['SIMFACE1', 'FACE_MISMATCH'],
    ['SIMSELFINV1', 'SELFIE_INVALID'],
    ['SIMSELFBLUR1', 'SELFIE_BLURRED'],
  ])('%s is rejected with %s', async (identityCardNo, reason) => {
    const checkId = await startCheck(identityCardNo);
    await completed(checkId);
    expect(await readCheck(checkId)).toMatchObject({ outcome: 'REJECTED', reasons: [reason] });
  });

  it('reviews, stays silent, or does not call back, by prefix', async () => {
    const [review, silent, noCall] = [
      await startCheck('SIMREVIEW'),
      await startCheck('SIMSILENT'),
      await startCheck('SIMNOCALL'),
    ];
    await completed(review);
    await completed(noCall);
    await received(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await readCheck(review)).toMatchObject({ outcome: 'REVIEW' });
    expect(await readCheck(noCall)).toMatchObject({ outcome: 'APPROVED' });
    expect(await readCheck(silent)).toMatchObject({ state: 'RUNNING', outcome: null });
    expect(webhooks.map(({ body }) => (JSON.parse(body) as Json)['checkId'])).toEqual([review]);
  });

  it('gives the same answer for the same key and refuses the key for another body', async () => {
    const person = aPerson('ABC');
    const first = await ask('POST', '/applicants', person, 'key-1');
    expect(await ask('POST', '/applicants', person, 'key-1')).toMatchObject({
      status: 201,
      body: first.body,
    });
    expect((await ask('POST', '/applicants', aPerson('DEF'), 'key-1')).status).toBe(422);
    expect((await ask('POST', '/applicants', person, 'key-2')).body).not.toEqual(first.body);
    const path = `/applicants/${String(first.body['applicantId'])}/documents`;
    const document = await ask('POST', path, aPicture('FACE', 'pixels'), 'key-3');
    expect(await ask('POST', path, aPicture('FACE', 'pixels'), 'key-3')).toMatchObject({
      status: 201,
      body: document.body,
    });
  });

  it('counts and hashes documents and keeps none of their content', async () => {
    const { body } = await ask('POST', '/applicants', aPerson('ABC'));
    for (const kind of ['FACE', 'FRONT', 'BACK']) {
      const path = `/applicants/${String(body['applicantId'])}/documents`;
      expect((await ask('POST', path, aPicture(kind, `secret ${kind}`))).status).toBe(201);
    }
    await ask('POST', '/checks', { applicantId: body['applicantId'], checks: ['DOCUMENT'], callbackUrl });
    const seen = await control('GET', '/checks');
    expect(seen.body['checks']).toMatchObject([
      { documents: [{ kind: 'FACE', bytes: 11 }, { kind: 'FRONT' }, { kind: 'BACK' }] },
    ]);
    expect(JSON.stringify(seen.body)).not.toMatch(/secret|Nowak/);
  });

  it('forgets a person, once', async () => {
    const { body } = await ask('POST', '/applicants', aPerson('ABC'));
    const path = `/applicants/${String(body['applicantId'])}`;
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('DELETE', path)).status).toBe(404);
    expect((await ask('POST', `${path}/documents`, aPicture('FACE', 'x'))).status).toBe(404);
  });

  it('refuses a wrong key, a missing idempotency key, wrong bodies, unknown ids', async () => {
    expect(
      (await fetch(`${provider.url}/checks/x`, { headers: { Authorization: 'Bearer no' } })).status,
    ).toBe(401);
    const headers = { Authorization: `Bearer ${apiKey}` };
    const keyless = await fetch(`${provider.url}/applicants`, {
      method: 'POST',
      headers,
      body: JSON.stringify(aPerson('A')),
    });
    expect(keyless.status).toBe(400);
    expect((await ask('POST', '/applicants', { externalId: 'x' })).status).toBe(400);
    expect(
      (await ask('POST', '/checks', { applicantId: 'none', checks: ['DOCUMENT'], callbackUrl })).status,
    ).toBe(404);
    expect(
      (await ask('POST', '/checks', { applicantId: 'none', checks: ['SOUL'], callbackUrl })).status,
    ).toBe(400);
    expect((await ask('GET', '/checks/none')).status).toBe(404);
    expect((await ask('GET', '/elsewhere')).status).toBe(404);
  });
});

describe('scenarios', () => {
  it('beat the prefix, for one person or for all', async () => {
    const externalId = randomUUID();
    await control('PUT', `/scenarios/${externalId}`, { outcome: 'APPROVED', delayMs: 0 });
    const one = await startCheck('SIMDATA', externalId);
    await completed(one);
    expect(await readCheck(one)).toMatchObject({ outcome: 'APPROVED', reasons: [] });
    await control('PUT', '/scenarios/default', { outcome: 'REJECTED', reasons: ['SELFIE_INVALID'] });
    const other = await startCheck('SIMSILENT');
    await completed(other);
    expect(await readCheck(other)).toMatchObject({ outcome: 'REJECTED', reasons: ['SELFIE_INVALID'] });
    expect((await control('DELETE', '/scenarios')).status).toBe(204);
    expect((await control('PUT', '/scenarios/default', { outcome: 'MAYBE' })).status).toBe(400);
  });

  it('send a callback several times with the same bytes, or none', async () => {
    await control('PUT', '/scenarios/default', { callbacks: 3 });
    await startCheck('ABC');
    await received(3);
    expect(new Set(webhooks.map((one) => one.body)).size).toBe(1);
    await control('PUT', '/scenarios/default', { callbacks: 0 });
    await completed(await startCheck('ABC'));
    expect(webhooks).toHaveLength(3);
  });

  it('spoil signature, time, body or outcome of the callback', async () => {
    await control('PUT', '/scenarios/default', { badSignature: true });
    await startCheck('ABC');
    await received(1);
    expect(isSignedBy(webhookSecret, webhooks[0]!)).toBe(false);
    await control('PUT', '/scenarios/default', { staleTimestamp: true });
    await startCheck('ABC');
    await received(2);
    expect(isSignedBy(webhookSecret, webhooks[1]!)).toBe(true);
    expect(Date.now() / 1_000 - Number(/t=(\d+)/.exec(webhooks[1]!.signature)![1])).toBeGreaterThan(300);
    await control('PUT', '/scenarios/default', { malformed: true });
    await startCheck('ABC');
    await received(3);
    expect(() => JSON.parse(webhooks[2]!.body) as unknown).toThrow();
    await control('PUT', '/scenarios/default', { wrongOutcomeInCallback: true });
    const checkId = await startCheck('ABC');
    await received(4);
    expect(JSON.parse(webhooks[3]!.body)).toMatchObject({ outcome: 'REJECTED' });
    expect(await readCheck(checkId)).toMatchObject({ outcome: 'APPROVED' });
  });

  it('fail a call so many times, without an effect, and hang', async () => {
    const person = aPerson('ABC');
    await control('PUT', `/scenarios/${person.externalId}`, {
      fail: { call: 'applicants', status: 503, times: 2 },
      hangMs: 120,
    });
    const startMs = performance.now();
    const first = await ask('POST', '/applicants', person, 'key');
    expect(performance.now() - startMs).toBeGreaterThan(110);
    expect(first.headers.get('Retry-After')).toBe('1');
    const statuses = [first.status];
    for (let i = 0; i < 2; i += 1) statuses.push((await ask('POST', '/applicants', person, 'key')).status);
    expect(statuses).toEqual([503, 503, 201]);
  });
});

describe('control calls', () => {
  it('need the token; health does not', async () => {
    expect((await fetch(`${provider.url}/simulator/checks`)).status).toBe(401);
    expect((await fetch(`${provider.url}/simulator/health`)).status).toBe(200);
    expect((await fetch(`${provider.url}/health`)).status).toBe(200);
  });

  it('complete a silent check by hand and send its callback again', async () => {
    const checkId = await startCheck('SIMSILENT');
    expect((await control('POST', `/checks/${checkId}/callback`)).status).toBe(404);
    expect(
      (await control('POST', `/checks/${checkId}/complete`, { outcome: 'REVIEW', reasons: [] })).status,
    ).toBe(204);
    await received(1);
    expect((await control('POST', `/checks/${checkId}/callback`)).status).toBe(204);
    await received(2);
    expect(webhooks[1]!.body).toBe(webhooks[0]!.body);
    expect((await control('POST', '/checks/none/complete', { outcome: 'REVIEW' })).status).toBe(404);
  });

  it('try a callback again that met a failing platform', async () => {
    webhookStatus = 503;
    const checkId = await startCheck('ABC');
    await received(1);
    webhookStatus = 204;
    await received(2);
    await expect
      .poll(async () => (await control('GET', '/checks')).body['callbacks'])
      .toMatchObject([{ checkId, attempts: 2, state: 'ACCEPTED', lastStatus: 204 }]);
  });

  it('give the same run for the same seed', async () => {
    const run = async () => {
      await control('POST', '/reset', { seed: 7 });
      return startCheck('SIMNOCALL');
    };
    expect(await run()).toBe(await run());
  });
});

describe('store', () => {
  it('goes on after a restart with what was running', async () => {
    const options = { apiKey, token, webhookSecret, delayMs: 400, storeFile: join(folder, 'kyc.db') };
    const first = await startKycProvider(options);
    const checkId = await startCheck('SIMDATA', undefined, first);
    await first.stop();
    const second = await startKycProvider(options);
    expect(await readCheck(checkId, second)).toMatchObject({ state: 'RUNNING' });
    await received(1);
    expect(await readCheck(checkId, second)).toMatchObject({
      outcome: 'REJECTED',
      reasons: ['DATA_MISMATCH'],
    });
    await second.stop();
  });
});

describe('settings', () => {
  it('lists all faults together and refuses production mode without leave', () => {
    expect(readConfig({ SIM_KYC_PORT: '0', SIM_KYC_DELAY_MS: 'x' })).toMatchObject({
      faults: [
        expect.stringMatching(/^SIM_KYC_PORT /),
        expect.stringMatching(/^SIM_KYC_WEBHOOK_SECRET {2}missing/),
        expect.stringMatching(/^SIM_KYC_DELAY_MS /),
      ],
    });
    expect(readConfig({ NODE_ENV: 'production', SIM_KYC_WEBHOOK_SECRET: 's' })).toHaveProperty('faults');
    expect(readConfig({ SIM_KYC_WEBHOOK_SECRET: 's' })).toMatchObject({
      options: { port: 8091, delayMs: 2_000 },
    });
  });
});
