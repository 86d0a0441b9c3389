import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBalance, aCard, aCustomer, encrypted, openAnswer } from '../support/builders.ts';
import { type ApiHarness, startApi } from '../support/harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi();
});

afterAll(async () => {
  await api.stop();
});

const CONFIG = '0019167984';

const create = async (customerId: number, body: object, headers: Record<string, string> = {}) =>
  await api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
    headers: { ...encrypted, ...headers },
    body,
  });

describe('POST /secure/customers/{customerId}/cards/virtual', () => {
  it('201: answers the card encrypted to the caller, on both path forms', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const first = await create(customerId, { balanceId, configId: CONFIG });
    expect(first.status).toBe(201);
    expect(Object.keys(first.body)).toEqual(['payload']);
    const card = await openAnswer(first);
    expect(card).toMatchObject({
      kind: 'VIRTUAL',
      state: 'ACTIVE',
      configId: CONFIG,
      balanceId,
      dcUserId: customerId,
      cardNo: expect.stringMatching(/^5555440[0-9]{9}$/),
      cvv: expect.stringMatching(/^[0-9]{3}$/),
      exp: expect.stringMatching(/^20[0-9]{2}-[0-9]{2}-[0-9]{2}$/),
      type: String(card['id']),
    });
    expect(card['lastFourDigits']).toBe(String(card['cardNo']).slice(-4));

    const second = await api.call('POST', '/secure/cards/virtual', {
      headers: encrypted,
      body: { balanceId, configId: CONFIG, dcUserId: customerId },
    });
    expect(second.status).toBe(201);
    expect((await openAnswer(second))['cardNo']).not.toBe(card['cardNo']);
  });

  it('201 again: the same idempotency key gives the same card, encrypted anew', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const headers = { 'X-Idempotency-Key': `card-${customerId}` };
    const first = await create(customerId, { balanceId, configId: CONFIG }, headers);
    const again = await create(customerId, { balanceId, configId: CONFIG }, headers);
    expect(again.status).toBe(201);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.body.payload).not.toBe(first.body.payload);
    expect(await openAnswer(again)).toEqual(await openAnswer(first));
    const { rows } = await cardsOf(customerId);
    expect(rows).toBe(1);
  });

  it('422 IDEMPOTENCY_KEY_REUSED: the key with another body', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const headers = { 'X-Idempotency-Key': `card-other-${customerId}` };
    await create(customerId, { balanceId, configId: CONFIG }, headers);
    const other = await create(customerId, { balanceId, configId: CONFIG, label: 'x' }, headers);
    expect([other.status, other.body.title]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('400 ENCRYPTION_REQUIRED: without the headers, and no card is made', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const answer = await api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
      body: { balanceId, configId: CONFIG },
    });
    expect([answer.status, answer.body.title]).toEqual([400, 'ENCRYPTION_REQUIRED']);
    expect((await cardsOf(customerId)).rows).toBe(0);
  });

  it('400 VALIDATION_ERROR: all faults of the body in one answer', async () => {
    const customerId = await aCustomer(api);
    const answer = await create(customerId, { balanceId: 'x', configId: 12, colour: 'red', dcUserId: 0 });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((one: { field: string }) => one.field).toSorted()).toEqual([
      'balanceId',
      'colour',
      'configId',
      'dcUserId',
    ]);
  });

  it('400: dcUserId that differs from the path user', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const answer = await create(customerId, { balanceId, configId: CONFIG, dcUserId: customerId + 1 });
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'dcUserId']);
  });

  it('404: unknown product, unknown user, balance of somebody else', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const strangers = await aBalance(api, await aCustomer(api));
    const product = await create(customerId, { balanceId, configId: '1' });
    const user = await create(999_999_999, { balanceId, configId: CONFIG });
    const balance = await create(customerId, { balanceId: strangers, configId: CONFIG });
    expect([product.body.title, user.body.title, balance.body.title]).toEqual([
      'CARD_PRODUCT_NOT_FOUND',
      'USER_NOT_FOUND',
      'BALANCE_NOT_FOUND',
    ]);
    expect([product.status, user.status, balance.status]).toEqual([404, 404, 404]);
  });

  it('422: physical product, and more cards than the balance may have', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const physical = await create(customerId, { balanceId, configId: '0019167985' });
    expect([physical.status, physical.body.title]).toEqual([422, 'CARD_PRODUCT_MISMATCH']);
    for (let made = 0; made < 10; made += 1) {
      expect((await create(customerId, { balanceId, configId: CONFIG })).status).toBe(201);
    }
    const eleventh = await create(customerId, { balanceId, configId: CONFIG });
    expect([eleventh.status, eleventh.body.title]).toEqual([422, 'CARD_LIMIT_REACHED']);
  });

  it('503 PROCESSOR_UNAVAILABLE: a silent processor, then the same key gives the one card', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    await api.processorControl('/simulator/faults', {
      direction: 'fromPlatform',
      message: 'generateVirtualCard',
      kind: 'status',
      count: 100,
      params: { code: 503 },
    });
    const headers = { 'X-Idempotency-Key': `silent-${customerId}` };
    const first = await create(customerId, { balanceId, configId: CONFIG }, headers);
    expect([first.status, first.body.title]).toEqual([503, 'PROCESSOR_UNAVAILABLE']);
    await api.processorControl('/simulator/faults', undefined, 'DELETE');
    const again = await create(customerId, { balanceId, configId: CONFIG }, headers);
    expect(again.status).toBe(201);
    expect((await cardsOf(customerId)).rows).toBe(1);
  });
});

describe('GET /secure/customers/{customerId}/cards/{cardId}', () => {
  it('200: full data, encrypted, equal to what creation answered', async () => {
    const { customerId, cardId } = await aCard(api);
    const answer = await api.call('GET', `/secure/customers/${customerId}/cards/${cardId}`, {
      headers: encrypted,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(await openAnswer(answer)).toMatchObject({
      id: cardId,
      cardNo: expect.any(String),
      cvv: expect.any(String),
    });
  });

  it('leaves an audit row and an access row for each read', async () => {
    const { customerId, cardId } = await aCard(api);
    const reads = async () =>
      await api.owner
        .selectFrom('audit_log')
        .select('id')
        .where('action', '=', 'card.read')
        .where('object_id', '=', String(cardId))
        .execute();
    const before = (await reads()).length;
    await api.call('GET', `/secure/cards/${cardId}`, { headers: encrypted });
    expect((await reads()).length).toBe(before + 1);
    expect(customerId).toBeGreaterThan(0);
  });

  it('400 ENCRYPTION_REQUIRED: no card is read', async () => {
    const { cardId } = await aCard(api);
    const answer = await api.call('GET', `/secure/cards/${cardId}`);
    expect([answer.status, answer.body.title]).toEqual([400, 'ENCRYPTION_REQUIRED']);
  });

  it("404: another user's card, and another partner's, exactly as a missing one", async () => {
    const { cardId } = await aCard(api);
    const stranger = await aCustomer(api);
    const missing = await api.call('GET', '/secure/cards/999999999', { headers: encrypted });
    const foreignUser = await api.call('GET', `/secure/customers/${stranger}/cards/${cardId}`, {
      headers: encrypted,
    });
    const foreignPartner = await api.call('GET', `/secure/cards/${cardId}`, {
      as: 'other',
      headers: encrypted,
    });
    expect(missing.body).toEqual({ title: 'CARD_NOT_FOUND', detail: expect.any(String) });
    expect(foreignUser.body).toEqual(missing.body);
    expect(foreignPartner.body).toEqual(missing.body);
  });

  it("404: a card of another programme than the header's", async () => {
    const { cardId } = await aCard(api);
    const answer = await api.call('GET', `/secure/cards/${cardId}`, {
      headers: { ...encrypted, 'Issuer-Code': 'credit' },
    });
    expect(answer.status).toBe(404);
  });
});

describe('lock and unlock', () => {
  it('204: locked with code or constant, seen by the next read, told to processor and partner', async () => {
    const { customerId, cardId } = await aCard(api);
    expect(
      (
        await api.call('POST', `/secure/customers/${customerId}/cards/${cardId}/lock`, {
          body: { reason: 3 },
        })
      ).status,
    ).toBe(204);
    const summary = await api.call('GET', `/secure/cards/${cardId}/summary`);
    expect(summary.body).toMatchObject({
      state: 'LOCKED',
      lock: { code: 3, reason: 'PENDING_QUERY', irreversible: false },
    });
    const outbox = await api.owner
      .selectFrom('outbox')
      .select(['kind', 'data'])
      .where('order_key', 'in', [`card:${cardId}`, `processor-instruction:${cardId}`])
      .orderBy('id')
      .execute();
    expect(outbox.map((row) => row.kind)).toEqual(['processor-instruction', 'cardLocked']);

    expect(
      (
        await api.call('POST', `/lifecycle/v1/cards/${cardId}/unlock`, {
          headers: { 'Issuer-Code': 'sandbox' },
        })
      ).status,
    ).toBe(204);
    expect((await api.call('GET', `/secure/cards/${cardId}/summary`)).body).toMatchObject({
      state: 'ACTIVE',
      lock: null,
    });
  });

  it('204 without effect: the same lock again', async () => {
    const { cardId } = await aCard(api);
    for (const reason of [7, 'suspected_fraud']) {
      expect((await api.call('POST', `/secure/cards/${cardId}/lock`, { body: { reason } })).status).toBe(204);
    }
    const locks = await api.owner
      .selectFrom('card_locks')
      .select('lock_id')
      .where('card_id', '=', cardId)
      .execute();
    expect(locks).toHaveLength(1);
  });

  it('422 LOCK_IRREVERSIBLE: lost and stolen stay, and full data is closed', async () => {
    const { cardId } = await aCard(api);
    await api.call('POST', `/secure/cards/${cardId}/lock`, { body: { reason: 'CARD_LOST' } });
    await api.call('POST', `/secure/cards/${cardId}/lock`, { body: { reason: 3 } });
    const answer = await api.call('POST', `/secure/cards/${cardId}/unlock`);
    expect([answer.status, answer.body.title]).toEqual([422, 'LOCK_IRREVERSIBLE']);
    const locks = await api.owner
      .selectFrom('card_locks')
      .select('code')
      .where('card_id', '=', cardId)
      .where('lifted_at', 'is', null)
      .execute();
    expect(locks).toHaveLength(2);
    const data = await api.call('GET', `/secure/cards/${cardId}`, { headers: encrypted });
    expect([data.status, data.body.title]).toEqual([409, 'CARD_DATA_UNAVAILABLE']);
  });

  it('409 CARD_NOT_LOCKED', async () => {
    const { cardId } = await aCard(api);
    const answer = await api.call('POST', `/secure/cards/${cardId}/unlock`);
    expect([answer.status, answer.body.title]).toEqual([409, 'CARD_NOT_LOCKED']);
  });

  it.each([
    {},
    { reason: 9 },
    { reason: 10 },
    { reason: 'NOTHING' },
    { reason: 3, code: 3 },
    { reason: null },
  ])('400: %j is no lock', async (body) => {
    const { cardId } = await aCard(api);
    const answer = await api.call('POST', `/secure/cards/${cardId}/lock`, { body });
    expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
  });
});

async function cardsOf(customerId: number): Promise<{ rows: number }> {
  const rows = await api.owner
    .selectFrom('cards')
    .select('card_id')
    .where('customer_id', '=', customerId)
    .execute();
  return { rows: rows.length };
}
