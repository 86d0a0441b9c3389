import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { aBalance, aCard, aCustomer, encrypted, openAnswer, topUp } from '../support/builders.ts';
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
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await tables.end();
  await api.stop();
});

interface Target {
  readonly customerId: number;
  readonly balanceId: string;
}

/** A user of `credit` with that much on a balance. */
async function aUser(amount = 0): Promise<Target> {
  const customerId = await aCustomer(api, 'credit');
  const target = { customerId, balanceId: await aBalance(api, customerId) };
  if (amount > 0) await topUp(api, { ...target, cardId: 0 }, amount);
  return target;
}

const aFee = { type: 'fee', amount: 150, currency: 'EUR', transactionId: 'inv-2026-0042' };

const post = (body: unknown, options: CallOptions = {}): Promise<HttpAnswer> =>
  api.call('POST', '/secure/transactions', {
    body,
    ...options,
    headers: { 'X-Idempotency-Key': randomUUID(), ...options.headers },
  });

const result = (answer: HttpAnswer) => [answer.status, answer.body.title];

const amountOf = async ({ balanceId }: Target): Promise<number> =>
  (await api.call('GET', `/secure/balances/${balanceId}`)).body.amount;

const storedOf = ({ balanceId }: Target) =>
  api.owner
    .selectFrom('transactions')
    .select(['type', 'state', 'result', 'amount'])
    .where('balance_id', '=', balanceId)
    .orderBy('history_id')
    .execute();

const partnerAmount = async (kind: string): Promise<number | undefined> => {
  const programmeId = api.demo.programmes['credit']?.id;
  const query = `?programmeId=${programmeId}&kind=${kind}`;
  return (await api.call('GET', `/secure/partner-balances${query}`)).body.items[0]?.amount;
};

describe('POST /secure/transactions', () => {
  it('201: the transaction, cleared at once, as it is read later', async () => {
    const user = await aUser(1_000);
    const data = {
      merchantName: 'Cardloom',
      lastFourDigits: '1234',
      retrievalReferenceNumber: '443322110088',
    };
    const answer = await post({
      ...aFee,
      balanceId: user.balanceId,
      description: 'card reissue',
      transactionData: data,
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      balanceId: user.balanceId,
      resource: 'balance',
      customerId: user.customerId,
      transactionId: 'inv-2026-0042',
      referenceTransactionId: null,
      type: 'fee',
      category: 'DEBIT',
      amount: 150,
      status: 'CLEARED',
      processingStatus: 'SUCCESS',
      result: 'APPROVED',
      description: 'card reissue',
      clearedAmount: 150,
      balanceBefore: 1_000,
      balanceAfter: 850,
      transactionData: expect.objectContaining(data),
    });
    expect(await amountOf(user)).toBe(850);
    expect((await api.call('GET', `/secure/transactions/${answer.body.id}`)).body).toEqual(answer.body);
  });

  it.each([
    ['top-up', 'topUp', 'CREDIT', { credit: -100 }],
    ['PAYMENT', 'payment', 'CREDIT', { credit: -100 }],
    ['Loan', 'loan', 'CREDIT', { credit: -100 }],
    ['Cashback', 'cashback', 'CREDIT', { credit: -100 }],
    ['fee', 'fee', 'DEBIT', { company: 100 }],
    ['funding', 'funding', 'DEBIT', { credit: 100 }],
    ['interest', 'interest', 'DEBIT', {}],
    ['with_drawal', 'withdrawal', 'DEBIT', {}],
  ] as const)('201: %s, and the partner balance moves by itself', async (word, type, category, moved) => {
    const user = await aUser(1_000);
    const before = { credit: await partnerAmount('credit'), company: await partnerAmount('company') };
    const answer = await post({ ...aFee, type: word, amount: 100, balanceId: user.balanceId });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ type, category });
    expect(await amountOf(user)).toBe(category === 'CREDIT' ? 1_100 : 900);
    for (const kind of ['credit', 'company'] as const) {
      const by = (moved as Partial<Record<'credit' | 'company', number>>)[kind] ?? 0;
      expect([kind, (await partnerAmount(kind)) ?? 0]).toEqual([kind, (before[kind] ?? 0) + by]);
    }
  });

  it('201: the alias names user and balance in its path', async () => {
    const user = await aUser(1_000);
    const path = `/secure/customers/${user.customerId}/balances/${user.balanceId}/transactions`;
    const send = (body: object) =>
      api.call('POST', path, { body, headers: { 'X-Idempotency-Key': randomUUID() } });
    expect((await send(aFee)).status).toBe(201);
    expect((await send({ ...aFee, balanceId: user.balanceId.toUpperCase() })).status).toBe(201);
    const stranger = await aUser();
    const elsewhere = await send({ ...aFee, balanceId: stranger.balanceId });
    expect(elsewhere.body.errors).toEqual([{ field: 'balanceId', message: 'must be that of the path' }]);
    expect(await amountOf(user)).toBe(700);
  });

  it('201: a commission refers to a purchase by its number or its id', async () => {
    const card = await aCard(api, 'credit');
    const first = await topUp(api, card, 1_000);
    const commission = { ...aFee, type: 'commission', amount: 1, balanceId: card.balanceId };
    const byNumber = await post({ ...commission, referenceTransactionId: first.body.transactionId });
    expect(byNumber.status).toBe(201);
    expect(byNumber.body.referenceTransactionId).toBe(first.body.transactionId);
    expect((await post({ ...commission, referenceId: first.body.id })).status).toBe(201);
    const missing = await post({ ...commission, referenceTransactionId: 'nothing' });
    expect(result(missing)).toEqual([422, 'REFERENCED_TRANSACTION_NOT_FOUND']);
    await post({ ...aFee, transactionId: first.body.transactionId, balanceId: card.balanceId });
    const many = await post({ ...commission, referenceTransactionId: first.body.transactionId });
    expect(result(many)).toEqual([422, 'AMBIGUOUS_REFERENCED_TRANSACTION']);
  });

  it('201: encrypted both ways', async () => {
    const user = await aUser(1_000);
    const answer = await post({ ...aFee, balanceId: user.balanceId }, { headers: encrypted });
    expect(answer.status).toBe(201);
    expect(await openAnswer(answer)).toMatchObject({ type: 'fee', amount: 150 });
  });

  it('201 again: the stored answer byte for byte, and the money moves once', async () => {
    const user = await aUser(1_000);
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const body = { ...aFee, balanceId: user.balanceId };
    const first = await post(body, { headers });
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(body, { headers })));
    for (const again of answers) {
      expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([
        201,
        first.text,
        'true',
      ]);
    }
    expect(await amountOf(user)).toBe(850);
    expect(result(await post({ ...body, amount: 151 }, { headers }))).toEqual([
      422,
      'IDEMPOTENCY_KEY_REUSED',
    ]);
  });

  it('exactly as many as the balance affords, of 100 at once', async () => {
    const user = await aUser(799);
    const body = { ...aFee, amount: 100, balanceId: user.balanceId };
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(body)));
    const titles = answers.map((answer) => answer.body.title ?? 'POSTED');
    expect(titles.filter((title) => title === 'POSTED')).toHaveLength(7);
    expect(titles.filter((title) => title === 'INSUFFICIENT_FUNDS')).toHaveLength(93);
    expect(await amountOf(user)).toBe(99);
  });
});

describe('refusals', () => {
  const recorded = ['idempotency_keys', 'outbox', 'transaction_events', 'transactions'];

  async function changedSince(before: Awaited<ReturnType<TableWatch['state']>>): Promise<string[]> {
    const after = await tables.state();
    return Object.keys(after)
      .filter((name) => after[name] !== before[name])
      .map((name) => name.replace(/_20\d\d_\d\d$/, '').replace('public.', ''))
      .filter((name) => !name.startsWith('audit_log'))
      .toSorted();
  }

  it.each([
    ['UNKNOWN_TRANSACTION_TYPE', { type: 'gift' }, 'INVALID'],
    ['INVALID_AMOUNT', { amount: 0 }, 'INVALID'],
    ['INVALID_AMOUNT', { amount: -150 }, 'INVALID'],
    ['CURRENCY_MISMATCH', { currency: 'PLN' }, 'INVALID'],
    ['REFERENCED_TRANSACTION_NOT_FOUND', { referenceTransactionId: 'x' }, 'INVALID'],
    ['INSUFFICIENT_FUNDS', { amount: 1_001 }, 'DECLINED'],
    ['INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE', { type: 'loan', amount: 900_000_000_000 }, 'DECLINED'],
  ])('422 %s: %j is stored, told and repeated', async (title, changes, state) => {
    const user = await aUser(1_000);
    const before = await tables.state();
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const body = { ...aFee, balanceId: user.balanceId, ...changes };
    const answer = await post(body, { headers });
    expect(answer.body).toEqual({ title, detail: expect.any(String) });
    expect(answer.status).toBe(422);
    expect(await changedSince(before)).toEqual(recorded);
    const again = await post(body, { headers });
    expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([
      422,
      answer.text,
      'true',
    ]);
    const stored = await storedOf(user);
    expect(stored).toHaveLength(2);
    expect(stored[1]).toMatchObject({ state, result: title });
    expect(await amountOf(user)).toBe(1_000);
  });

  it.each(['pos', 'adjustment', 'collateralCredit', 'creditIbanTransfer', 'interchangeDebit'])(
    '403 FORBIDDEN: %s is not the partner’s to post; nothing is kept',
    async (type) => {
      const user = await aUser(1_000);
      const before = await tables.state();
      expect(result(await post({ ...aFee, type, balanceId: user.balanceId }))).toEqual([403, 'FORBIDDEN']);
      expect(await changedSince(before)).toEqual([]);
    },
  );

  it.each([
    ['X-Idempotency-Key', {}, false],
    ['type', { type: '' }, true],
    ['type', { type: undefined }, true],
    ['amount', { amount: 1.5 }, true],
    ['amount', { amount: '150' }, true],
    ['amount', { amount: 9_007_199_254_740_992 }, true],
    ['currency', { currency: undefined }, true],
    ['transactionId', { transactionId: undefined }, true],
    ['transactionId', { transactionId: 'x'.repeat(65) }, true],
    ['balanceId', { balanceId: undefined }, true],
    ['balanceId', { balanceId: 'x' }, true],
    ['description', { description: 'x'.repeat(256) }, true],
    [
      'transactionData.retrievalReferenceNumber',
      { transactionData: { retrievalReferenceNumber: '1' } },
      true,
    ],
    ['transactionData.pan', { transactionData: { pan: '1' } }, true],
    ['referenceTransactionId', { type: 'commission' }, true],
    ['cardNo', { cardNo: '1' }, true],
  ])('400 VALIDATION_ERROR: %s in %j', async (field, changes, withKey) => {
    const user = await aUser();
    const before = await tables.state();
    const answer = await api.call('POST', '/secure/transactions', {
      body: { ...aFee, balanceId: user.balanceId, ...changes },
      ...(withKey ? { headers: { 'X-Idempotency-Key': randomUUID() } } : {}),
    });
    expect(result(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors.map((one: { field: string }) => one.field)).toEqual([field]);
    expect(await changedSince(before)).toEqual([]);
  });

  it('503: money that the partner holds is not posted here yet', async () => {
    const user = await aUser();
    await api.owner
      .updateTable('balances')
      .set({ holder: 'external' })
      .where('balance_id', '=', user.balanceId)
      .execute();
    const answer = await post({ ...aFee, balanceId: user.balanceId });
    expect(result(answer)).toEqual([503, 'SERVICE_UNAVAILABLE']);
  });
});

describe('POST /secure/customers/{customerId}/transfers', () => {
  const send = (from: Target, to: Target, changes: object = {}, options: CallOptions = {}) =>
    api.call('POST', `/secure/customers/${from.customerId}/transfers`, {
      body: { fromBalanceId: from.balanceId, toBalanceId: to.balanceId, amount: 300, ...changes },
      ...options,
      headers: { 'X-Idempotency-Key': randomUUID(), ...options.headers },
    });

  it('201: both transactions, which share the number of the transfer; once for a key', async () => {
    const [from, to] = [await aUser(1_000), await aUser()];
    const credit = await partnerAmount('credit');
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const answer = await send(from, to, { description: 'rent' }, { headers });
    expect(answer.status).toBe(201);
    const { transferId, funding, payment } = answer.body;
    const shared = { transactionId: transferId, amount: 300, status: 'CLEARED', description: 'rent' };
    expect(funding).toMatchObject({ ...shared, type: 'funding', category: 'DEBIT', balanceAfter: 700 });
    expect(payment).toMatchObject({ ...shared, type: 'payment', category: 'CREDIT', balanceAfter: 300 });
    const again = await send(from, to, { description: 'rent' }, { headers });
    expect([again.status, again.text]).toEqual([201, answer.text]);
    expect([await amountOf(from), await amountOf(to)]).toEqual([700, 300]);
    expect(await partnerAmount('credit')).toBe(credit);
    const told = await api.owner
      .selectFrom('outbox')
      .select('kind')
      .where('transaction_id', 'in', [funding.id, payment.id])
      .execute();
    expect(told).toEqual([{ kind: 'transaction' }, { kind: 'transaction' }]);
  });

  it('422: refused as it was under the same key; nothing moves', async () => {
    const [from, to] = [await aUser(1_000), await aUser()];
    expect(result(await send(from, from))).toEqual([422, 'SAME_BALANCE']);
    const headers = { 'X-Idempotency-Key': randomUUID() };
    const short = await send(from, to, { amount: 1_001 }, { headers });
    expect(result(short)).toEqual([422, 'INSUFFICIENT_FUNDS']);
    await topUp(api, { ...from, cardId: 1 }, 1);
    const again = await send(from, to, { amount: 1_001 }, { headers });
    expect([again.status, again.text]).toEqual([422, short.text]);
    expect((await send(from, to, { amount: 1_001 })).status).toBe(201);
  });

  it("404 BALANCE_NOT_FOUND: from another user's, to another programme's", async () => {
    const [from, to] = [await aUser(1_000), await aUser()];
    const sandboxUser = await aCustomer(api, 'sandbox');
    const elsewhere = { customerId: sandboxUser, balanceId: await aBalance(api, sandboxUser) };
    for (const answer of [
      await send({ ...from, customerId: to.customerId }, to),
      await send(from, elsewhere),
      await send(elsewhere, to),
      await send(from, { ...to, balanceId: randomUUID() }),
      await send(from, to, {}, { as: 'other' }),
    ]) {
      expect(result(answer)).toEqual([404, 'BALANCE_NOT_FOUND']);
    }
    expect(await amountOf(from)).toBe(1_000);
  });

  it.each([
    { amount: 0 },
    { amount: -1 },
    { amount: undefined },
    { toBalanceId: 'x' },
    { quoteId: 'x' },
    { x: 1 },
  ])('400 VALIDATION_ERROR: %j', async (changes) => {
    const [from, to] = [await aUser(), await aUser()];
    expect(result(await send(from, to, changes))).toEqual([400, 'VALIDATION_ERROR']);
  });
});
