import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { aBalance, aCustomer, encrypted, type MadeCard, openAnswer } from '../support/builders.ts';
import { type ApiHarness, type CallOptions, type HttpAnswer, startApi } from '../support/harness.ts';
import { type TableWatch, watchTables } from '../support/table-state.ts';

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
  await tables.end();
  await api.stop();
});

type Target = Pick<MadeCard, 'customerId' | 'balanceId'>;

/** A user of `credit`, whose top-ups are paid from the prefunded credit balance. */
async function aFundedUser(issuerCode = 'credit'): Promise<Target> {
  const customerId = await aCustomer(api, issuerCode);
  return { customerId, balanceId: await aBalance(api, customerId) };
}

const reload = (target: Target, body: unknown, options: CallOptions = {}): Promise<HttpAnswer> =>
  api.call('POST', `/secure/customers/${target.customerId}/balances/${target.balanceId}/reload`, {
    body,
    ...options,
    headers: { 'X-Idempotency-Key': randomUUID(), ...options.headers },
  });

const result = (answer: HttpAnswer) => [answer.status, answer.body.title];

const creditOf = async (issuerCode = 'credit'): Promise<number> => {
  const programmeId = api.demo.programmes[issuerCode]?.id;
  const answer = await api.call('GET', `/secure/partner-balances?programmeId=${programmeId}&kind=credit`);
  return answer.body.items[0].amount;
};

const amountOf = async ({ balanceId }: Target): Promise<number> =>
  (await api.call('GET', `/secure/balances/${balanceId}`)).body.amount;

const transactionsOf = ({ balanceId }: Target) =>
  api.owner
    .selectFrom('transactions')
    .select(['id', 'state', 'result', 'amount'])
    .where('balance_id', '=', balanceId)
    .orderBy('id')
    .execute();

/** Tables of `before` that are not the same now. */
async function changedSince(before: Awaited<ReturnType<TableWatch['state']>>): Promise<string[]> {
  const after = await tables.state();
  return Object.keys(after)
    .filter((name) => after[name] !== before[name])
    .map((name) => name.replace(/_20\d\d_\d\d$/, '').replace('public.', ''))
    .toSorted();
}

describe('POST /secure/customers/{customerId}/balances/{balanceId}/reload', () => {
  it('201: the transaction, cleared at once; the credit balance pays', async () => {
    const user = await aFundedUser();
    const credit = await creditOf();
    const answer = await reload(user, {
      amount: 12_345,
      currency: 'EUR',
      transactionId: 'pay-in-1',
      description: 'Salary',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      balanceId: user.balanceId,
      resource: 'balance',
      resourceId: user.balanceId,
      cardId: null,
      customerId: user.customerId,
      transactionId: 'pay-in-1',
      type: 'topUp',
      category: 'CREDIT',
      amount: 12_345,
      currency: 'EUR',
      status: 'CLEARED',
      processingStatus: 'SUCCESS',
      result: 'APPROVED',
      description: 'Salary',
      clearedAmount: 12_345,
      holdAmount: 0,
      balanceBefore: 0,
      balanceAfter: 12_345,
    });
    expect(await amountOf(user)).toBe(12_345);
    expect(await creditOf()).toBe(credit - 12_345);
    const read = await api.call('GET', `/secure/transactions/${answer.body.id}`);
    expect(read.body).toEqual(answer.body);
  });

  it('201: only an amount; the rest is filled in', async () => {
    const answer = await reload(await aFundedUser(), { amount: 1 });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      currency: 'EUR',
      transactionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('201: on every path form, each with a key of its own', async () => {
    const user = await aFundedUser();
    const { customerId, balanceId } = user;
    for (const path of [
      `/secure/customers/${customerId}/balances/${balanceId}/reload`,
      `/secure/customers/${customerId}/balances/${balanceId}/topup`,
      `/secure/balances/${balanceId}/reload`,
    ]) {
      const answer = await api.call('POST', path, {
        headers: { 'X-Idempotency-Key': randomUUID() },
        body: { amount: 100 },
      });
      expect([path, answer.status]).toEqual([path, 201]);
    }
    expect(await amountOf(user)).toBe(300);
  });

  it('201: encrypted when asked for', async () => {
    const answer = await reload(await aFundedUser(), { amount: 7 }, { headers: encrypted });
    expect(Object.keys(answer.body)).toEqual(['payload']);
    expect(await openAnswer(answer)).toMatchObject({ type: 'topUp', amount: 7 });
  });

  it('201: a BLOCKED balance still takes money', async () => {
    const user = await aFundedUser();
    await setBalance(user, 'BLOCKED');
    expect((await reload(user, { amount: 5 })).status).toBe(201);
  });

  it('201: the same transactionId with another key is another transaction', async () => {
    const user = await aFundedUser();
    const [first, second] = [
      await reload(user, { amount: 10, transactionId: 'twice' }),
      await reload(user, { amount: 10, transactionId: 'twice' }),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body.id).not.toBe(second.body.id);
    expect(await amountOf(user)).toBe(20);
  });

  it('tells the partner and the audit log, in the transaction of the money', async () => {
    const answer = await reload(await aFundedUser(), { amount: 50 });
    const told = await api.owner
      .selectFrom('outbox')
      .select(['destination', 'kind'])
      .where('transaction_id', '=', answer.body.id)
      .execute();
    expect(told).toHaveLength(1);
    expect(told[0]?.destination).toBe('partner');
    const audited = await api.owner
      .selectFrom('audit_log')
      .select(['action', 'result', 'object_id'])
      .where('request_id', '=', answer.headers['x-request-id'] as string)
      .execute();
    expect(audited).toEqual([{ action: 'transaction.posted', result: 'OK', object_id: answer.body.id }]);
  });
});

describe('the key', () => {
  it('400 VALIDATION_ERROR: none, and nothing is posted', async () => {
    const user = await aFundedUser();
    const before = await tables.state();
    const answer = await api.call('POST', `/secure/balances/${user.balanceId}/reload`, {
      body: { amount: 5 },
    });
    expect(result(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors).toEqual([{ field: 'X-Idempotency-Key', message: 'is required' }]);
    expect(await changedSince(before)).toEqual([]);
  });

  it('201 again: the stored answer, and the money moves once', async () => {
    const user = await aFundedUser();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const first = await reload(user, { amount: 100 }, { headers });
    const before = await tables.state();
    const again = await reload(user, { amount: 100 }, { headers });
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(await changedSince(before)).toEqual([]);
    expect(await amountOf(user)).toBe(100);
  });

  it('201 again: a body that says the same in other words', async () => {
    const user = await aFundedUser();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    await reload(user, '{"amount":100,"currency":"EUR"}', { headers });
    const again = await reload(user, '{ "currency": "eur", "amount": 100 }', { headers });
    expect(again.headers['idempotency-replayed']).toBe('true');
  });

  it('201 once: twenty at a time with one key', async () => {
    const user = await aFundedUser();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => reload(user, { amount: 100 }, { headers })),
    );
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === undefined)).toHaveLength(1);
    expect(await amountOf(user)).toBe(100);
  });

  it('201 each: twenty at a time with keys of their own add up', async () => {
    const user = await aFundedUser();
    const credit = await creditOf();
    const answers = await Promise.all(Array.from({ length: 20 }, () => reload(user, { amount: 100 })));
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(201));
    expect([await amountOf(user), await creditOf()]).toEqual([2_000, credit - 2_000]);
  });

  it.each([
    ['another amount', { amount: 101, currency: 'EUR' }],
    ['without the currency', { amount: 100 }],
    ['another transactionId', { amount: 100, currency: 'EUR', transactionId: 'x' }],
  ])('422 IDEMPOTENCY_KEY_REUSED: %s', async (_name, body) => {
    const user = await aFundedUser();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    await reload(user, { amount: 100, currency: 'EUR' }, { headers });
    expect(result(await reload(user, body, { headers }))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await amountOf(user)).toBe(100);
  });

  it('422 IDEMPOTENCY_KEY_REUSED: the same body on another balance', async () => {
    const [one, other] = [await aFundedUser(), await aFundedUser()];
    const headers = { 'X-Idempotency-Key': randomUUID() };
    await reload(one, { amount: 100 }, { headers });
    expect(result(await reload(other, { amount: 100 }, { headers }))).toEqual([
      422,
      'IDEMPOTENCY_KEY_REUSED',
    ]);
    expect(await amountOf(other)).toBe(0);
  });
});

describe('refusals', () => {
  const recorded = ['idempotency_keys', 'outbox', 'transaction_events', 'transactions'];

  it('422 INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE: no money moves, the refusal is recorded and told', async () => {
    const user = await aFundedUser();
    const credit = await creditOf();
    const before = await tables.state();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const answer = await reload(user, { amount: credit + 1 }, { headers });
    expect(answer.body).toEqual({
      title: 'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
      detail: expect.any(String),
    });
    expect(answer.status).toBe(422);
    expect(await changedSince(before)).toEqual(recorded);
    expect([await amountOf(user), await creditOf()]).toEqual([0, credit]);
    expect(await transactionsOf(user)).toMatchObject([
      { state: 'DECLINED', result: 'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE', amount: credit + 1 },
    ]);

    const again = await reload(user, { amount: credit + 1 }, { headers });
    expect([again.status, again.text]).toEqual([422, answer.text]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await transactionsOf(user)).toHaveLength(1);
  });

  it('a replayed refusal stays what it was, though there is money now; a new key gets it', async () => {
    const user = await aFundedUser();
    await setUser(user, { kyc: 'IN_PROGRESS' });
    const headers = { 'X-Idempotency-Key': randomUUID() };
    expect(result(await reload(user, { amount: 5 }, { headers }))).toEqual([422, 'AML_EXCEPTION']);
    await setUser(user, { kyc: 'SUCCESS' });
    expect(result(await reload(user, { amount: 5 }, { headers }))).toEqual([422, 'AML_EXCEPTION']);
    expect((await reload(user, { amount: 5 })).status).toBe(201);
  });

  it('201 to the last cent: exactly what is there, and not one more', async () => {
    const user = await aFundedUser();
    const credit = await creditOf();
    expect((await reload(user, { amount: credit })).status).toBe(201);
    expect(await creditOf()).toBe(0);
    expect(result(await reload(user, { amount: 1 }))).toEqual([
      422,
      'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
    ]);
    // The rest of this file needs money again.
    await api.owner
      .updateTable('programmes')
      .set({ enforce_partner_balance: false })
      .where('issuer_code', '=', 'credit')
      .execute();
    await api.owner
      .updateTable('partner_balances')
      .set({ enforced: false })
      .where('partner_balance_id', 'in', (query) =>
        query
          .selectFrom('partner_balances')
          .innerJoin('programmes', 'programmes.programme_id', 'partner_balances.programme_id')
          .select('partner_balance_id')
          .where('issuer_code', '=', 'credit'),
      )
      .execute();
    expect((await reload(user, { amount: 1 })).status).toBe(201);
    expect(await creditOf()).toBe(-1);
  });

  it.each([
    ['CUSTOMER_NOT_FOUND', { state: 'LOCKED' as const }],
    ['AML_EXCEPTION', { kyc: 'FAILED' as const }],
    ['AML_EXCEPTION', { transactional_locks: 1 }],
  ])('422 %s: the owner is %j', async (title, values) => {
    const user = await aFundedUser();
    await setUser(user, values);
    expect(result(await reload(user, { amount: 5 }))).toEqual([422, title]);
    expect(await amountOf(user)).toBe(0);
  });

  it.each(['LINKING', 'CLOSED'] as const)('422 BALANCE_NOT_FOUND: the balance is %s', async (state) => {
    const user = await aFundedUser();
    await setBalance(user, state);
    expect(result(await reload(user, { amount: 5 }))).toEqual([422, 'BALANCE_NOT_FOUND']);
  });

  it('422 CURRENCY_MISMATCH', async () => {
    const answer = await reload(await aFundedUser(), { amount: 5, currency: 'PLN' });
    expect(result(answer)).toEqual([422, 'CURRENCY_MISMATCH']);
  });

  it('422 COLLATERAL_BALANCE_NOT_FOUND: a programme without a credit balance in the currency', async () => {
    const { programme_id: programmeId } = await api.owner
      .selectFrom('programmes')
      .select('programme_id')
      .where('issuer_code', '=', 'sandbox')
      .executeTakeFirstOrThrow();
    await api.owner
      .updateTable('programmes')
      .set({ currencies: ['EUR', 'PLN'] })
      .where('programme_id', '=', programmeId)
      .execute();
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const customerId = await aCustomer(api);
    const balance = await api.call('POST', `/secure/customers/${customerId}/balances`, {
      body: { currency: 'PLN' },
    });
    const answer = await reload({ customerId, balanceId: balance.body.id }, { amount: 5 });
    expect(result(answer)).toEqual([422, 'COLLATERAL_BALANCE_NOT_FOUND']);
  });

  it('201: the largest amount there is, where the programme does not check its credit', async () => {
    const user = await aFundedUser('sandbox');
    expect((await reload(user, { amount: 9_007_199_254_740_991 })).status).toBe(201);
    expect(await amountOf(user)).toBe(9_007_199_254_740_991);
  });

  it("404 BALANCE_NOT_FOUND: nothing, another user's, another partner's; nothing is recorded", async () => {
    const user = await aFundedUser();
    const stranger = await aFundedUser();
    const before = await tables.state();
    const answers = [
      await reload({ ...user, balanceId: randomUUID() }, { amount: 5 }),
      await reload({ ...user, balanceId: stranger.balanceId }, { amount: 5 }),
      await reload(user, { amount: 5 }, { as: 'other' }),
      await reload(user, { amount: 5 }, { headers: { 'Issuer-Code': 'sandbox' } }),
    ];
    for (const answer of answers) {
      expect([answer.status, answer.text]).toEqual([404, answers[0]?.text]);
    }
    expect(await changedSince(before)).toEqual([]);
  });

  it.each([
    {},
    { amount: 0 },
    { amount: -5 },
    { amount: 1.5 },
    { amount: '100' },
    { amount: null },
    { amount: 9_007_199_254_740_992 },
    { amount: 1, currency: 'EURO' },
    { amount: 1, transactionId: '' },
    { amount: 1, transactionId: 'x'.repeat(65) },
    { amount: 1, description: 'x'.repeat(256) },
    { amount: 1, description: 'a\u0000b' },
    { amount: 1, type: 'topUp' },
  ])('400 VALIDATION_ERROR: %j', async (body) => {
    const user = await aFundedUser();
    const before = await tables.state();
    expect(result(await reload(user, body))).toEqual([400, 'VALIDATION_ERROR']);
    expect(await changedSince(before)).toEqual([]);
  });

  it('400, then 201 with the same key: a fault of the request keeps the key free', async () => {
    const user = await aFundedUser();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    expect((await reload(user, { amount: 0 }, { headers })).status).toBe(400);
    expect((await reload(user, { amount: 9 }, { headers })).status).toBe(201);
  });
});

async function setUser({ customerId }: Target, values: object): Promise<void> {
  await api.owner.updateTable('customers').set(values).where('customer_id', '=', customerId).execute();
}

async function setBalance({ balanceId }: Target, state: 'BLOCKED' | 'LINKING' | 'CLOSED'): Promise<void> {
  await api.owner.updateTable('balances').set({ state }).where('balance_id', '=', balanceId).execute();
}
