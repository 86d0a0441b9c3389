import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aCorporation, topUp } from '../support/builders.ts';
import { aPurchase } from '../support/card-traffic.ts';
import { aPayingCard, send } from '../support/processor-calls.ts';
import { type ApiHarness, type CallOptions, startApi } from '../support/harness.ts';

let api: ApiHarness;
let card: Awaited<ReturnType<typeof aPayingCard>>;

beforeAll(async () => {
  api = await startApi();
  card = await aPayingCard(api, 10_000);
}, 120_000);
afterAll(() => api.stop());

const locks = (method: string, tail = '', options: CallOptions = {}) =>
  api.call(method, `/lifecycle/v1/users/${card.customerId}/transactional-locks${tail}`, {
    ...options,
    headers: { 'Issuer-Code': 'sandbox', ...options.headers },
  });
const add = (body: object) => locks('POST', '', { body });
const pay = async () => {
  const { result, description } = (await send(api, 'authorizations', aPurchase(card, 100))).body;
  return result === 'APPROVED' ? result : description;
};

describe('transactional locks of a user', () => {
  it('stop payments, postings, balances and cards, until the partner lifts its own', async () => {
    expect(await pay()).toBe('APPROVED');
    const added = await add({ lockReason: 'police_lock', note: 'letter of 3 May' });
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      lockReason: 'POLICE_LOCK',
      origin: 'PARTNER',
      note: 'letter of 3 May',
      until: null,
    });
    expect((await add({ lockReason: 'POLICE_LOCK' })).status).toBe(200);
    expect((await locks('GET')).body).toMatchObject({
      items: [{ lockReason: 'POLICE_LOCK', origin: 'PARTNER' }],
      nextCursor: null,
    });

    expect(await pay()).toBe('AML_EXCEPTION');
    const posted = await topUp(api, card, 100);
    expect([posted.status, posted.body.title]).toEqual([422, 'AML_EXCEPTION']);
    const balance = await api.call('POST', `/secure/customers/${card.customerId}/balances`, {
      body: { currency: 'PLN' },
    });
    expect([balance.status, balance.body.title]).toEqual([422, 'TRANSACTIONAL_LOCK']);

    expect((await locks('DELETE', '/POLICE_LOCK')).status).toBe(204);
    expect((await locks('GET')).body.items).toEqual([]);
    expect(await pay()).toBe('APPROVED');
  });

  it('take null for what is not said', async () => {
    const added = await add({ lockReason: 'PRADO_VERIFICATION', note: null, until: null });
    expect([added.status, added.body.note, added.body.until]).toEqual([201, null, null]);
    expect((await locks('DELETE', '/PRADO_VERIFICATION')).status).toBe(204);
  });

  it('shows pages, and refuses a cursor of elsewhere', async () => {
    for (const lockReason of ['ZEN_LOCK', 'FENIGE_LOCK', 'PEKAO_LOCK']) await add({ lockReason });
    const first = await locks('GET', '?limit=2');
    expect(first.body.items.map((one: { lockReason: string }) => one.lockReason)).toEqual([
      'FENIGE_LOCK',
      'PEKAO_LOCK',
    ]);
    const second = await locks('GET', `?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({ items: [{ lockReason: 'ZEN_LOCK' }], nextCursor: null });
    expect((await locks('GET', '?cursor=abcd')).body.title).toBe('INVALID_CURSOR');
    for (const reason of ['ZEN_LOCK', 'FENIGE_LOCK', 'PEKAO_LOCK']) await locks('DELETE', `/${reason}`);
  });

  it.each([
    ['an unknown reason', { lockReason: 'BECAUSE' }, 'lockReason'],
    ['a word that is no reason', { lockReason: 'a b' }, 'lockReason'],
    ['an end of what does not end', { lockReason: 'ZEN_LOCK', until: '2031-01-01T00:00:00Z' }, 'until'],
    ['an end in the past', { lockReason: 'TEMPORARY_LOCKED', until: '2001-01-01T00:00:00Z' }, 'until'],
    ['a long note', { lockReason: 'ZEN_LOCK', note: 'n'.repeat(501) }, 'note'],
    ['an origin', { lockReason: 'ZEN_LOCK', origin: 'OPERATOR' }, 'origin'],
  ])('400: %s', async (_name, body, field) => {
    const answer = await add(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((one: { field: string }) => one.field)).toEqual([field]);
    expect((await locks('GET')).body.items).toEqual([]);
  });

  it("404 and 422: what nobody holds, and what is another's", async () => {
    const missing = await locks('DELETE', '/ZEN_LOCK');
    expect([missing.status, missing.body.title]).toEqual([404, 'LOCK_REASON_NOT_FOUND']);
    await api.owner
      .insertInto('transactional_locks')
      .values({
        resource_type: 'user',
        resource_id: String(card.customerId),
        lock_reason: 'FRAUD_SUSPECTED',
        origin: 'SYSTEM',
        partner_id: 1,
        note: null,
        until: null,
      })
      .execute();
    const others = await locks('DELETE', '/FRAUD_SUSPECTED');
    expect([others.status, others.body.title]).toEqual([422, 'LOCK_REASON_NOT_REMOVABLE']);
  });
});

describe('transactional locks of a corporation', () => {
  it('stop its balances and postings, until the partner lifts its own', async () => {
    const id = await aCorporation(api);
    const locksOfIt = (method: string, tail = '', body?: object) =>
      api.call(method, `/lifecycle/v1/corporations/${id}/transactional-locks${tail}`, {
        headers: { 'Issuer-Code': 'sandbox' },
        ...(body === undefined ? {} : { body }),
      });
    const open = (currency: string) =>
      api.call('POST', '/secure/balances', { body: { currency, dcCorporationId: id } });
    const { body: balance } = await open('EUR');
    const reload = async () => {
      const answer = await api.call('POST', `/secure/balances/${balance.id}/reload`, {
        headers: { 'X-Idempotency-Key': randomUUID() },
        body: { amount: 100 },
      });
      return [answer.status, answer.body.title];
    };
    expect(await reload()).toEqual([201, undefined]);

    const added = await locksOfIt('POST', '', { lockReason: 'PROSECUTOR_LOCK', note: 'file 7' });
    expect([added.status, added.body.origin]).toEqual([201, 'PARTNER']);
    expect((await locksOfIt('GET')).body.items).toMatchObject([{ lockReason: 'PROSECUTOR_LOCK' }]);
    expect(await reload()).toEqual([422, 'AML_EXCEPTION']);
    const refused = await open('PLN');
    expect([refused.status, refused.body.title]).toEqual([422, 'TRANSACTIONAL_LOCK']);

    expect((await locksOfIt('DELETE', '/PROSECUTOR_LOCK')).status).toBe(204);
    expect((await locksOfIt('DELETE', '/PROSECUTOR_LOCK')).body.title).toBe('LOCK_REASON_NOT_FOUND');
    expect(await reload()).toEqual([201, undefined]);
  });
});
