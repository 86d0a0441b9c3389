import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { lockReasonPlace, readCustomer } from '../../db/customers.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import { engineCaller } from '../support/customers.ts';
import { aCard, aCustomer, aPerson, topUp } from '../support/builders.ts';
import { aPurchase, read } from '../support/card-traffic.ts';
import { type ApiHarness, type CallOptions, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
}, 120_000);
afterAll(() => api.stop());

const call = (method: string, path: string, body?: object, options: CallOptions = {}) =>
  api.call(method, `/lifecycle/v1${path}`, {
    ...options,
    headers: { 'Issuer-Code': 'sandbox', ...options.headers },
    ...(body === undefined ? {} : { body }),
  });

const create = async (changes: object = {}): Promise<number> => {
  const answer = await call('POST', '/users', aPerson({ ...changes }));
  expect(answer.status).toBe(201);
  return answer.body.id as number;
};

const stateOf = async (userId: number): Promise<string> =>
  (await call('GET', `/users/${userId}`)).body.state as string;

const titleOf = (answer: { status: number; body: { title?: string } | null }) => [
  answer.status,
  answer.body?.title,
];

const address = { street: 'Polna', number: '17a', city: 'Lublin', postCode: '20-128', country: 'pl' };

describe('lock and unlock of a user', () => {
  it.each(['UNVERIFIED', 'VERIFIED'])(
    'keep the earlier state %s, however often they are asked',
    async (state) => {
      const userId = await create({ state });
      for (const [action, expected] of [
        ['lock', 'LOCKED'],
        ['lock', 'LOCKED'],
        ['unlock', state],
        ['unlock', state],
      ] as const) {
        const answer = await call('POST', `/users/${userId}/${action}`);
        expect([answer.status, answer.text, await stateOf(userId)]).toEqual([204, '', expected]);
      }
    },
  );

  it('stop and start authorizations, postings, new balances and cards', async () => {
    const card = await aCard(api);
    await topUp(api, card, 10_000);
    const { processor_card_id: processorCardId } = await api.owner
      .selectFrom('cards')
      .select('processor_card_id')
      .where('card_id', '=', card.cardId)
      .executeTakeFirstOrThrow();
    const pay = async () => {
      const answer = await api.call('POST', '/processor/authorizations', {
        as: 'processor',
        body: aPurchase({ ...card, processorCardId: processorCardId ?? '' }, 100),
      });
      return read({ answer: answer.text }).reason ?? 'APPROVED';
    };
    await call('POST', `/users/${card.customerId}/lock`, { reason: 'lost phone' });
    expect(await pay()).toBe('CUSTOMER_LOCKED');
    expect(titleOf(await topUp(api, card, 100))).toEqual([422, 'CUSTOMER_NOT_FOUND']);
    const balance = await api.call('POST', `/secure/customers/${card.customerId}/balances`, {
      body: { currency: 'EUR' },
    });
    expect(titleOf(balance)).toEqual([422, 'USER_NOT_ACTIVE']);
    await call('POST', `/users/${card.customerId}/unlock`);
    expect(await pay()).toBe('APPROVED');
    expect((await topUp(api, card, 100)).status).toBe(201);
  });

  it('leave an audit row each, with the reason for nobody but who has the key of the user', async () => {
    const userId = await create();
    const reason = 'Mrs Ada Nowak called';
    await call('POST', `/users/${userId}/lock`, { reason });
    await call('POST', `/users/${userId}/unlock`);
    const rows = await api.owner
      .selectFrom('audit_log')
      .select(['action', 'before', 'after'])
      .where('object_id', '=', String(userId))
      .where('object_type', '=', 'customer')
      .orderBy('id')
      .execute();
    expect(rows.slice(1)).toEqual([
      {
        action: 'customer.locked',
        before: { state: 'VERIFIED' },
        after: { state: 'LOCKED', reason: expect.any(String) },
      },
      { action: 'customer.unlocked', before: { state: 'LOCKED' }, after: { state: 'VERIFIED' } },
    ]);
    expect(JSON.stringify(rows)).not.toContain('Nowak');
    const customer = await atomically(api.owner, engineCaller, (trx) => readCustomer(trx, 'every', userId));
    const { subjectKey } = customer;
    const sealed = Buffer.from((rows[1]?.after as { reason: string }).reason, 'base64');
    const place = lockReasonPlace(subjectKey.subjectId);
    expect(openPersonal(api.vault, subjectKey, place, sealed)).toBe(reason);
  });

  it.each(['', 'x'.repeat(256)])('400: a reason has 1 to 255 characters', async (reason) => {
    expect(titleOf(await call('POST', `/users/${await create()}/lock`, { reason }))).toEqual([
      400,
      'VALIDATION_ERROR',
    ]);
  });

  it('409 for a deleted user, 404 for none', async () => {
    const userId = await create();
    await call('DELETE', `/users/${userId}`);
    for (const action of ['lock', 'unlock']) {
      expect(titleOf(await call('POST', `/users/${userId}/${action}`))).toEqual([409, 'STATE_CONFLICT']);
      expect(titleOf(await call('POST', `/users/999999999/${action}`))).toEqual([404, 'USER_NOT_FOUND']);
    }
  });
});

describe('deleting a user', () => {
  it('shows only that there was one, and frees phone, e-mail and externalId', async () => {
    const person = aPerson({ externalId: `c-${randomUUID()}` });
    const { id } = (await call('POST', '/users', person)).body;
    await call('PUT', `/users/${id}/addresses/RESIDENCE`, address);
    expect((await call('DELETE', `/users/${id}`)).status).toBe(204);
    expect((await call('DELETE', `/wallet/${id}`)).status).toBe(204);
    const externalId = person['externalId'];
    expect((await call('GET', `/users/${id}`)).body).toEqual({ id, state: 'DELETED', externalId });
    expect((await call('GET', `/users/${id}/addresses`)).body.items).toEqual([]);
    expect(titleOf(await call('PUT', `/users/${id}`, { firstName: 'Eva' }))).toEqual([409, 'STATE_CONFLICT']);
    expect(titleOf(await call('PUT', `/users/${id}/addresses/RESIDENCE`, address))).toEqual([
      409,
      'STATE_CONFLICT',
    ]);
    expect((await call('POST', '/users', person)).status).toBe(201);
  });

  it('409 while a balance has money, or a hold; nothing is changed', async () => {
    const card = await aCard(api);
    await topUp(api, card, 500);
    expect(titleOf(await call('DELETE', `/users/${card.customerId}`))).toEqual([409, 'BALANCE_NOT_EMPTY']);
    const put = (values: { posted: number; held: number; forced_since: Date | null }) =>
      api.owner.updateTable('balances').set(values).where('balance_id', '=', card.balanceId).execute();
    await put({ posted: 0, held: 5, forced_since: new Date() });
    expect(titleOf(await call('DELETE', `/users/${card.customerId}`))).toEqual([409, 'BALANCE_HAS_HOLDS']);
    expect(await stateOf(card.customerId)).toBe('VERIFIED');
    await put({ posted: 0, held: 0, forced_since: null });
    expect((await call('DELETE', `/users/${card.customerId}`)).status).toBe(204);
  });

  it('503 while a balance is at the partner, which cannot be asked', async () => {
    const card = await aCard(api);
    await api.owner
      .updateTable('balances')
      .set({ holder: 'external' })
      .where('balance_id', '=', card.balanceId)
      .execute();
    expect(titleOf(await call('DELETE', `/users/${card.customerId}`))).toEqual([503, 'PARTNER_UNAVAILABLE']);
  });

  it('racing a top-up leaves no money with a deleted user', async () => {
    for (let round = 0; round < 5; round += 1) {
      const card = await aCard(api);
      const [removed, posted] = await Promise.all([
        call('DELETE', `/users/${card.customerId}`),
        topUp(api, card, 100),
      ]);
      expect([
        [204, 422],
        [409, 201],
      ]).toContainEqual([removed.status, posted.status]);
    }
  });
});

describe('addresses of a user', () => {
  it('are one of each type: 201 new, 200 replaced, 204 deleted, 404 gone', async () => {
    const userId = await create();
    const path = `/users/${userId}/addresses`;
    const first = await call('PUT', `${path}/delivery`, { ...address, apartment: '4', region: 'Lubelskie' });
    const stored = { type: 'DELIVERY', ...address, country: 'PL', apartment: '4', region: 'Lubelskie' };
    expect([first.status, first.body]).toEqual([201, stored]);
    const second = await call('POST', path, { ...address, type: 'DELIVERY', city: 'Krosno' });
    expect([second.status, second.body.city, second.body.apartment]).toEqual([200, 'Krosno', null]);
    expect((await call('POST', path, { ...address, type: 'residence' })).status).toBe(201);
    const { items } = (await call('GET', path)).body;
    expect(items.map((one: { type: string; city: string }) => [one.type, one.city])).toEqual([
      ['DELIVERY', 'Krosno'],
      ['RESIDENCE', 'Lublin'],
    ]);
    expect((await call('DELETE', `${path}/DELIVERY`)).status).toBe(204);
    expect(titleOf(await call('DELETE', `${path}/DELIVERY`))).toEqual([404, 'ADDRESS_NOT_FOUND']);
  });

  it('are stored sealed', async () => {
    const userId = await create();
    await call('PUT', `/users/${userId}/addresses/RESIDENCE`, { ...address, street: 'Secretstreet' });
    const row = await api.owner
      .selectFrom('customer_addresses')
      .select('address')
      .where('customer_id', '=', userId)
      .executeTakeFirstOrThrow();
    expect(row.address.includes('Secretstreet')).toBe(false);
  });

  it.each<[string, object, string]>([
    ['an unknown type', { type: 'OFFICE' }, 'type'],
    ['no type', {}, 'type'],
    ['no street', { type: 'RESIDENCE', street: undefined }, 'street'],
    ['a post code with a dot', { type: 'RESIDENCE', postCode: '20.128' }, 'postCode'],
    ['a country that is none', { type: 'RESIDENCE', country: 'XX' }, 'country'],
  ])('400: %s', async (_what, changes, field) => {
    const answer = await call('POST', `/users/${await create()}/addresses`, { ...address, ...changes });
    expect([answer.status, answer.body.errors.map((one: { field: string }) => one.field)]).toEqual([
      400,
      [field],
    ]);
  });

  it('400: path and body do not both name the type', async () => {
    const path = `/users/${await create()}/addresses/RESIDENCE`;
    expect((await call('PUT', path, { ...address, type: 'RESIDENCE' })).status).toBe(400);
  });
});

describe('the list of users', () => {
  it('does not find a deleted one by phone or e-mail, but by externalId', async () => {
    const person = aPerson({ externalId: `c-${randomUUID()}` });
    const { id } = (await call('POST', '/users', person)).body;
    const found = async (query: string) =>
      (await call('GET', `/users?${query}`)).body.items.map((one: { id: number }) => one.id);
    const [byPhone, byEmail] = [`phone=${String(person['phone'])}`, `email=${String(person['email'])}`];
    expect([await found(byPhone), await found(byEmail)]).toEqual([[id], [id]]);
    await call('DELETE', `/users/${id}`);
    expect([await found(byPhone), await found(byEmail)]).toEqual([[], []]);
    expect(await found(`externalId=${String(person['externalId'])}`)).toEqual([id]);
  });

  it('filters by phone, email, externalId, state and kyc, and goes on with its cursor', async () => {
    const person = aPerson({ externalId: `l-${randomUUID()}` });
    const { id } = (await call('POST', '/users', person)).body;
    await aCustomer(api);
    const ids = async (query: string) =>
      (await call('GET', `/users?${query}`)).body.items.map((one: { id: number }) => one.id);
    for (const name of ['phone', 'email', 'externalId']) {
      expect(await ids(`${name}=${encodeURIComponent(String(person[name]))}`)).toEqual([id]);
    }
    await call('POST', `/users/${id}/lock`);
    expect(await ids('state=LOCKED&limit=1')).toEqual([id]);
    expect(await ids('state=LOCKED&kyc=FAILED')).toEqual([]);
    const first = await call('GET', '/users?limit=1');
    const second = await call('GET', `/users?limit=1&cursor=${first.body.nextCursor}`);
    expect(second.body.items[0].id).toBeLessThan(first.body.items[0].id);
    expect(titleOf(await call('GET', `/users?limit=1&state=LOCKED&cursor=${first.body.nextCursor}`))).toEqual(
      [400, 'INVALID_CURSOR'],
    );
  });
});
