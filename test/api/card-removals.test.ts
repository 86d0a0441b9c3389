import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBalance, aCard, aCustomer, encrypted } from '../support/builders.ts';
import { aPurchase, read } from '../support/card-traffic.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { aPayingCard, send } from '../support/processor-calls.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const lifecycle = (method: string, path: string, headers: Record<string, string> = {}) =>
  api.call(method, `/lifecycle/v1${path}`, { headers: { 'Issuer-Code': 'sandbox', ...headers } });

const titleOf = (answer: HttpAnswer) => [answer.status, answer.body?.title];
const notThere = [404, 'CARD_NOT_FOUND'];

const rowsOf = async (cardId: number) => ({
  ...(await api.owner
    .selectFrom('cards')
    .leftJoin('card_states', 'card_states.card_id', 'cards.card_id')
    .select(['cards.base_state', 'removed_at', 'card_states.base_state as decided', 'locks'])
    .where('cards.card_id', '=', cardId)
    .executeTakeFirstOrThrow()),
  told: await api.owner
    .selectFrom('processor_instructions')
    .select(['kind', 'codes'])
    .where('card_id', '=', cardId)
    .execute(),
  outbox: await api.owner
    .selectFrom('outbox')
    .select(['kind', 'data'])
    .where('destination', '<>', 'workflow')
    .where('kind', 'in', ['cardLocked', 'cardRemoved'])
    .orderBy('id')
    .execute(),
  audited: (
    await api.owner
      .selectFrom('audit_log')
      .select('action')
      .where('object_type', '=', 'card')
      .where('object_id', '=', String(cardId))
      .execute()
  )
    .map((row) => row.action)
    .toSorted(),
});

describe('DELETE /lifecycle/v1/cards/{cardId}', () => {
  it('204: the card is gone for good, declines, and processor, partner and holder are told', async () => {
    const card = await aPayingCard(api, 1_000);
    const { cardId, customerId } = card;
    expect((await lifecycle('DELETE', `/users/${customerId}/cards/${cardId}`)).status).toBe(204);
    const { removed_at: removedAt, outbox, ...rows } = await rowsOf(cardId);
    expect(removedAt).toBeInstanceOf(Date);
    expect(rows).toEqual({
      base_state: 'REMOVED',
      decided: 'REMOVED',
      locks: [5],
      told: [{ kind: 'LOCK', codes: [5] }],
      audited: ['card.created', 'card.locked', 'card.read', 'card.removed', 'card.requested'],
    });
    expect(outbox).toEqual([
      { kind: 'cardLocked', data: expect.objectContaining({ reason: 'CARD_INACTIVE' }) },
      {
        kind: 'cardRemoved',
        data: { customerId, facts: { lastFourDigits: expect.stringMatching(/^\d{4}$/) } },
      },
    ]);
    const shown = await lifecycle('GET', `/cards/${cardId}`);
    expect(shown.body).toMatchObject({ state: 'REMOVED', lock: { code: 5, irreversible: true } });
    const paid = await send(api, 'authorizations', aPurchase(card, 100));
    expect(read({ answer: paid.text }).reason).toBe('CARD_REMOVED');
  });

  it('404 a second time, with and without the first key, and for cards of others and of nobody', async () => {
    const { cardId } = await aCard(api);
    const key = { 'X-Idempotency-Key': randomUUID() };
    const removed = [204, undefined];
    expect(titleOf(await lifecycle('DELETE', `/cards/${cardId}`, key))).toEqual(removed);
    expect(titleOf(await lifecycle('DELETE', `/cards/${cardId}`, key))).toEqual(removed);
    expect(titleOf(await lifecycle('DELETE', `/cards/${cardId}`))).toEqual(notThere);
    const other = await aCard(api);
    const path = `/users/${await aCustomer(api)}/cards/${other.cardId}`;
    expect(titleOf(await lifecycle('DELETE', path))).toEqual(notThere);
    expect(titleOf(await lifecycle('DELETE', '/cards/999999999'))).toEqual(notThere);
    expect((await rowsOf(other.cardId)).base_state).toBe('ACTIVE');
  });

  it('lets its balance be deleted, and nothing lifts its lock or locks it again', async () => {
    const { cardId, balanceId } = await aCard(api);
    const closing = () => api.call('DELETE', `/secure/balances/${balanceId}`);
    expect(titleOf(await closing())).toEqual([409, 'BALANCE_HAS_CARDS']);
    await lifecycle('DELETE', `/cards/${cardId}`);
    expect(titleOf(await lifecycle('POST', `/cards/${cardId}/unlock`))).toEqual([422, 'LOCK_IRREVERSIBLE']);
    const locked = await api.call('POST', `/secure/cards/${cardId}/lock`, { body: { reason: 3 } });
    expect(titleOf(locked)).toEqual([409, 'CARD_NOT_LOCKABLE']);
    const data = await api.call('GET', `/secure/cards/${cardId}`, { headers: encrypted });
    expect(titleOf(data)).toEqual([409, 'CARD_DATA_UNAVAILABLE']);
    expect((await closing()).status).toBe(204);
  });

  it('removes one that was never made without telling anybody; one that is being made is not there', async () => {
    const refused = await anUnmadeCard('status', { code: 422 }, [422, 'PROCESSOR_REFUSED']);
    const silent = await anUnmadeCard('drop', { stage: 'answer' }, [503, 'PROCESSOR_UNAVAILABLE']);
    expect(titleOf(await lifecycle('DELETE', `/cards/${silent}`))).toEqual(notThere);
    expect((await rowsOf(silent)).base_state).toBe('PENDING');
    expect((await lifecycle('DELETE', `/cards/${refused}`)).status).toBe(204);
    expect(await rowsOf(refused)).toMatchObject({ base_state: 'REMOVED', told: [] });
    expect((await lifecycle('GET', `/cards/${refused}`)).body.state).toBe('REMOVED');
  });
});

async function anUnmadeCard(kind: string, params: object, expected: unknown[]): Promise<number> {
  const customerId = await aCustomer(api);
  const balanceId = await aBalance(api, customerId);
  const fault = { direction: 'fromPlatform', message: 'generateVirtualCard', kind, count: 100, params };
  await api.processorControl('/simulator/faults', fault);
  const answer = await api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
    headers: encrypted,
    body: { balanceId, configId: '0019167984' },
  });
  await api.processorControl('/simulator/faults', undefined, 'DELETE');
  expect(titleOf(answer)).toEqual(expected);
  const { card_id: cardId } = await api.owner
    .selectFrom('cards')
    .select('card_id')
    .where('customer_id', '=', customerId)
    .executeTakeFirstOrThrow();
  return cardId;
}
