import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBalance, aCard, aCustomer, topUp } from '../support/builders.ts';
import { type ApiHarness, type CallOptions, type HttpAnswer, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});

afterAll(async () => {
  await api.stop();
});

const NOTHING = '11111111-1111-4111-8111-111111111111';
const result = (answer: HttpAnswer) => [answer.status, answer.body?.title];
const idsIn = (answer: HttpAnswer) => answer.body.items.map((one: { id: string }) => one.id);

describe('DELETE a balance', () => {
  const remove = (path: string, options: CallOptions = {}) => api.call('DELETE', path, options);
  const stateOf = async (balanceId: string) =>
    (await api.call('GET', `/secure/balances/${balanceId}`)).body.state;

  it.each([
    [
      'its path under the user',
      (customerId: number, id: string) => `/secure/customers/${customerId}/balances/${id}`,
    ],
    ['its own path', (_customerId: number, id: string) => `/secure/balances/${id}`],
  ])('204 on %s: closed, still readable, and never again', async (_name, pathOf) => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const path = pathOf(customerId, balanceId);
    const answer = await remove(path);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(await stateOf(balanceId)).toBe('CLOSED');
    expect(result(await remove(path))).toEqual([409, 'STATE_CONFLICT']);
  });

  it('204 again: the same key', async () => {
    const balanceId = await aBalance(api, await aCustomer(api));
    const headers = { 'X-Idempotency-Key': `delete-${balanceId}` };
    const answers = [];
    for (let n = 0; n < 2; n += 1) answers.push(await remove(`/secure/balances/${balanceId}`, { headers }));
    expect(answers.map((one) => [one.status, one.headers['idempotency-replayed']])).toEqual([
      [204, undefined],
      [204, 'true'],
    ]);
  });

  it('409 BALANCE_NOT_EMPTY, BALANCE_HAS_CARDS, and nothing changes', async () => {
    const card = await aCard(api);
    const path = `/secure/balances/${card.balanceId}`;
    expect(result(await remove(path))).toEqual([409, 'BALANCE_HAS_CARDS']);
    await topUp(api, card, 100);
    expect(result(await remove(path))).toEqual([409, 'BALANCE_NOT_EMPTY']);
    expect(await stateOf(card.balanceId)).toBe('ACTIVE');
  });

  it('409 BALANCE_HAS_HOLDS', async () => {
    const balanceId = await aBalance(api, await aCustomer(api));
    await sql`update balances set held = 5, forced_since = cardloom_now()
      where balance_id = ${balanceId}`.execute(api.owner);
    expect(result(await remove(`/secure/balances/${balanceId}`))).toEqual([409, 'BALANCE_HAS_HOLDS']);
  });

  it("404 BALANCE_NOT_FOUND: nothing, another user's, another partner's, another programme's", async () => {
    const balanceId = await aBalance(api, await aCustomer(api));
    const stranger = await aCustomer(api);
    const missing = await remove(`/secure/balances/${NOTHING}`);
    expect(result(missing)).toEqual([404, 'BALANCE_NOT_FOUND']);
    const answers = [
      await remove(`/secure/customers/${stranger}/balances/${balanceId}`),
      await remove(`/secure/balances/${balanceId}`, { as: 'other' }),
      await remove(`/secure/balances/${balanceId}`, { headers: { 'Issuer-Code': 'credit' } }),
    ];
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([404, missing.text]);
    expect(await stateOf(balanceId)).toBe('ACTIVE');
  });

  it('400 VALIDATION_ERROR: no id', async () => {
    expect(result(await remove('/secure/balances/1'))).toEqual([400, 'VALIDATION_ERROR']);
  });

  it('503 SERVICE_UNAVAILABLE: a balance at the partner, not part of this release', async () => {
    const balanceId = await aBalance(api, await aCustomer(api));
    await sql`update balances set holder = 'external' where balance_id = ${balanceId}`.execute(api.owner);
    expect(result(await remove(`/secure/balances/${balanceId}`))).toEqual([503, 'SERVICE_UNAVAILABLE']);
  });
});

describe('POST /secure/balances', () => {
  const create = (body: object, options: CallOptions = {}) =>
    api.call('POST', '/secure/balances', { body, ...options });

  it('201: a balance of the user that the body names', async () => {
    const customerId = await aCustomer(api);
    const answer = await create({ currency: 'eur', dcUserId: customerId });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ customerId, dcCorporationId: null, currency: 'EUR', amount: 0 });
  });

  it.each([
    [{ currency: 'EUR' }],
    [{ currency: 'EUR', dcUserId: 1001, dcCorporationId: NOTHING }],
    [{ currency: 'EUR', dcUserId: null, dcCorporationId: null }],
  ])('400 VALIDATION_ERROR: %j names no owner or two', async (body) => {
    const answer = await create(body);
    expect(result(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors).toEqual([{ field: 'dcUserId', message: expect.any(String) }]);
  });

  it('400 VALIDATION_ERROR: ids and currencies that are none', async () => {
    const answer = await create({ currency: 'EURO', dcUserId: 'x' });
    expect(answer.body.errors.map((one: { field: string }) => one.field).toSorted()).toEqual([
      'currency',
      'dcUserId',
    ]);
  });

  it('404 USER_NOT_FOUND, CORPORATION_NOT_FOUND', async () => {
    const foreignId = await aCustomer(api, 'other');
    expect(result(await create({ currency: 'EUR', dcUserId: foreignId }))).toEqual([404, 'USER_NOT_FOUND']);
    expect(result(await create({ currency: 'EUR', dcCorporationId: NOTHING }))).toEqual([
      404,
      'CORPORATION_NOT_FOUND',
    ]);
  });

  it('422: the refusals of the path under the user', async () => {
    const customerId = await aCustomer(api);
    const answer = await create({ currency: 'PLN', dcUserId: customerId });
    expect(result(answer)).toEqual([422, 'CURRENCY_NOT_SUPPORTED']);
  });
});

describe('GET /secure/balances', () => {
  const list = (query = '', options: CallOptions = {}) =>
    api.call('GET', `/secure/balances${query}`, options);

  it('200: of all users, newest first, without cards, by currency and state', async () => {
    const ids = [await aBalance(api, await aCustomer(api)), await aBalance(api, await aCustomer(api))];
    await api.call('DELETE', `/secure/balances/${ids[0]}`);
    const answer = await list('?limit=2');
    expect(idsIn(answer)).toEqual(ids.toReversed());
    expect(answer.body.items.some((one: object) => 'cards' in one)).toBe(false);
    expect(idsIn(await list('?state=closed&currency=EUR&limit=1'))).toEqual([ids[0]]);
    expect(idsIn(await list('?currency=PLN'))).toEqual([]);
  });

  it('200: page by page', async () => {
    const first = await list('?limit=1');
    const second = await list(`?limit=1&cursor=${encodeURIComponent(first.body.nextCursor)}`);
    expect(idsIn(second)[0] < idsIn(first)[0]).toBe(true);
    const elsewhere = await list(`?limit=1&state=ACTIVE&cursor=${encodeURIComponent(first.body.nextCursor)}`);
    expect(result(elsewhere)).toEqual([400, 'INVALID_CURSOR']);
  });

  it('200: only those of the programme that Issuer-Code names, none of another partner', async () => {
    const balanceId = await aBalance(api, await aCustomer(api));
    expect(idsIn(await list('', { headers: { 'Issuer-Code': 'credit' } }))).not.toContain(balanceId);
    expect(idsIn(await list('', { as: 'other' }))).not.toContain(balanceId);
  });

  it('404 CORPORATION_NOT_FOUND, 400 VALIDATION_ERROR', async () => {
    expect(result(await list(`?dcCorporationId=${NOTHING}`))).toEqual([404, 'CORPORATION_NOT_FOUND']);
    expect(result(await list('?dcCorporationId=1'))).toEqual([400, 'VALIDATION_ERROR']);
    expect(result(await list('?owner=1'))).toEqual([400, 'VALIDATION_ERROR']);
  });
});
