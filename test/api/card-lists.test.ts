import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBalance, aCustomer, encrypted, openAnswer } from '../support/builders.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';

let api: ApiHarness;
let customerId: number;
let balanceId: string;
let ids: number[];

beforeAll(async () => {
  api = await startApi();
  customerId = await aCustomer(api);
  balanceId = await aBalance(api, customerId);
  ids = [await aCardNamed('Ada N. Nowak'), await aCardNamed(null)];
});

afterAll(async () => {
  await api.stop();
});

async function aCardNamed(holderName: string | null): Promise<number> {
  const answer = await api.call('POST', '/secure/cards/virtual', {
    headers: encrypted,
    body: { balanceId, configId: '0019167984', dcUserId: customerId, holderName },
  });
  expect(answer.status).toBe(201);
  return (await openAnswer(answer))['id'] as number;
}

const lifecycle = { headers: { 'Issuer-Code': 'sandbox' } };
const idsIn = (answer: HttpAnswer): number[] => answer.body.items.map((one: { id: number }) => one.id);

describe('lists of cards', () => {
  it('200: newest first, on every path, each as its summary shows it and without its number', async () => {
    for (const [path, options] of [
      [`/secure/customers/${customerId}/cards`, {}],
      [`/secure/cards?dcUserId=${customerId}`, {}],
      [`/secure/cards?balanceId=${balanceId}`, {}],
      [`/lifecycle/v1/users/${customerId}/cards`, lifecycle],
    ] as const) {
      const answer = await api.call('GET', path, options);
      expect([path, answer.status, idsIn(answer)]).toEqual([path, 200, ids.toReversed()]);
      for (const one of answer.body.items) {
        const summary = await api.call('GET', `/secure/cards/${one.id}/summary`);
        expect(one).toEqual(summary.body);
        expect(one).not.toHaveProperty('cardNo');
        expect(one).not.toHaveProperty('cvv');
      }
      expect(answer.body.items.map((one: { holderName: string | null }) => one.holderName)).toEqual([
        null,
        'Ada N. Nowak',
      ]);
    }
  });

  it('200: page by page', async () => {
    const first = await api.call('GET', `/secure/customers/${customerId}/cards?limit=1`);
    const next = first.body.nextCursor as string;
    const second = await api.call('GET', `/secure/customers/${customerId}/cards?limit=1&cursor=${next}`);
    expect([...idsIn(first), ...idsIn(second)]).toEqual(ids.toReversed());
    expect(second.body.nextCursor).toBeNull();
  });

  it('200: filtered by product and kind', async () => {
    const list = async (query: string) =>
      idsIn(await api.call('GET', `/secure/customers/${customerId}/cards?${query}`));
    expect(await list('configId=0019167984&kind=virtual')).toHaveLength(2);
    expect(await list('configId=19167984')).toEqual([]);
    expect(await list('kind=PHYSICAL')).toEqual([]);
  });

  it('400 VALIDATION_ERROR: of nobody in particular', async () => {
    const answer = await api.call('GET', '/secure/cards');
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'dcUserId']);
  });

  it('404: an unknown user, an unknown balance', async () => {
    const user = await api.call('GET', '/secure/cards?dcUserId=999999999');
    const balance = await api.call('GET', '/secure/cards?balanceId=11111111-1111-4111-8111-111111111111');
    expect([user.body.title, balance.body.title]).toEqual(['USER_NOT_FOUND', 'BALANCE_NOT_FOUND']);
    expect([user.status, balance.status]).toEqual([404, 404]);
  });
});
