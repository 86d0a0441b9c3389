import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encrypted, openAnswer } from '../support/builders.ts';
import { type ApiHarness, type CallOptions, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});

afterAll(async () => {
  await api.stop();
});

const list = (query = '', options: CallOptions = {}) =>
  api.call('GET', `/secure/partner-balances${query}`, options);

const idOf = (issuerCode: string): string => api.demo.programmes[issuerCode]?.id ?? '';

const kinds = (answer: { body: { items: { kind: string }[] } }) => answer.body.items.map((one) => one.kind);

describe('GET /secure/partner-balances', () => {
  it('200: those of all programmes of the partner, with the documented members', async () => {
    const answer = await list();
    expect(answer.status).toBe(200);
    expect(kinds(answer).toSorted()).toEqual(['credit', 'credit', 'deposit', 'deposit']);
    for (const one of answer.body.items) {
      expect(one).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        kind: expect.stringMatching(/^(credit|deposit)$/),
        currency: 'EUR',
        amount: 100_000_000,
        state: 'ACTIVE',
        alert: {},
        asOf: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
    }
  });

  it('200: filtered by programme, kind and currency', async () => {
    expect(kinds(await list(`?programmeId=${idOf('credit')}`))).toEqual(['credit']);
    expect(kinds(await list('?kind=DEPOSIT'))).toEqual(['deposit', 'deposit']);
    expect(kinds(await list(`?programmeId=${idOf('shared')}&kind=credit`))).toEqual([]);
    expect(kinds(await list('?currency=eur'))).toHaveLength(4);
    expect(kinds(await list('?currency=PLN'))).toEqual([]);
    expect(kinds(await list('?kind=ibantechnical'))).toEqual([]);
  });

  it('200: only those of the programme that Issuer-Code names', async () => {
    expect(kinds(await list('', { headers: { 'Issuer-Code': 'shared' } }))).toEqual(['deposit']);
    const other = { headers: { 'Issuer-Code': 'shared' } };
    expect(kinds(await list(`?programmeId=${idOf('credit')}`, other))).toEqual([]);
  });

  it('200: nothing for a programme of another partner', async () => {
    expect(kinds(await list('', { as: 'other' }))).toEqual([]);
    expect(kinds(await list(`?programmeId=${idOf('credit')}`, { as: 'other' }))).toEqual([]);
  });

  it('200: page by page', async () => {
    const first = await list('?limit=3');
    const second = await list(`?limit=3&cursor=${first.body.nextCursor}`);
    const ids = [...first.body.items, ...second.body.items].map((one: { id: string }) => one.id);
    expect([first.body.items.length, second.body.items.length]).toEqual([3, 1]);
    expect(new Set(ids).size).toBe(4);
    expect(second.body.nextCursor).toBeNull();
  });

  it.each(['?kind=gold', '?programmeId=1', '?currency=EURO', '?state=ACTIVE', '?limit=0'])(
    '400 VALIDATION_ERROR: %s',
    async (query) => {
      const answer = await list(query);
      expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    },
  );
});

describe('GET /secure/partner-balances/{id}', () => {
  it('200: one of them, also encrypted', async () => {
    const [one] = (await list('?kind=credit')).body.items;
    const answer = await api.call('GET', `/secure/partner-balances/${one.id}`);
    expect(answer.status).toBe(200);
    expect({ ...answer.body, asOf: one.asOf }).toEqual(one);
    const sealed = await api.call('GET', `/secure/partner-balances/${one.id}`, { headers: encrypted });
    expect(await openAnswer(sealed)).toMatchObject({ id: one.id, amount: one.amount });
  });

  it("404 BALANCE_NOT_FOUND: nothing, another partner's, another programme's, a user's balance", async () => {
    const [one] = (await list(`?programmeId=${idOf('credit')}`)).body.items;
    const missing = await api.call('GET', '/secure/partner-balances/11111111-1111-4111-8111-111111111111');
    expect([missing.status, missing.body.title]).toEqual([404, 'BALANCE_NOT_FOUND']);
    for (const options of [{ as: 'other' as const }, { headers: { 'Issuer-Code': 'sandbox' } }]) {
      const answer = await api.call('GET', `/secure/partner-balances/${one.id}`, options);
      expect([answer.status, answer.text]).toEqual([404, missing.text]);
    }
  });

  it('400 VALIDATION_ERROR: no id', async () => {
    const answer = await api.call('GET', '/secure/partner-balances/creditBalance');
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'partnerBalanceId']);
  });

  it('405: partners of this release do not post to them', async () => {
    const [one] = (await list()).body.items;
    const answer = await api.call('POST', `/secure/partner-balances/${one.id}`, { body: {} });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET']);
  });
});
