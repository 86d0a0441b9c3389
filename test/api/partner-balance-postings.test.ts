import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { openPartnerBalance } from '../../db/ledger.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type ApiHarness, type CallOptions, type HttpAnswer, startApi } from '../support/harness.ts';
import { aCustomer } from '../support/builders.ts';

let api: ApiHarness;
const balances: Record<string, string> = {};

beforeAll(async () => {
  api = await startApi();
  balances['credit'] = await idOf('credit', 'credit');
  balances['deposit'] = await idOf('shared', 'deposit');
});

afterEach(async () => {
  expect(await verifyLedger(api.owner)).toEqual({ ok: true, differences: [] });
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

async function idOf(issuerCode: string, kind: string): Promise<string> {
  const programmeId = api.demo.programmes[issuerCode]?.id;
  const query = `?programmeId=${programmeId}&kind=${kind}`;
  return (await api.call('GET', `/secure/partner-balances${query}`)).body.items[0]?.id;
}

const amountOf = async (id: string): Promise<number> =>
  (await api.call('GET', `/secure/partner-balances/${id}`)).body.amount;

const aPrefund = { type: 'collateralCredit', amount: 500, currency: 'EUR', transactionId: 'bank-1' };

const post = (id: string, changes: object = {}, options: CallOptions = {}): Promise<HttpAnswer> =>
  api.call('POST', `/secure/partner-balances/${id}/transactions`, {
    as: 'sponsor',
    body: { ...aPrefund, ...changes },
    ...options,
    headers: { 'X-Idempotency-Key': randomUUID(), ...options.headers },
  });

const result = (answer: HttpAnswer) => [answer.status, answer.body.title];

/** Opens a balance that else opens at its first posting. */
async function open(kind: 'company' | 'ibanTechnical'): Promise<string> {
  const caller = { partnerId: null, actor: { type: 'SYSTEM', id: 't' }, requestId: 't', ip: null } as const;
  const row = await api.owner
    .selectFrom('programmes')
    .select(['partner_id', 'programme_id'])
    .where('issuer_code', '=', 'credit')
    .executeTakeFirstOrThrow();
  const scope = { partnerId: row.partner_id, programmeId: row.programme_id, currency: 'EUR' };
  const enforced = kind === 'ibanTechnical';
  const opened = await atomically(api.owner, caller, (trx) =>
    openPartnerBalance(trx, { ...scope, kind, enforced }),
  );
  return opened.partnerBalanceId;
}

describe('POST /secure/partner-balances/{partnerBalanceId}/transactions', () => {
  it.each(['credit', 'deposit'])('201: the sponsor prefunds a %s balance', async (kind) => {
    const id = balances[kind] ?? '';
    const before = await amountOf(id);
    const answer = await post(id, { description: 'transfer of March' });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      resource: `${kind}Balance`,
      resourceId: id,
      balanceId: null,
      customerId: null,
      transactionId: 'bank-1',
      type: 'collateralCredit',
      category: 'CREDIT',
      status: 'CLEARED',
      description: 'transfer of March',
      balanceBefore: before,
      balanceAfter: before + 500,
    });
    expect(await amountOf(id)).toBe(before + 500);
    expect((await api.call('GET', `/secure/transactions/${answer.body.id}`)).body).toEqual(answer.body);
  });

  it('201 again: byte for byte under the same key, with a renewed certificate too', async () => {
    const id = balances['credit'] ?? '';
    const before = await amountOf(id);
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const first = await post(id, {}, { headers });
    const renewed = await api.addClient({ label: 'bin-sponsor', scopes: ['bin_sponsor'], partnerId: null });
    for (const as of ['sponsor', renewed] as const) {
      const again = await post(id, {}, { headers, as });
      expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([
        201,
        first.text,
        'true',
      ]);
    }
    expect(result(await post(id, { amount: 501 }, { headers }))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await amountOf(id)).toBe(before + 500);
    const other = await api.addClient({ label: 'other-bank', scopes: ['internal'], partnerId: null });
    const own = await post(id, {}, { headers, as: other });
    expect([own.status, own.headers['idempotency-replayed']]).toEqual([201, undefined]);
  });

  it('201: company types by the sponsor, IBAN types by ims, and not the other way round', async () => {
    const [company, iban] = [await open('company'), await open('ibanTechnical')];
    expect((await post(company, { type: 'companyDebit' })).status).toBe(201);
    expect((await post(iban, { type: 'iban_technical_credit' }, { as: 'ims' })).status).toBe(201);
    expect(await amountOf(company)).toBe(-500);
    expect(await amountOf(iban)).toBe(500);
    expect(result(await post(iban, { type: 'ibanTechnicalCredit' }))).toEqual([403, 'FORBIDDEN']);
    expect(result(await post(company, { type: 'companyCredit' }, { as: 'ims' }))).toEqual([403, 'FORBIDDEN']);
    expect(result(await post(company, { type: 'topUp' }))).toEqual([403, 'FORBIDDEN']);
    const short = await post(iban, { type: 'ibanTechnicalDebit', amount: 501 }, { as: 'ims' });
    expect(result(short)).toEqual([422, 'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE']);
  });

  it('422: wrong type for the kind, wrong currency, short; repeated under the same key', async () => {
    const id = balances['credit'] ?? '';
    const amount = (await amountOf(id)) + 1;
    for (const [title, changes] of [
      ['UNKNOWN_TRANSACTION_TYPE', { type: 'gift' }],
      ['UNKNOWN_TRANSACTION_TYPE', { type: 'companyCredit' }],
      ['CURRENCY_MISMATCH', { currency: 'PLN' }],
      ['INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE', { type: 'collateralDebit', amount }],
      ['INVALID_AMOUNT', { amount: 9_007_199_254_740_991 }],
    ] as const) {
      const headers = { 'X-Idempotency-Key': randomUUID() };
      const answer = await post(id, changes, { headers });
      expect(result(answer)).toEqual([422, title]);
      const again = await post(id, changes, { headers });
      expect([again.text, again.headers['idempotency-replayed']]).toEqual([answer.text, 'true']);
    }
    expect(await amountOf(id)).toBe(amount - 1);
  });

  it.each([{ amount: 0 }, { amount: 1.5 }, { currency: 'EURO' }, { transactionId: undefined }, { x: 1 }])(
    '400 VALIDATION_ERROR: %j',
    async (changes) => {
      expect(result(await post(balances['credit'] ?? '', changes))).toEqual([400, 'VALIDATION_ERROR']);
    },
  );

  it('400 without a key, 404 for none, 405 for another method', async () => {
    const path = `/secure/partner-balances/${balances['credit']}/transactions`;
    const keyless = await api.call('POST', path, { as: 'sponsor', body: aPrefund });
    expect(keyless.body.errors).toEqual([{ field: 'X-Idempotency-Key', message: 'is required' }]);
    expect(result(await post(randomUUID()))).toEqual([404, 'BALANCE_NOT_FOUND']);
    const deleted = await api.call('DELETE', path, { as: 'sponsor' });
    expect(result(deleted)).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(deleted.headers['allow']?.split(', ').toSorted()).toEqual(['GET', 'POST']);
  });
});

describe('GET /secure/partner-balances/{partnerBalanceId}/transactions', () => {
  const list = (id: string, query = '', options: CallOptions = {}) =>
    api.call('GET', `/secure/partner-balances/${id}/transactions${query}`, options);

  it('200: what was booked on the balance, newest first, page by page', async () => {
    const id = balances['deposit'] ?? '';
    const made = [];
    for (const amount of [1, 2, 3]) made.push((await post(id, { amount })).body);
    const first = await list(id, '?limit=2');
    expect(first.body.items).toEqual([made[2], made[1]]);
    const next = await list(id, `?limit=2&cursor=${first.body.nextCursor}`);
    expect(next.body.items[0]).toEqual(made[0]);
    expect((await list(id)).body.items.every((one: { resourceId: string }) => one.resourceId === id)).toBe(
      true,
    );
  });

  it('200: from and to bound it', async () => {
    const id = balances['deposit'] ?? '';
    const { id: newest, createdAt } = (await post(id)).body;
    const ids = async (query: string) =>
      (await list(id, query)).body.items.map((one: { id: string }) => one.id) as string[];
    expect(await ids(`?from=${createdAt}`)).toContain(newest);
    expect(await ids(`?to=${createdAt}`)).not.toContain(newest);
    expect(await ids('?from=2020-01-01T00:00:00.000Z&to=2020-02-01T00:00:00.000Z')).toEqual([]);
  });

  it.each([
    '?from=yesterday',
    '?from=2026-03-01',
    '?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z',
    '?from=2024-01-01T00:00:00Z&to=2026-03-01T00:00:00Z',
    '?kind=credit',
  ])('400 VALIDATION_ERROR: %s', async (query) => {
    expect(result(await list(balances['credit'] ?? '', query))).toEqual([400, 'VALIDATION_ERROR']);
  });

  it('404 and 403: not another partner’s, and not the sponsor’s to read', async () => {
    const id = balances['credit'] ?? '';
    expect(result(await list(id, '', { as: 'other' }))).toEqual([404, 'BALANCE_NOT_FOUND']);
    expect(result(await list(id, '', { as: 'sponsor' }))).toEqual([403, 'FORBIDDEN']);
  });

  it('a user’s top-up is a transaction of the user, not of the credit balance that pays for it', async () => {
    const id = balances['credit'] ?? '';
    const customerId = await aCustomer(api, 'credit');
    const balance = await api.call('POST', `/secure/customers/${customerId}/balances`, {
      body: { currency: 'EUR' },
    });
    const before = (await list(id)).body.items.length;
    await api.call('POST', `/secure/balances/${balance.body.id}/reload`, {
      headers: { 'X-Idempotency-Key': randomUUID() },
      body: { amount: 5 },
    });
    expect((await list(id)).body.items).toHaveLength(before);
  });
});
