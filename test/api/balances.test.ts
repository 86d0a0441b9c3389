import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBalance, aCard, aCustomer, aPerson, topUp } from '../support/builders.ts';
import { type ApiHarness, type CallOptions, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});

afterAll(async () => {
  await api.stop();
});

const create = (
  customerId: number | string,
  body: unknown = { currency: 'EUR' },
  options: CallOptions = {},
) => api.call('POST', `/secure/customers/${customerId}/balances`, { body, ...options });

const result = (answer: { status: number; body: { title: string } }) => [answer.status, answer.body.title];

/** A user of the programme `sandbox` as the master data call makes one. */
async function aUser(changes: object, issuerCode = 'sandbox'): Promise<number> {
  const answer = await api.call('POST', '/lifecycle/v1/wallet', {
    headers: { 'Issuer-Code': issuerCode },
    body: aPerson({ ...changes }),
  });
  expect(answer.status).toBe(201);
  return answer.body.id;
}

const balancesOf = (customerId: number) =>
  api.owner.selectFrom('balances').selectAll().where('customer_id', '=', customerId).execute();

describe('POST /secure/customers/{customerId}/balances', () => {
  it('201: a balance at zero with the documented members', async () => {
    const customerId = await aCustomer(api);
    const answer = await create(customerId);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      balanceId: answer.body.id,
      customerId,
      dcCorporationId: null,
      currency: 'EUR',
      amount: 0,
      heldAmount: 0,
      availableAmount: 0,
      state: 'ACTIVE',
      holder: 'platform',
      automatic: false,
      version: expect.any(Number),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      asOf: expect.stringMatching(/Z$/),
      stale: false,
      amountStatus: 'OK',
    });
    const rows = await api.owner
      .selectFrom('audit_log')
      .select(['action', 'object_id'])
      .where('request_id', '=', answer.headers['x-request-id'] as string)
      .execute();
    expect(rows).toEqual([{ action: 'balance.created', object_id: answer.body.id }]);
  });

  it.each(['eur', ' EUR ', 'Eur'])('201: the currency %j is read as EUR', async (currency) => {
    const answer = await create(await aCustomer(api), { currency });
    expect([answer.status, answer.body.currency]).toEqual([201, 'EUR']);
  });

  it('201: a second one in the same currency, without a key', async () => {
    const customerId = await aCustomer(api);
    const [first, second] = [await create(customerId), await create(customerId)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body.id).not.toBe(second.body.id);
  });

  it('201 again: the same key gives the same balance', async () => {
    const customerId = await aCustomer(api);
    const headers = { 'X-Idempotency-Key': `balance-${customerId}` };
    const first = await create(customerId, undefined, { headers });
    const again = await create(customerId, undefined, { headers });
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await balancesOf(customerId)).toHaveLength(1);
  });

  it.each([
    ['USER_NOT_ACTIVE', async (id: number) => void (await setUser(id, { state: 'LOCKED' }))],
    ['KYC_REQUIRED', async (id: number) => void (await setUser(id, { kyc: 'IN_PROGRESS' }))],
    ['TRANSACTIONAL_LOCK', async (id: number) => void (await setUser(id, { transactional_locks: 1 }))],
  ])('422 %s, and no balance is made', async (title, prepare) => {
    const customerId = await aCustomer(api);
    await prepare(customerId);
    expect(result(await create(customerId))).toEqual([422, title]);
    expect(await balancesOf(customerId)).toEqual([]);
  });

  it('422 KYC_REQUIRED: a user who was never verified', async () => {
    const customerId = await aUser({ kyc: 'NOT_STARTED' });
    expect(result(await create(customerId))).toEqual([422, 'KYC_REQUIRED']);
  });

  it.each(['PLN', 'USD', 'XXX'])('422 CURRENCY_NOT_SUPPORTED: %s', async (currency) => {
    const answer = await create(await aCustomer(api), { currency });
    expect(result(answer)).toEqual([422, 'CURRENCY_NOT_SUPPORTED']);
  });

  it.each([
    {},
    { currency: null },
    { currency: 978 },
    { currency: 'EURO' },
    { currency: 'E1R' },
    { currency: '' },
  ])('400 VALIDATION_ERROR: %j', async (body) => {
    const answer = await create(await aCustomer(api), body);
    expect(result(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors).toEqual([{ field: 'currency', message: expect.any(String) }]);
  });

  it('400 VALIDATION_ERROR: all faults at once, also of unknown members', async () => {
    const answer = await create(await aCustomer(api), { currency: 1, automatic: true, id: 'x' });
    expect(answer.body.errors.map((one: { field: string }) => one.field).toSorted()).toEqual([
      'automatic',
      'currency',
      'id',
    ]);
  });

  it('400 VALIDATION_ERROR: faults of the path come alone, before those of the body', async () => {
    const answer = await create('abc', { currency: 1 });
    expect(answer.body.errors).toEqual([{ field: 'customerId', message: 'must be a whole number from 1' }]);
  });

  it('404 USER_NOT_FOUND: nobody, and a user of another partner, in the same words', async () => {
    const foreignId = await aCustomer(api, 'other');
    const [nobody, foreign] = [await create(999_999_999), await create(foreignId)];
    expect(result(nobody)).toEqual([404, 'USER_NOT_FOUND']);
    expect(foreign.text).toBe(nobody.text);
    expect(await balancesOf(foreignId)).toEqual([]);
  });

  it('503 SERVICE_UNAVAILABLE: a programme whose balances are at the partner, not part of this release', async () => {
    const customerId = await aCustomer(api, 'external');
    const answer = await create(customerId);
    expect(result(answer)).toEqual([503, 'SERVICE_UNAVAILABLE']);
    expect(answer.headers['retry-after']).toBe('1');
    expect(await balancesOf(customerId)).toEqual([]);
  });
});

async function setUser(customerId: number, values: object): Promise<void> {
  await api.owner.updateTable('customers').set(values).where('customer_id', '=', customerId).execute();
}

describe('GET /secure/customers/{customerId}/balances', () => {
  const list = (customerId: number, query = '') =>
    api.call('GET', `/secure/customers/${customerId}/balances${query}`);

  it('200: newest first, without cards', async () => {
    const customerId = await aCustomer(api);
    const ids = [await aBalance(api, customerId), await aBalance(api, customerId)];
    const answer = await list(customerId);
    expect(answer.status).toBe(200);
    expect(answer.body.items.map((one: { id: string }) => one.id)).toEqual(ids.toReversed());
    expect(answer.body.items.some((one: object) => 'cards' in one)).toBe(false);
    expect(answer.body.nextCursor).toBeNull();
  });

  it('200: an empty list for a user without a balance', async () => {
    expect((await list(await aCustomer(api))).body).toEqual({ items: [], nextCursor: null });
  });

  it('200: filtered by currency and state, both without regard to case', async () => {
    const customerId = await aCustomer(api);
    const [blocked, active] = [await aBalance(api, customerId), await aBalance(api, customerId)];
    await api.owner
      .updateTable('balances')
      .set({ state: 'BLOCKED' })
      .where('balance_id', '=', blocked)
      .execute();
    const ids = async (query: string) =>
      (await list(customerId, query)).body.items.map((one: { id: string }) => one.id);
    expect(await ids('?state=blocked')).toEqual([blocked]);
    expect(await ids('?currency=eur&state=ACTIVE')).toEqual([active]);
    expect(await ids('?currency=PLN')).toEqual([]);
  });

  it('400 VALIDATION_ERROR: a filter of no known word', async () => {
    const answer = await list(await aCustomer(api), '?state=OPEN&currency=EURO');
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((one: { field: string }) => one.field).toSorted()).toEqual([
      'currency',
      'state',
    ]);
  });

  it('404 USER_NOT_FOUND', async () => {
    expect(result(await list(999_999_999))).toEqual([404, 'USER_NOT_FOUND']);
  });
});

describe('GET /secure/customers/{customerId}/balances/{balanceId}', () => {
  it('200: with its cards, on both path forms', async () => {
    const card = await aCard(api);
    await topUp(api, card, 5_000);
    const long = await api.call('GET', `/secure/customers/${card.customerId}/balances/${card.balanceId}`);
    const short = await api.call('GET', `/secure/balances/${card.balanceId}`);
    expect(long.status).toBe(200);
    expect(long.body).toMatchObject({
      id: card.balanceId,
      amount: 5_000,
      heldAmount: 0,
      availableAmount: 5_000,
      cards: [
        {
          id: card.cardId,
          lastFourDigits: expect.stringMatching(/^[0-9]{4}$/),
          kind: 'VIRTUAL',
          state: 'ACTIVE',
        },
      ],
    });
    expect({ ...short.body, asOf: '' }).toEqual({ ...long.body, asOf: '' });
  });

  it('200: the id in capitals, answered in lower case', async () => {
    const card = await aCard(api);
    const answer = await api.call('GET', `/secure/balances/${card.balanceId.toUpperCase()}`);
    expect([answer.status, answer.body.id]).toEqual([200, card.balanceId]);
  });

  it("404 BALANCE_NOT_FOUND: nothing, another user's, another partner's, another programme's", async () => {
    const card = await aCard(api);
    const stranger = await aCustomer(api);
    const path = `/secure/balances/${card.balanceId}`;
    const missing = await api.call('GET', '/secure/balances/11111111-1111-4111-8111-111111111111');
    const answers = [
      await api.call('GET', `/secure/customers/${stranger}/balances/${card.balanceId}`),
      await api.call('GET', path, { as: 'other' }),
      await api.call('GET', path, { headers: { 'Issuer-Code': 'credit' } }),
    ];
    expect(result(missing)).toEqual([404, 'BALANCE_NOT_FOUND']);
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([404, missing.text]);
  });

  it.each(['x', '0', '11111111-1111-1111-8111-111111111111', '11111111-1111-4111-8111-11111111111'])(
    '400 VALIDATION_ERROR: %s is no id',
    async (id) => {
      const answer = await api.call('GET', `/secure/balances/${id}`);
      expect(answer.body.errors).toEqual([{ field: 'balanceId', message: 'must be a UUID (version 4)' }]);
    },
  );
});
