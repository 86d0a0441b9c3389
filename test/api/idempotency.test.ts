import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBalance, aCard, aCustomer, aPerson, encrypted, openAnswer } from '../support/builders.ts';
import { type ApiHarness, type CallOptions, type HttpAnswer, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const sandbox = { 'Issuer-Code': 'sandbox' };
const aKey = () => ({ 'X-Idempotency-Key': randomUUID() });

const wallet = (body: unknown, headers: Record<string, string>, options: CallOptions = {}) =>
  api.call('POST', '/lifecycle/v1/wallet', { body, ...options, headers: { ...sandbox, ...headers } });

const balance = (customerId: number, headers: Record<string, string>, body: unknown = { currency: 'EUR' }) =>
  api.call('POST', `/secure/customers/${customerId}/balances`, { body, headers });

const result = (answer: HttpAnswer) => [answer.status, answer.body?.title];
const replayed = (answer: HttpAnswer) => answer.headers['idempotency-replayed'] === 'true';

const balancesOf = async (customerId: number): Promise<number> =>
  (
    await api.owner
      .selectFrom('balances')
      .select('balance_id')
      .where('customer_id', '=', customerId)
      .execute()
  ).length;

describe('the key', () => {
  it.each([randomUUID(), '!', '~', 'a/b?c=d', 'x'.repeat(255)])('%j is a key', async (key) => {
    const customerId = await aCustomer(api);
    const headers = { 'X-Idempotency-Key': key };
    expect((await balance(customerId, headers)).status).toBe(201);
    expect(replayed(await balance(customerId, headers))).toBe(true);
  });

  it.each(['', ' ', 'a b', 'x'.repeat(256), 'ü', 'a\tb'])('400 VALIDATION_ERROR: %j is none', async (key) => {
    const customerId = await aCustomer(api);
    const answer = await balance(customerId, { 'X-Idempotency-Key': key });
    expect(result(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors).toEqual([
      { field: 'X-Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' },
    ]);
    expect(await balancesOf(customerId)).toBe(0);
  });

  it('faults of path and query come before it, those of the body after it', async () => {
    const wrong = { 'X-Idempotency-Key': 'a b' };
    const fieldOf = (answer: HttpAnswer) => answer.body.errors.map((one: { field: string }) => one.field);
    expect(
      fieldOf(await api.call('POST', '/secure/customers/x/balances', { headers: wrong, body: {} })),
    ).toEqual(['customerId']);
    expect(fieldOf(await balance(1, wrong, {}))).toEqual(['X-Idempotency-Key']);
    expect(fieldOf(await balance(1, aKey(), {}))).toEqual(['currency']);
  });

  it('is ignored on GET, even a wrong one', async () => {
    const customerId = await aCustomer(api);
    const path = `/secure/customers/${customerId}/balances`;
    for (const key of ['k', 'a b']) {
      const answer = await api.call('GET', path, { headers: { 'X-Idempotency-Key': key } });
      expect([answer.status, replayed(answer)]).toEqual([200, false]);
    }
  });
});

describe('same key, same request', () => {
  it('201 again: status, body and Location as they were; only the request id is new', async () => {
    const [key, body] = [aKey(), aPerson()];
    const first = await wallet(body, key);
    const again = await wallet(body, key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers['location']).toBe(`/lifecycle/v1/users/${first.body.id}`);
    expect([replayed(first), replayed(again)]).toEqual([false, true]);
    expect(again.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
  });

  it('201 again: members in another order, the same value in other words', async () => {
    const key = aKey();
    const body = aPerson();
    await wallet(body, key);
    const entries = Object.entries({ ...body, phone: `+${String(body['phone'])}`, state: 'verified' });
    const again = await wallet(Object.fromEntries(entries.toReversed()), key);
    expect(replayed(again)).toBe(true);
  });

  it('201 again: encrypted or plain is no difference, nor is the certificate', async () => {
    const customerId = await aCustomer(api);
    const key = aKey();
    const first = await balance(customerId, key);
    const again = await balance(customerId, { ...key, ...encrypted });
    expect(replayed(again)).toBe(true);
    expect(await openAnswer(again)).toEqual(first.body);
    const { partner_id: partnerId } = await api.owner
      .selectFrom('partners')
      .select('partner_id')
      .where('code', '=', 'demo')
      .executeTakeFirstOrThrow();
    const as = await api.addClient({ label: 'renewed', scopes: ['partner'], partnerId });
    const renewed = await api.call('POST', `/secure/customers/${customerId}/balances`, {
      as,
      headers: key,
      body: { currency: 'EUR' },
    });
    expect(renewed.text).toBe(first.text);
  });

  it('204 again: an empty answer, and no second effect', async () => {
    const { cardId } = await aCard(api);
    const key = aKey();
    const lock = () =>
      api.call('POST', `/secure/cards/${cardId}/lock`, { headers: key, body: { reason: 3 } });
    expect((await lock()).status).toBe(204);
    expect((await api.call('POST', `/secure/cards/${cardId}/unlock`)).status).toBe(204);
    const again = await lock();
    expect([again.status, again.text, replayed(again)]).toEqual([204, '', true]);
    expect((await api.call('GET', `/secure/cards/${cardId}/summary`)).body.state).toBe('ACTIVE');
  });

  it('409 and 422 again: what was refused for its state stays refused', async () => {
    const { cardId } = await aCard(api);
    const unlockKey = aKey();
    const unlock = () => api.call('POST', `/secure/cards/${cardId}/unlock`, { headers: unlockKey });
    expect(result(await unlock())).toEqual([409, 'CARD_NOT_LOCKED']);
    await api.call('POST', `/secure/cards/${cardId}/lock`, { body: { reason: 3 } });
    const conflict = await unlock();
    expect([...result(conflict), replayed(conflict)]).toEqual([409, 'CARD_NOT_LOCKED', true]);

    const customerId = await aCustomer(api);
    const key = aKey();
    const first = await balance(customerId, key, { currency: 'PLN' });
    const again = await balance(customerId, key, { currency: 'PLN' });
    expect(result(first)).toEqual([422, 'CURRENCY_NOT_SUPPORTED']);
    expect([again.status, again.text, replayed(again)]).toEqual([422, first.text, true]);
  });

  it('a refusal that is kept has undone its effect', async () => {
    const body = aPerson();
    expect((await wallet(body, aKey())).status).toBe(201);
    const before = await api.owner.selectFrom('subject_keys').select('subject_id').execute();
    const key = aKey();
    expect(result(await wallet(body, key))).toEqual([409, 'PHONE_ALREADY_REGISTERED']);
    expect(replayed(await wallet(body, key))).toBe(true);
    expect(await api.owner.selectFrom('subject_keys').select('subject_id').execute()).toEqual(before);
  });

  it('400, 401, 403, 404, 413 and 415 keep the key free', async () => {
    const customerId = await aCustomer(api);
    const key = aKey();
    const path = `/secure/customers/${customerId}/balances`;
    const send = (options: CallOptions) =>
      api.call('POST', path, {
        body: { currency: 'EUR' },
        ...options,
        headers: { ...key, ...options.headers },
      });
    const refused = [
      await send({ body: { currency: 5 } }),
      await send({ body: '{' }),
      await send({ as: 'revoked' }),
      await send({ headers: { 'Issuer-Code': 'other' } }),
      await send({ headers: { 'Issuer-Code': 'credit' } }),
      await send({ body: ' '.repeat(70_000) }),
      await send({ headers: { 'Content-Type': 'text/plain' } }),
    ];
    expect(refused.map((answer) => answer.status)).toEqual([400, 400, 401, 403, 404, 413, 415]);
    expect((await send({})).status).toBe(201);
    expect(await balancesOf(customerId)).toBe(1);
  });

  it('503 keeps the key free', async () => {
    const customerId = await aCustomer(api, 'external');
    const key = aKey();
    expect((await balance(customerId, key)).status).toBe(503);
    const again = await balance(customerId, key);
    expect([again.status, replayed(again)]).toEqual([503, false]);
  });
});

describe('same key, other request', () => {
  it('422 IDEMPOTENCY_KEY_REUSED: another body, and the first answer still stands', async () => {
    const [key, body] = [aKey(), aPerson()];
    const first = await wallet(body, key);
    expect(result(await wallet({ ...body, firstName: 'Eve' }, key))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await wallet(body, key)).text).toBe(first.text);
  });

  it('422 IDEMPOTENCY_KEY_REUSED: another path parameter', async () => {
    const [one, other] = [await aCustomer(api), await aCustomer(api)];
    const key = aKey();
    await balance(one, key);
    expect(result(await balance(other, key))).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await balancesOf(other)).toBe(0);
  });

  it('an alias is the same route; another route, programme or partner is not', async () => {
    const [key, body] = [aKey(), aPerson()];
    const first = await wallet(body, key);
    const alias = await api.call('POST', '/lifecycle/v1/users', { headers: { ...sandbox, ...key }, body });
    expect([alias.text, replayed(alias)]).toEqual([first.text, true]);

    const customerId = first.body.id as number;
    const otherRoute = await balance(customerId, key);
    expect([otherRoute.status, replayed(otherRoute)]).toEqual([201, false]);

    const otherProgramme = await wallet(body, { ...key, 'Issuer-Code': 'credit' });
    expect([otherProgramme.status, replayed(otherProgramme)]).toEqual([201, false]);
    const otherPartner = await wallet(body, { ...key, 'Issuer-Code': 'other' }, { as: 'other' });
    expect([otherPartner.status, replayed(otherPartner)]).toEqual([201, false]);
    const ids = [first, otherProgramme, otherPartner].map((answer) => answer.body.id);
    expect(new Set(ids).size).toBe(3);
  });

  it('lock and unlock of one card do not share a key', async () => {
    const { cardId } = await aCard(api);
    const headers = aKey();
    const lock = await api.call('POST', `/secure/cards/${cardId}/lock`, { headers, body: { reason: 3 } });
    const unlock = await api.call('POST', `/secure/cards/${cardId}/unlock`, { headers });
    expect([lock.status, unlock.status, replayed(unlock)]).toEqual([204, 204, false]);
  });
});

describe('same key at the same time', () => {
  it('one effect, one answer, for all twenty', async () => {
    const [key, body] = [aKey(), aPerson()];
    const answers = await Promise.all(Array.from({ length: 20 }, () => wallet(body, key)));
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.filter((answer) => !replayed(answer))).toHaveLength(1);
  });

  it('one effect, though every second request says something else', async () => {
    const customers = [await aCustomer(api), await aCustomer(api)];
    const key = aKey();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_none, index) => balance(customers[index % 2] as number, key)),
    );
    const made = (await balancesOf(customers[0] as number)) + (await balancesOf(customers[1] as number));
    expect(made).toBe(1);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(5);
    expect(answers.filter((answer) => answer.body.title === 'IDEMPOTENCY_KEY_REUSED')).toHaveLength(5);
  });

  it('409 IDEMPOTENCY_IN_PROGRESS with Retry-After: the first one still runs; then its answer', async () => {
    const customerId = await aCustomer(api);
    const key = aKey();
    const first = await balance(customerId, key);
    const held = await api.owner.transaction().execute(async (trx) => {
      await sql`select from idempotency_keys where key = ${key['X-Idempotency-Key']} for update`.execute(trx);
      return await balance(customerId, key);
    });
    expect(result(held)).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
    expect(held.headers['retry-after']).toBe('1');
    expect((await balance(customerId, key)).text).toBe(first.text);
  });

  it('409 IDEMPOTENCY_IN_PROGRESS: a card that the processor is still making', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const key = aKey();
    const create = () =>
      api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
        headers: { ...encrypted, ...key },
        body: { balanceId, configId: api.demo.programmes['sandbox']?.configIds['virtual'] },
      });
    const answers = await Promise.all(Array.from({ length: 5 }, create));
    const made = answers.filter((answer) => answer.status === 201);
    const waiting = answers.filter((answer) => answer.status === 409);
    expect(made.length + waiting.length).toBe(5);
    expect(made.length).toBeGreaterThanOrEqual(1);
    for (const answer of waiting) {
      expect([answer.body.title, answer.headers['retry-after']]).toEqual(['IDEMPOTENCY_IN_PROGRESS', '1']);
    }
    const again = await create();
    expect([again.status, replayed(again)]).toEqual([201, true]);
    const ids = await Promise.all([...made, again].map(async (answer) => (await openAnswer(answer))['id']));
    expect(new Set(ids).size).toBe(1);
  });
});

describe('what is stored', () => {
  it('answers are sealed: no name, phone or address in the table', async () => {
    const body = aPerson({ firstName: 'Wilhelmina', lastName: 'Uniquename' });
    await wallet(body, aKey());
    const rows = await api.owner.selectFrom('idempotency_keys').selectAll().execute();
    expect(rows.filter((row) => row.body !== null).length).toBeGreaterThan(0);
    const stored = rows.map((row) => `${row.scope} ${row.key} ${row.body?.toString('latin1') ?? ''}`).join();
    for (const value of ['Wilhelmina', 'Uniquename', String(body['phone']), String(body['email'])]) {
      expect(stored).not.toContain(value);
    }
  });

  it('404 CARD_NOT_FOUND: a replay of a card that was removed since', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const headers = { ...encrypted, ...aKey() };
    const create = () =>
      api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
        headers,
        body: { balanceId, configId: api.demo.programmes['sandbox']?.configIds['virtual'] },
      });
    const { id } = await openAnswer(await create());
    await api.owner
      .updateTable('cards')
      .set({ base_state: 'REMOVED' })
      .where('card_id', '=', id as number)
      .execute();
    expect(result(await create())).toEqual([404, 'CARD_NOT_FOUND']);
  });
});
