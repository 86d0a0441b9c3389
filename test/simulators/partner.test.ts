import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { CompactEncrypt, importSPKI } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../simulators/partner/config.ts';
import { startPartnerSim, type PartnerSim } from '../../simulators/partner/simulator.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}
interface Identity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

const folder = mkdtempSync(join(tmpdir(), 'partner-sim-'));
let simulator: PartnerSim;
let platform: Identity;

beforeAll(async () => {
  simulator = await startPartnerSim({ caFolder: join(folder, 'ca'), token: 'control-token' });
  platform = await signUp(simulator);
});
afterEach(() => simulator.control.reset());
afterAll(async () => {
  await simulator.stop();
  rmSync(folder, { recursive: true });
});

/** A key and a CSR as the platform makes them, signed by the partner. */
async function signUp(partner: PartnerSim): Promise<Identity> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=platform',
    keys,
    signingAlgorithm: algorithm,
  });
  const signed = await partner.control.signCsr(csr.toString('pem'));
  const keyDer = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificatePem: signed!.certificatePem, keyPem: x509.PemConverter.encode(keyDer, 'PRIVATE KEY') };
}

interface Ask {
  readonly headers?: Record<string, string>;
  readonly identity?: Identity | null;
  readonly partner?: PartnerSim;
  readonly timeoutMs?: number;
}

/** One HTTPS call with the platform's certificate; rejects when the connection breaks or time runs out. */
function ask(method: string, path: string, body?: unknown, options: Ask = {}): Promise<Answer> {
  const { identity = platform, partner = simulator, timeoutMs = 5_000 } = options;
  const bytes = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      partner.url + path,
      {
        method,
        ca: partner.caPem,
        ...(identity && { cert: identity.certificatePem, key: identity.keyPem }),
        agent: false,
        timeout: timeoutMs,
        headers: { ...(bytes !== '' && { 'Content-Type': 'application/json' }), ...options.headers },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text === '' ? null : JSON.parse(text),
          }),
        );
        response.on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('TIMEOUT')));
    sent.on('error', reject);
    sent.end(bytes);
  });
}

const withKey = (key: string = randomUUID(), sequence?: number): Ask => ({
  headers: {
    'X-Idempotency-Key': key,
    ...(sequence !== undefined && { 'X-Event-Sequence': String(sequence) }),
  },
});

function aTransaction(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: randomUUID(),
    balanceId: randomUUID(),
    resourceId: randomUUID(),
    resource: 'card',
    transactionId: '177482',
    referenceTransactionId: null,
    type: 'pos',
    amount: 2_233,
    currency: 'EUR',
    originalAmount: null,
    originalCurrency: null,
    status: 'AUTHORIZED',
    description: 'Bücherstube Köln DEU',
    date: '2026-01-01T10:10:54.000Z',
    transactionData: { mcc: '5942', captureMode: 'ecommerce', cardId: '222' },
    ...changes,
  };
}
const aLock = (cardId: string) => ({
  dcCardId: cardId,
  date: '2026-01-01T10:10:54.000Z',
  reason: 'CARD_LOST',
});
const anOtp = (otp: string) => ({
  storageCustomerId: '1337',
  storageCardId: '2001',
  balanceId: 'b334b384-328c-41ed-a261-0242ac120002',
  amount: '1000',
  currency: 'PLN',
  merchantName: 'Corner Shop',
  otp,
});

async function encrypt(plain: unknown): Promise<{ payload: string }> {
  const { body } = await ask('GET', '/public-key');
  const pem = Buffer.from((body as { publicKey: string }).publicKey, 'base64').toString();
  const payload = await new CompactEncrypt(Buffer.from(JSON.stringify(plain)))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
    .encrypt(await importSPKI(pem, 'RSA-OAEP-256'));
  return { payload };
}
const encrypted = (key: string = randomUUID()): Ask => ({
  headers: { 'X-Idempotency-Key': key, 'Encrypted-Request': 'true' },
});

async function aBalance(userId: string, amount: number): Promise<string> {
  const balanceId = randomUUID();
  await ask('POST', `/users/${userId}/balances`, { balanceId, currency: 'EUR' }, withKey());
  if (amount > 0) {
    const funds = aTransaction({ balanceId, amount, type: 'topup' });
    await ask('POST', '/transactions/force-credit', funds, withKey());
  }
  return balanceId;
}
async function amountOf(balanceId: string): Promise<number | undefined> {
  return simulator.control.accounts().find((account) => account.balanceId === balanceId)?.amount;
}
const codes = (): string[] => simulator.control.violations().map((one) => one.code);

describe('transport', () => {
  it('refuses a caller without a certificate and one with a certificate of another authority', async () => {
    await expect(ask('GET', '/public-key', undefined, { identity: null })).rejects.toThrow();
    const stranger = await startPartnerSim();
    const foreign = await signUp(stranger);
    await stranger.stop();
    await expect(ask('GET', '/public-key', undefined, { identity: foreign })).rejects.toThrow();
  });

  it('answers 404 to an unknown path, 413 to a long body, 400 to broken JSON', async () => {
    expect((await ask('GET', '/nothing')).status).toBe(404);
    const long = aTransaction({ filler: 'x'.repeat(60_000) });
    expect((await ask('POST', '/transactions/debit', long, withKey())).status).toBe(413);
    expect((await ask('POST', '/transactions/debit', '{"id":', withKey())).status).toBe(400);
  });

  it('checks the password with Basic authentication and never records it', async () => {
    const partner = await startPartnerSim({
      tls: false,
      authentication: { kind: 'basic', user: 'u', password: 'p' },
    });
    const authorization = `Basic ${btoa('u:p')}`;
    const wrong = await fetch(`${partner.url}/users/1/balances`, {
      headers: { authorization: `Basic ${btoa('u:q')}` },
    });
    const right = await fetch(`${partner.url}/users/1/balances`, { headers: { authorization } });
    expect([wrong.status, right.status]).toEqual([401, 200]);
    expect(JSON.stringify(partner.control.requests())).not.toContain(btoa('u:p'));
    await partner.stop();
  });

  it('keeps authority, server certificate and encryption key over a restart', async () => {
    const second = await startPartnerSim({ caFolder: join(folder, 'ca') });
    const keyOf = async (partner: PartnerSim) =>
      (await ask('GET', '/public-key', undefined, { partner })).body;
    expect(second.caPem).toBe(simulator.caPem);
    expect(await keyOf(second)).toEqual(await keyOf(simulator));
    await second.stop();
  });
});

describe('own ledger', () => {
  it('links, reads and deletes a balance', async () => {
    const balanceId = randomUUID();
    const link = { balanceId, currency: 'PLN' };
    expect((await ask('POST', '/users/7/balances', link, withKey())).status).toBe(204);
    expect((await ask('POST', '/users/7/balances', link, withKey())).status).toBe(204);
    expect((await ask('POST', '/users/8/balances', link, withKey())).status).toBe(409);
    expect((await ask('POST', '/users/900000000/balances', link, withKey())).body).toMatchObject({
      title: 'USER_NOT_FOUND',
    });
    expect((await ask('GET', `/users/7/balances/${balanceId}`)).body).toEqual({ currency: 'PLN', amount: 0 });
    expect((await ask('GET', '/users/7/balances')).body).toEqual([
      { id: balanceId, currency: 'PLN', amount: 0 },
    ]);
    expect((await ask('GET', '/users/9/balances')).body).toEqual([]);
    expect((await ask('GET', `/users/8/balances/${balanceId}`)).status).toBe(403);
    expect((await ask('GET', `/users/8/balances/${randomUUID()}`)).status).toBe(404);
    expect((await ask('DELETE', `/users/8/balances/${balanceId}`, undefined, withKey())).status).toBe(403);
    expect((await ask('DELETE', `/users/7/balances/${balanceId}`, undefined, withKey())).status).toBe(204);
    expect((await ask('DELETE', `/users/7/balances/${balanceId}`, undefined, withKey())).status).toBe(404);
  });

  it('moves money by debit, credit and the forced calls', async () => {
    const balanceId = await aBalance('7', 5_000);
    const move = (call: string, amount: number) =>
      ask('POST', `/transactions/${call}`, aTransaction({ balanceId, amount }), withKey());
    expect((await move('debit', 2_000)).status).toBe(204);
    expect((await move('debit', 3_001)).body).toMatchObject({ title: 'INSUFFICIENT_FUNDS' });
    expect((await move('credit', 500)).status).toBe(204);
    expect((await move('force-debit', 9_000)).status).toBe(204);
    expect(await amountOf(balanceId)).toBe(-5_500);
    expect((await ask('DELETE', `/users/7/balances/${balanceId}`, undefined, withKey())).status).toBe(409);
    const other = aTransaction({ balanceId, currency: 'USD' });
    expect((await ask('POST', '/transactions/debit', other, withKey())).status).toBe(409);
    expect((await ask('POST', '/transactions/debit', aTransaction(), withKey())).status).toBe(404);
    const orphan = aTransaction();
    expect((await ask('POST', '/transactions/force-debit', orphan, withKey())).status).toBe(204);
    expect(simulator.control.accounts()).toContainEqual(
      expect.objectContaining({ balanceId: orphan['balanceId'], orphan: true }),
    );
  });

  it('has one effect for one key, also in parallel', async () => {
    const balanceId = await aBalance('7', 5_000);
    const debit = aTransaction({ balanceId, amount: 1_000 });
    const once = withKey();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ask('POST', '/transactions/debit', debit, once)),
    );
    expect(answers.map((one) => one.status)).toEqual(Array<number>(10).fill(204));
    expect(await amountOf(balanceId)).toBe(4_000);
    const changed = await ask('POST', '/transactions/debit', { ...debit, amount: 1 }, once);
    expect(changed).toMatchObject({ status: 422, body: { title: 'IDEMPOTENCY_KEY_REUSED' } });
    await ask('POST', '/transactions/credit', debit, once);
    expect(codes()).toEqual(['BYTES_CHANGED', 'KEY_REUSED']);
  });

  it('reverses a debit once and nets to zero when the reversal came first', async () => {
    const balanceId = await aBalance('7', 5_000);
    const debit = aTransaction({ balanceId });
    await ask('POST', '/transactions/debit', debit, withKey());
    expect((await ask('POST', '/transactions/reversal', debit, withKey())).status).toBe(204);
    expect((await ask('POST', '/transactions/reversal', debit, withKey())).status).toBe(204);
    expect(await amountOf(balanceId)).toBe(5_000);
    const late = aTransaction({ balanceId });
    expect((await ask('POST', '/transactions/reversal', late, withKey())).status).toBe(204);
    expect((await ask('POST', '/transactions/debit', late, withKey())).status).toBe(409);
    expect(await amountOf(balanceId)).toBe(5_000);
    expect(codes()).toEqual([]);
  });

  it('marks a transaction as cleared, whatever characters its id has', async () => {
    const balanceId = await aBalance('7', 5_000);
    const debit = aTransaction({ balanceId, transactionId: 'a/b c%ü' });
    await ask('POST', '/transactions/debit', debit, withKey());
    const path = `/transactions/${encodeURIComponent('a/b c%ü')}`;
    expect((await ask('PUT', path, { ...debit, status: 'CLEARED' }, withKey())).status).toBe(204);
    expect(simulator.control.transactions({ id: String(debit['id']) })).toMatchObject([
      { status: 'CLEARED' },
    ]);
    expect((await ask('PUT', '/transactions/none', aTransaction(), withKey())).status).toBe(404);
    expect(await amountOf(balanceId)).toBe(2_767);
  });
});

describe('notifications', () => {
  it('opens an encrypted OTP and KYC notice and keeps them in the inbox', async () => {
    const kyc = {
      verificationId: randomUUID(),
      userId: '7',
      email: 'ada@demo.test',
      firstName: 'Ada',
      lastName: 'Nowak',
      status: 'ACCEPTED',
      reason: null,
    };
    const accepted = '/notifications/verificationAccepted';
    expect(
      (await ask('POST', '/notifications/otp', await encrypt(anOtp('481922')), encrypted())).status,
    ).toBe(204);
    expect((await ask('POST', accepted, await encrypt(kyc), encrypted())).status).toBe(204);
    expect(simulator.control.inbox().map((item) => item.kind)).toEqual(['otp', 'verificationAccepted']);
    expect(simulator.control.inbox({ kind: 'verificationAccepted' })[0]?.body).toEqual(kyc);
    expect(simulator.control.requests({ operation: 'otp' })[0]).toMatchObject({
      encrypted: true,
      body: { otp: '481922' },
    });
    expect(codes()).toEqual([]);
  });

  it('refuses a sensitive body in clear text and one that it cannot open', async () => {
    expect((await ask('POST', '/notifications/otp', anOtp('1'), withKey())).body).toMatchObject({
      title: 'ENCRYPTION_REQUIRED',
    });
    const envelope = await encrypt(anOtp('2'));
    const broken = { payload: envelope.payload.slice(0, -4) + 'AAAA' };
    const answer = await ask('POST', '/notifications/otp', broken, encrypted());
    expect(answer).toMatchObject({ status: 400, body: { title: 'CANT_DECRYPT_PAYLOAD' } });
    expect(codes()).toEqual(['SENSITIVE_CLEAR_TEXT']);
    expect(simulator.control.inbox()).toEqual([]);
  });

  it('accepts every other notice and stores one for several attempts', async () => {
    const legacy = {
      status: 'SUCCESS',
      date: '2026-01-01T10:10:54.000Z',
      description: 'APPROVED',
      transaction: {
        id: randomUUID(),
        balanceId: randomUUID(),
        resourceId: randomUUID(),
        resource: 'card',
        cardId: '357970',
        externalTransactionId: randomUUID(),
        referenceExternalTransactionId: null,
        referenceExternalTransactionDate: null,
        type: 'POS',
        category: 'DEBIT',
        amount: 1_234,
        currency: 'EUR',
        originalAmount: null,
        originalCurrency: null,
        description: 'Shop',
        date: '2026-01-01T10:10:54.000Z',
        status: 'AUTHORIZED',
        transactionData: {},
      },
    };
    const reason = {
      resourceType: 'user',
      resourceId: '7',
      lockReason: 'FRAUD_SUSPECTED',
      timestamp: '2026-01-01T10:10:54+00:00',
    };
    const calls: [string, unknown][] = [
      ['/notifications/cardLocked', aLock('11')],
      ['/notifications/cardUnlocked', { dcCardId: 11, date: '2026-01-01T10:10:54+00:00' }],
      ['/notifications/transactionalLockReasonAdded', reason],
      ['/notifications/transactionalLockReasonRemoved', reason],
      ['/notifications/transaction', legacy],
      ['/transaction-event', { id: 20, timestamp: '1665557034' }],
    ];
    for (const [path, body] of calls) {
      const same = withKey();
      expect((await ask('POST', path, body, same)).status, path).toBe(204);
      expect((await ask('POST', path, body, same)).status, path).toBe(204);
    }
    expect(codes()).toEqual([]);
    expect(simulator.control.inbox().map((item) => item.attempts)).toEqual(Array<number>(6).fill(2));
  });
});

describe('violations', () => {
  it('sees a body against the schema, a missing key and a card number', async () => {
    await ask('POST', '/notifications/cardLocked', { dcCardId: '11', reason: 'BORED' }, withKey());
    await ask('POST', '/notifications/cardUnlocked', { dcCardId: '11', date: '2026-01-01T10:10:54.000Z' });
    await ask(
      'POST',
      '/notifications/cardLocked',
      { ...aLock('12'), note: '5555 5555 5555 4444' },
      withKey(),
    );
    expect(codes()).toEqual(['SCHEMA', 'NO_KEY_HEADER', 'PAN_SEEN']);
    expect(JSON.stringify(simulator.control.violations())).not.toContain('BORED');
  });

  it('takes no long network id for a card number', async () => {
    const balanceId = await aBalance('7', 5_000);
    // A Luhn-valid number that no card of ours can have.
    await ask(
      'POST',
      '/transactions/debit',
      aTransaction({ balanceId, transactionId: '9000000000000001' }),
      withKey(),
    );
    expect(codes()).toEqual([]);
  });

  it('sees a repeated OTP, under its own key and under another', async () => {
    const envelope = await encrypt(anOtp('3'));
    const same = encrypted();
    await ask('POST', '/notifications/otp', envelope, same);
    await ask('POST', '/notifications/otp', envelope, same);
    await ask('POST', '/notifications/otp', await encrypt(anOtp('3')), encrypted());
    expect(codes()).toEqual(['OTP_REPEATED', 'OTP_REPEATED']);
  });

  it('sees a first attempt that comes after a later number, but not a resend', async () => {
    const lock = (sequence: number, key?: string) =>
      ask('POST', '/notifications/cardLocked', aLock('11'), withKey(key, sequence));
    const first = randomUUID();
    await lock(1, first);
    await lock(2);
    await lock(1, first);
    expect(codes()).toEqual([]);
    await lock(4);
    await lock(3);
    expect(codes()).toEqual(['SEQUENCE_BACKWARDS']);
  });

  it('excuses a number whose first attempt met a closed port', async () => {
    const lock = (sequence: number) =>
      ask('POST', '/notifications/cardLocked', aLock('11'), withKey(randomUUID(), sequence));
    await lock(1);
    await simulator.control.setMode({ mode: 'unreachable' });
    await expect(lock(2)).rejects.toThrow();
    await simulator.control.setMode({ mode: 'reference' });
    await lock(3);
    await lock(2);
    expect(codes()).toEqual([]);
  });

  it('sees too many resends and a reversal that is no copy', async () => {
    const same = withKey();
    for (let attempt = 1; attempt <= 6; attempt += 1)
      await ask('POST', '/notifications/cardLocked', aLock('1'), same);
    expect(codes()).toEqual([]);
    await ask('POST', '/notifications/cardLocked', aLock('1'), same);
    expect(codes()).toEqual(['TOO_MANY_RESENDS']);
    const balanceId = await aBalance('7', 5_000);
    const debit = aTransaction({ balanceId });
    await ask('POST', '/transactions/debit', debit, withKey());
    await ask('POST', '/transactions/reversal', { ...debit, amount: 1 }, withKey());
    expect(codes()).toEqual(['TOO_MANY_RESENDS', 'REVERSAL_BODY_DIFFERS']);
  });
});

describe('rules', () => {
  const rule = (changes: object) =>
    ({ name: 'r', match: {}, probability: 1, times: null, enabled: true, ...changes }) as never;

  it('refuses the first attempt only, so that the resend has the same key', async () => {
    simulator.control.addRule(
      rule({
        match: { operation: ['cardLocked'], attempt: 1 },
        action: { kind: 'STATUS', status: 503 },
        times: 1,
      }),
    );
    const same = withKey();
    expect((await ask('POST', '/notifications/cardLocked', aLock('11'), same)).status).toBe(503);
    expect(simulator.control.inbox()).toEqual([]);
    expect((await ask('POST', '/notifications/cardLocked', aLock('11'), same)).status).toBe(204);
    expect((await ask('POST', '/notifications/cardLocked', aLock('12'), withKey())).status).toBe(204);
    expect(simulator.control.requests({ operation: 'cardLocked' }).map((one) => one.answer?.status)).toEqual([
      503, 204, 204,
    ]);
    expect(simulator.control.rules()[0]?.fired).toBe(1);
  });

  it('declines by merchant category and leaves the books alone', async () => {
    const balanceId = await aBalance('111', 5_000);
    simulator.control.addRule(
      rule({
        match: { operation: ['debit'], mcc: ['7995'], amountMin: 1_000 },
        action: { kind: 'DECLINE', status: 422, title: 'FRAUDS_DETECTED' },
      }),
    );
    const bet = aTransaction({ balanceId, transactionData: { mcc: '7995' } });
    expect((await ask('POST', '/transactions/debit', bet, withKey())).body).toMatchObject({
      title: 'FRAUDS_DETECTED',
    });
    expect((await ask('POST', '/transactions/debit', aTransaction({ balanceId }), withKey())).status).toBe(
      204,
    );
    expect(await amountOf(balanceId)).toBe(2_767);
  });

  it('resets before and after the effect', async () => {
    const balanceId = await aBalance('7', 5_000);
    const debit = aTransaction({ balanceId, amount: 1_000 });
    const same = withKey();
    for (const [when, left] of [
      ['before', 5_000],
      ['after', 4_000],
    ] as const) {
      simulator.control.setRules([rule({ action: { kind: 'RESET', when } })]);
      await expect(ask('POST', '/transactions/debit', debit, same)).rejects.toThrow(/ECONNRESET|hang up/);
      expect(await amountOf(balanceId)).toBe(left);
    }
    simulator.control.setRules([]);
    expect((await ask('POST', '/transactions/debit', debit, same)).status).toBe(204);
    expect(await amountOf(balanceId)).toBe(4_000);
  });

  it('fires by probability, the same for the same seed', async () => {
    const run = async () => {
      await simulator.control.reset();
      simulator.control.addRule(rule({ action: { kind: 'STATUS', status: 500 }, probability: 0.5 }));
      const answers: number[] = [];
      for (let i = 0; i < 12; i += 1) answers.push((await ask('GET', '/users/1/balances')).status);
      return answers;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await run()).toEqual(first);
  });
});

describe('modes', () => {
  const debitIn = async (mode: string, amount = 9_000) => {
    const balanceId = await aBalance('7', 5_000);
    await simulator.control.setMode({ mode });
    const same = withKey();
    const debit = aTransaction({ balanceId, amount });
    const send = (timeoutMs?: number) =>
      ask('POST', '/transactions/debit', debit, { ...same, ...(timeoutMs && { timeoutMs }) });
    return { balanceId, send };
  };

  it.each([
    ['approve-all', 204, -4_000, 9_000],
    ['decline', 422, 5_000, 1],
    ['error-500', 500, 5_000, 1],
    ['error-503', 503, 5_000, 1],
    ['fail-after-processing', 500, 4_999, 1],
    ['reference+triggers', 422, 5_000, 151],
  ])('%s answers a debit with %i and leaves %i', async (mode, status, left, amount) => {
    const { balanceId, send } = await debitIn(mode, amount);
    expect((await send()).status).toBe(status);
    expect(await amountOf(balanceId)).toBe(left);
  });

  it.each([
    ['timeout', 4_999],
    ['timeout-unprocessed', 5_000],
    ['late', 4_999],
  ])('%s does not answer in time and leaves %i; the resend has one effect', async (mode, left) => {
    const { balanceId, send } = await debitIn(mode, 1);
    await expect(send(300)).rejects.toThrow('TIMEOUT');
    expect(await amountOf(balanceId)).toBe(left);
    await simulator.control.setMode({ mode: 'reference' });
    expect((await send()).status).toBe(204);
    expect(await amountOf(balanceId)).toBe(4_999);
  });

  it('slow answers after its delay', async () => {
    const { send } = await debitIn('reference', 1);
    await simulator.control.setMode({ mode: 'slow', delayMs: 250 });
    const startMs = performance.now();
    expect((await send()).status).toBe(204);
    expect(performance.now() - startMs).toBeGreaterThan(240);
  });

  it('a change of mode answers the calls that were held back, with one effect', async () => {
    const { balanceId, send } = await debitIn('timeout', 1);
    const held = send();
    await expect.poll(() => amountOf(balanceId)).toBe(4_999);
    await simulator.control.setMode({ mode: 'reference' });
    expect((await held).status).toBe(204);
    expect(await amountOf(balanceId)).toBe(4_999);
  });

  it('unreachable closes the port and leaves the control port open', async () => {
    await simulator.control.setMode({ mode: 'unreachable' });
    await expect(ask('GET', '/public-key')).rejects.toThrow('ECONNREFUSED');
    expect((await fetch(`${simulator.controlUrl}/control/health`)).status).toBe(200);
    await simulator.control.setMode({ mode: 'reference' });
    expect((await ask('GET', '/public-key')).status).toBe(200);
  });
});

describe('control API', () => {
  const control = (method: string, path: string, body?: unknown, token = 'control-token') =>
    fetch(`${simulator.controlUrl}/control${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  it('needs the token for everything but health and page', async () => {
    expect((await control('GET', '/state', undefined, 'wrong')).status).toBe(401);
    expect((await fetch(`${simulator.controlUrl}/control/health`)).status).toBe(200);
    const page = await (await fetch(simulator.controlUrl)).text();
    expect(page).toContain('Partner simulator');
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it('switches mode and rules, and says what is wrong with them', async () => {
    expect((await control('PUT', '/mode', { mode: 'slow', delayMs: 5 })).status).toBe(200);
    expect(await (await control('PUT', '/mode', { mode: 'lazy' })).json()).toMatchObject({
      title: 'VALIDATION_ERROR',
    });
    const rule = { name: 'x', match: { operation: ['otp'] }, action: { kind: 'HANG', ms: 10 } };
    expect((await control('POST', '/rules', rule)).status).toBe(201);
    expect((await control('POST', '/rules', { ...rule, action: { kind: 'NAP' } })).status).toBe(400);
    expect(await (await control('GET', '/state')).json()).toMatchObject({
      mode: { mode: 'slow' },
      rules: [{ name: 'x', fired: 0 }],
    });
    expect((await control('DELETE', '/rules/x')).status).toBe(204);
    expect((await control('DELETE', '/rules/x')).status).toBe(404);
    expect((await control('PUT', '/rules', [rule])).status).toBe(200);
  });

  it('lists and sets accounts, requests, transactions, inbox, violations', async () => {
    const balanceId = randomUUID();
    const account = { userId: 7, currency: 'EUR', amount: 5_000 };
    expect((await control('PUT', `/accounts/${balanceId}`, account)).status).toBe(200);
    const debit = aTransaction({ balanceId });
    const once = withKey();
    await ask('POST', '/transactions/debit', debit, once);
    await ask('POST', '/notifications/cardLocked', aLock('11'));
    const read = async (path: string) => (await control('GET', path)).json();
    expect(await read('/accounts')).toEqual([
      { balanceId, userId: '7', currency: 'EUR', amount: 2_767, orphan: false },
    ]);
    expect(await read(`/transactions/${String(debit['id'])}`)).toMatchObject([
      { kind: 'ENTRY', effect: 'APPLIED' },
    ]);
    const requests = (await read('/requests?operation=debit')) as { n: number }[];
    expect(requests).toMatchObject([{ effect: 'APPLIED', answer: { status: 204 }, body: { amount: 2_233 } }]);
    expect(await read(`/requests?key=${once.headers!['X-Idempotency-Key']}`)).toEqual(requests);
    expect(await read(`/requests/${requests[0]!.n}`)).toEqual(requests[0]);
    expect(await read(`/requests?since=${requests[0]!.n}`)).toMatchObject([{ operation: 'cardLocked' }]);
    expect(await read('/inbox?kind=cardLocked')).toMatchObject([{ body: { dcCardId: '11' } }]);
    expect(await read('/inbox?kind=cardLocked&since=2999-01-01T00:00:00.000Z')).toEqual([]);
    expect(await read('/violations')).toMatchObject([{ code: 'NO_KEY_HEADER' }]);
    expect((await control('DELETE', '/violations')).status).toBe(204);
    expect((await control('DELETE', '/inbox')).status).toBe(204);
    expect([await read('/violations'), await read('/inbox')]).toEqual([[], []]);
    expect((await control('POST', '/reset')).status).toBe(204);
    expect(await read('/accounts')).toEqual([]);
    expect((await control('GET', '/requests/999999')).status).toBe(404);
  });

  it('signs the certificate request of the platform and refuses another text', async () => {
    expect((await control('POST', '/csr', { csrPem: 'nonsense' })).status).toBe(400);
    const certificate = new x509.X509Certificate(platform.certificatePem);
    expect(certificate.subject).toBe('CN=platform');
    const usage = certificate.getExtension(x509.ExtendedKeyUsageExtension);
    expect(usage?.usages).toEqual([x509.ExtendedKeyUsage.clientAuth]);
  });

  it('streams what happens', async () => {
    const stream = await control('GET', '/stream');
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    await reader.read();
    await ask('POST', '/notifications/cardLocked', aLock('11'), withKey());
    let text = '';
    while (!text.includes('event: inbox')) text += (await reader.read()).value ?? '';
    expect(text).toContain('"dcCardId":"11"');
    await reader.cancel();
  });
});

describe('store', () => {
  it('keeps inbox, books and answered keys in a file over a restart', async () => {
    const options = { storeFile: join(folder, 'store.db'), caFolder: join(folder, 'ca') };
    const first = await startPartnerSim(options);
    const same = withKey();
    const balanceId = randomUUID();
    first.control.setAccount(balanceId, '7', 'EUR', 5_000);
    const debit = aTransaction({ balanceId, amount: 1_000 });
    await ask('POST', '/transactions/debit', debit, { ...same, partner: first });
    await ask('POST', '/notifications/cardLocked', aLock('11'), { ...withKey(), partner: first });
    const digest = (partner: PartnerSim) =>
      createHash('sha256')
        .update(JSON.stringify([partner.control.inbox(), partner.control.transactions()]))
        .digest('hex');
    const before = digest(first);
    await first.stop();

    const second = await startPartnerSim(options);
    expect(digest(second)).toBe(before);
    expect((await ask('POST', '/transactions/debit', debit, { ...same, partner: second })).status).toBe(204);
    expect(second.control.accounts()).toMatchObject([{ balanceId, amount: 4_000 }]);
    expect(second.control.requests({ operation: 'debit' }).map((one) => one.effect)).toEqual([
      'APPLIED',
      'REPEATED',
    ]);
    await second.stop();
  });
});

describe('settings', () => {
  it('lists all faults together and refuses production mode without leave', () => {
    expect(
      readConfig({ SIM_PORT: 'x', SIM_MODE: 'lazy', SIM_STORE: 'disk', SIM_AUTH: 'basic' }),
    ).toMatchObject({
      faults: [
        expect.stringMatching(/^SIM_PORT /),
        expect.stringMatching(/^SIM_STORE /),
        expect.stringMatching(/^SIM_MODE /),
        expect.stringMatching(/^SIM_AUTH /),
      ],
    });
    expect(readConfig({ NODE_ENV: 'production' })).toHaveProperty('faults');
    expect(readConfig({ NODE_ENV: 'production', SIM_ALLOW: 'true' })).not.toHaveProperty('faults');
    expect(readConfig({})).toMatchObject({
      options: { port: 9443, controlPort: 9444, authentication: { kind: 'mtls' } },
    });
  });
});
