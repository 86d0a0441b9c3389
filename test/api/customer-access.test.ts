import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicChannels } from '../../api/channels.ts';
import {
  anAppUser,
  APP_PIN,
  type AppUser,
  appUserOf,
  asUser,
  enter,
  openOnDevice,
  toDevice,
} from '../support/app-users.ts';
import { aBalance, aCard, topUp } from '../support/builders.ts';
import {
  customerSamples,
  entrySamples,
  formOf,
  type CustomerSample,
  type NamedInApp,
} from '../support/customer-samples.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { anOperator } from '../support/operators.ts';
import { aJpeg } from '../support/pictures.ts';
import { allPaths, fill, type RoutePath } from '../support/route-paths.ts';
import { NOTHING_NAMED } from '../support/route-samples.ts';
import { type TableState, type TableWatch, watchTables } from '../support/table-state.ts';

const PATHS = allPaths(
  publicChannels.flatMap(({ name, prefix, routes }) =>
    routes.map((route) => ({ channel: name, prefix, route })),
  ),
);
const USER_PATHS = PATHS.filter((one) => one.channel === 'customers');
const ENTRY_PATHS = PATHS.filter((one) => one.channel === 'entry');
const named = (paths: readonly RoutePath[]) =>
  paths.map((path) => [`${path.method} ${path.path}`, path] as const);

const NOTHING: NamedInApp = {
  ...NOTHING_NAMED,
  deviceInstallationId: '11111111-1111-4111-8111-111111111111',
  sessionId: '11111111-1111-4111-8111-111111111111',
  id: '11111111-1111-4111-8111-111111111111',
};

let api: ApiHarness;
let tables: TableWatch;
let picture: Buffer;
let owned: NamedInApp;
let owner: AppUser;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  api = await startApi();
  tables = await watchTables(api.databaseUrls.adminUrl);
  picture = await aJpeg();
  ({ owned, owner } = await someoneWithEverything());
  await makeOtherTokens();
}, 120_000);

afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await tables.end();
  await api.stop();
});

async function someoneWithEverything(): Promise<{ owned: NamedInApp; owner: AppUser }> {
  const card = await aCard(api);
  const posted = await topUp(api, card, 10_000);
  const user = await appUserOf(api, card.customerId);
  await api.owner
    .updateTable('customer_sessions')
    .set({ step_up_until: new Date(Date.now() + 3_600_000) })
    .where('session_id', '=', user.sessionId)
    .execute();
  const asked = await asUser(api, user.token, 'POST', '/me/contact-changes', {
    body: { phone: '48999888777' },
  });
  const second = await appUserOf(api, card.customerId);
  const verified = await asUser(api, user.token, 'POST', '/me/register', { form: formOf(picture) });
  return {
    owner: user,
    owned: {
      ...NOTHING,
      ...card,
      otherBalanceId: await aBalance(api, card.customerId),
      transactionId: posted.body.id,
      deviceInstallationId: second.installationId,
      sessionId: second.sessionId,
      id: asked.body.id,
      verificationId: verified.body.verificationId,
    },
  };
}

async function makeOtherTokens(): Promise<void> {
  const { owner: db } = api;
  const stepUp = { step_up_until: new Date(Date.now() + 3_600_000) };
  for (const [name, user] of [
    ['stranger', await anAppUser(api)],
    ['of another partner', await anAppUser(api, 'other')],
  ] as const) {
    tokens[name] = user.token;
    await db.updateTable('customer_sessions').set(stepUp).where('session_id', '=', user.sessionId).execute();
  }
  const expired = await anAppUser(api);
  tokens['expired'] = expired.token;
  await db
    .updateTable('customer_sessions')
    .set({ last_used_at: new Date(Date.now() - 601_000) })
    .where('session_id', '=', expired.sessionId)
    .execute();
  const locked = await anAppUser(api);
  tokens['locked'] = locked.token;
  await db
    .updateTable('customers')
    .set({ state: 'LOCKED', state_before_lock: 'VERIFIED' })
    .where('customer_id', '=', locked.customerId)
    .execute();
  // The first call ends the sessions of a locked user; what is measured below is that nothing more happens.
  await asUser(api, locked.token, 'GET', '/me');
  tokens['operator'] = (await anOperator(api, { role: 'Admin' })).token;
}

/** Sends a path's sample with a token, naming `names`. */
async function call(path: RoutePath, names: NamedInApp, token: string | null): Promise<HttpAnswer> {
  const sample = customerSamples[path.route.operation] as CustomerSample;
  return await api.call(path.method, fill(path.path, { ...names }), {
    as: 'nobody',
    listener: 'public',
    headers: {
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      ...(path.route.idempotency === 'required' ? { 'X-Idempotency-Key': randomUUID() } : {}),
      ...sample.headers,
    },
    ...(sample.body === undefined ? {} : { body: sample.body(names) }),
    ...(sample.form === true ? { form: formOf(picture) } : {}),
  });
}

/** What a live session leaves of itself is no effect. */
const effects = async (): Promise<TableState> =>
  Object.fromEntries(
    Object.entries(await tables.state()).filter(([table]) => table !== 'public.customer_sessions'),
  );

it('has a sample for every operation of the mobile channel', () => {
  const operations = (paths: readonly RoutePath[]) => [...new Set(paths.map((path) => path.route.operation))];
  expect(Object.keys(customerSamples).toSorted()).toEqual(operations(USER_PATHS).toSorted());
  expect(Object.keys(entrySamples).toSorted()).toEqual(operations(ENTRY_PATHS).toSorted());
});

const CLOSED = [
  ['nobody', null, [401, 'UNAUTHENTICATED']],
  ['a session that is over', 'expired', [401, 'SESSION_EXPIRED']],
  ['a user who is locked', 'locked', [401, 'SESSION_EXPIRED']],
  ['an operator', 'operator', [401, 'UNAUTHENTICATED']],
] as const;

describe.each(named(USER_PATHS))('%s', (_name, path) => {
  const { stranger } = customerSamples[path.route.operation] as CustomerSample;

  it.each(CLOSED)('is closed to %s', async (_who, token, answered) => {
    const before = await tables.state();
    const answer = await call(path, owned, token === null ? null : (tokens[token] ?? ''));
    expect([answer.status, answer.body?.title]).toEqual(answered);
    expect(await tables.state()).toEqual(before);
  });

  it("is not there for a partner's certificate", async () => {
    const answer = await api.call(path.method, fill(path.path, { ...owned }), { as: 'demo' });
    expect([answer.status, answer.body?.title]).toEqual([404, 'NOT_FOUND']);
  });

  if (stranger === 'own') return;

  it.each(['stranger', 'of another partner'])('shows and changes nothing to a user %s', async (who) => {
    const before = await effects();
    const answer = await call(path, owned, tokens[who] ?? '');
    const missing = await call(path, NOTHING, tokens[who] ?? '');
    expect([answer.status, answer.text]).toEqual([missing.status, missing.text]);
    const expected =
      stranger === 'code' ? [401, 'INVALID_CODE'] : [404, expect.stringMatching(/_NOT_FOUND$/)];
    expect([answer.status, answer.body?.title]).toEqual(expected);
    // The counter of codes belongs to the code, which a stranger does not reach.
    expect(await effects()).toEqual(before);
  });
});

describe('lists', () => {
  it.each(['/me/balances', '/me/cards', '/me/transactions', '/me/sessions', '/me/devices'])(
    '%s: hold what is the own, and nothing of anybody else',
    async (path) => {
      const ids = (answer: HttpAnswer): string => JSON.stringify(answer.body.items);
      const mine = await asUser(api, owner.token, 'GET', path);
      expect(mine.body.items.length).toBeGreaterThan(0);
      const theirs = await asUser(api, tokens['stranger'] ?? '', 'GET', path);
      for (const id of [owned.balanceId, owned.transactionId, owned.sessionId, owned.deviceInstallationId]) {
        expect(ids(theirs)).not.toContain(id);
      }
      expect(theirs.body.items.map((one: { id?: unknown }) => one.id)).not.toContain(owned.cardId);
    },
  );
});

describe.each(named(ENTRY_PATHS))('%s', (_name, path) => {
  const send = (headers: Record<string, string>) => {
    const body = entrySamples[path.route.operation]?.(owned);
    return api.call(
      path.method,
      fill(path.path, { registrationId: NOTHING.id, activationId: NOTHING.id, resetId: NOTHING.id }),
      {
        as: 'nobody',
        listener: 'public',
        headers,
        ...(body === undefined ? {} : { body }),
      },
    );
  };

  it('needs the Issuer-Code of a programme', async () => {
    const before = await tables.state();
    const [without, unknown] = [await send({}), await send({ 'Issuer-Code': 'nowhere' })];
    expect([without.status, without.body.title]).toEqual([400, 'ISSUER_CODE_REQUIRED']);
    expect([unknown.status, unknown.body.title]).toEqual([403, 'ISSUER_CODE_NOT_ALLOWED']);
    expect(await tables.state()).toEqual(before);
  });

  it("is not there for a partner's certificate", async () => {
    const answer = await api.call(path.method, fill(path.path), { as: 'demo' });
    expect([answer.status, answer.body?.title]).toEqual([404, 'NOT_FOUND']);
  });
});

it('signs nobody in through another programme than the own', async () => {
  const body = { deviceInstallationId: owner.installationId, method: 'APP_PIN', appPin: APP_PIN };
  const answer = await enter(api, 'POST', '/sessions', body, 'credit');
  expect([answer.status, answer.body.title]).toEqual([401, 'INVALID_CREDENTIALS']);
});

describe('the owner', () => {
  const as = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
    asUser(api, owner.token, method, path, { headers, ...(body === undefined ? {} : { body }) });

  it('opens, reads, moves between and closes balances', async () => {
    const opened = await as('POST', '/me/balances', { currency: 'EUR' });
    expect(opened.status).toBe(201);
    const shown = await as('GET', `/me/balances/${owned.balanceId}`);
    expect(shown.body).toMatchObject({ id: owned.balanceId, amount: 10_000, cards: [{ id: owned.cardId }] });
    const key = { 'X-Idempotency-Key': randomUUID() };
    const move = { fromBalanceId: owned.balanceId, toBalanceId: opened.body.id, amount: 250 };
    expect((await as('POST', '/me/transfers', move)).body.title).toBe('VALIDATION_ERROR');
    const moved = await as('POST', '/me/transfers', move, key);
    expect([moved.status, moved.body.payment?.amount]).toEqual([201, 250]);
    const stranger = await anAppUser(api);
    const toStranger = { ...move, toBalanceId: await aBalance(api, stranger.customerId) };
    const refused = await as('POST', '/me/transfers', toStranger, { 'X-Idempotency-Key': randomUUID() });
    expect([refused.status, refused.body.title]).toEqual([404, 'BALANCE_NOT_FOUND']);
    const full = await as('DELETE', `/me/balances/${opened.body.id}`);
    expect([full.status, full.body.title]).toEqual([409, 'BALANCE_NOT_EMPTY']);
    const back = { fromBalanceId: opened.body.id, toBalanceId: owned.balanceId, amount: 250 };
    await as('POST', '/me/transfers', back, { 'X-Idempotency-Key': randomUUID() });
    expect((await as('DELETE', `/me/balances/${opened.body.id}`)).status).toBe(204);
  });

  it('makes a card and reads its number only after a step-up, on the paired device', async () => {
    const made = await as(
      'POST',
      '/me/cards/virtual',
      { balanceId: owned.balanceId, configId: owned.configId },
      toDevice,
    );
    expect(made.status).toBe(201);
    const card = await openOnDevice(made);
    expect(card).toMatchObject({ dcUserId: owned.customerId, cardNo: expect.stringMatching(/^[0-9]{16}$/) });
    const path = `/me/cards/${String(card['id'])}`;
    const second = await appUserOf(api, owned.customerId);
    const calm = await asUser(api, second.token, 'GET', path, { headers: toDevice });
    expect([calm.status, calm.body.title]).toEqual([403, 'STEP_UP_REQUIRED']);
    await asUser(api, second.token, 'POST', '/me/step-up', { body: { method: 'APP_PIN', appPin: APP_PIN } });
    const read = await asUser(api, second.token, 'GET', path, { headers: toDevice });
    expect(await openOnDevice(read)).toMatchObject({ cardNo: card['cardNo'] });
    await api.owner
      .updateTable('device_installations')
      .set({ public_key_thumbprint: 'another' })
      .where('installation_id', '=', second.installationId)
      .execute();
    const elsewhere = await asUser(api, second.token, 'GET', path, { headers: toDevice });
    expect([elsewhere.status, elsewhere.body.title]).toEqual([400, 'INVALID_PUBLIC_KEY']);
  });

  it('locks a card for a reason that the product allows, and lifts only the own locks', async () => {
    const path = `/me/cards/${owned.cardId}`;
    await api.owner
      .updateTable('card_products')
      .set({ customer_lock_codes: [1, 3] })
      .where('config_id', '=', owned.configId)
      .execute();
    const refused = await as('POST', `${path}/lock`, { reason: 7 });
    expect([refused.status, refused.body.title]).toEqual([422, 'LOCK_CODE_NOT_ALLOWED']);
    expect((await as('POST', `${path}/lock`, { reason: 3 })).status).toBe(204);
    expect((await as('GET', `${path}/summary`)).body).toMatchObject({ state: 'LOCKED', lock: { code: 3 } });
    expect((await as('POST', `${path}/unlock`)).status).toBe(204);
    await api.call('POST', `/secure/cards/${owned.cardId}/lock`, { body: { reason: 3 } });
    const notMine = await as('POST', `${path}/unlock`);
    expect([notMine.status, notMine.body.title]).toEqual([403, 'LOCK_NOT_LIFTABLE']);
    await api.call('POST', `/secure/cards/${owned.cardId}/unlock`);
  });

  it('reads and sets limits, and reads transactions by balance, by card and one by one', async () => {
    const limits = { perTransactionMinor: 60_000 };
    expect((await as('PUT', `/me/cards/${owned.cardId}/limits`, limits)).body).toMatchObject(limits);
    expect((await as('GET', `/me/cards/${owned.cardId}/limits`)).body).toMatchObject(limits);
    const byBalance = await as('GET', `/me/balances/${owned.balanceId}/transactions?type=topUp`);
    expect(byBalance.body.items.map((one: { id: string }) => one.id)).toEqual([owned.transactionId]);
    const byCard = await as('GET', `/me/cards/${owned.cardId}/transactions`);
    expect([byCard.status, byCard.body.items]).toEqual([200, []]);
    const one = await as('GET', `/me/transactions/${owned.transactionId}`);
    expect(one.body).toMatchObject({ id: owned.transactionId, amount: 10_000 });
  });

  it('sends the verification form, whatever risk it names, and reads what came of it', async () => {
    const user = await anAppUser(api);
    const get = (path: string) => asUser(api, user.token, 'GET', path);
    const none = await get('/me/verification');
    expect([none.status, none.body.title]).toEqual([404, 'VERIFICATION_NOT_FOUND']);
    expect((await get('/me/verifications')).body).toEqual({ items: [], nextCursor: null });
    const known = { risk_level: 'MEDIUM' } as const;
    await api.owner.updateTable('customers').set(known).where('customer_id', '=', user.customerId).execute();
    const sent = [];
    for (let at = 0; at < 2; at += 1) {
      sent.push(await asUser(api, user.token, 'POST', '/me/register', { form: formOf(picture) }));
    }
    expect(sent.map((one) => [one.status, one.body.channel])).toEqual(Array(2).fill([201, 'CUSTOMER']));
    const [first, second] = sent.map((one) => one.body);
    const kept = await api.owner
      .selectFrom('verifications')
      .select('risk_level')
      .where('verification_id', '=', first.verificationId)
      .executeTakeFirst();
    expect(kept).toEqual(known);
    expect((await get('/me/register')).body).toEqual(second);
    expect((await get('/me/verifications')).body.items).toEqual([second, first]);
    const page = (await get('/me/verifications?limit=1')).body;
    expect(page.items).toEqual([second]);
    expect((await get(`/me/verifications?cursor=${page.nextCursor}`)).body.items).toEqual([first]);
    const stolen = await as('GET', `/me/verifications?cursor=${page.nextCursor}`);
    expect([stolen.status, stolen.body.title]).toEqual([400, 'INVALID_CURSOR']);
    expect((await get(`/me/verifications/${first.verificationId}`)).body).toEqual(first);
  });

  it('does not learn from the app what is printed on a card that waits for its activation', async () => {
    const setState = (state: 'ACTIVE' | 'INACTIVE') =>
      api.owner.updateTable('cards').set({ base_state: state }).where('card_id', '=', owned.cardId).execute();
    const printed = ({ lastFourDigits, exp }: { lastFourDigits: unknown; exp: unknown }) => [
      lastFourDigits,
      exp,
    ];
    await setState('INACTIVE');
    const summary = await as('GET', `/me/cards/${owned.cardId}/summary`);
    const list = await as('GET', '/me/cards');
    const full = await asUser(api, owner.token, 'GET', `/me/cards/${owned.cardId}`, { headers: toDevice });
    const partners = await api.call('GET', `/secure/cards/${owned.cardId}/summary`);
    await setState('ACTIVE');
    expect([summary.body.state, ...printed(summary.body)]).toEqual(['INACTIVE', null, null]);
    const listed = list.body.items.find((one: { id: number }) => one.id === owned.cardId);
    expect([listed.state, ...printed(listed)]).toEqual(['INACTIVE', null, null]);
    expect([full.status, full.body.title]).toEqual([409, 'CARD_NOT_ACTIVE']);
    const shown = (await as('GET', `/me/cards/${owned.cardId}/summary`)).body;
    expect(printed(shown)).toEqual([expect.stringMatching(/^[0-9]{4}$/), expect.any(String)]);
    expect(printed(partners.body)).toEqual(printed(shown));
  });

  it('is told that the partner is suspended', async () => {
    const set = (state: 'ACTIVE' | 'SUSPENDED') =>
      api.owner.updateTable('partners').set({ state }).where('code', '=', 'demo').execute();
    await set('SUSPENDED');
    const answers = [
      await as('GET', '/me'),
      await enter(api, 'POST', '/activations', { phone: '48123123123', birthDate: '1990-01-01' }),
    ];
    await set('ACTIVE');
    expect(answers.map((one) => [one.status, one.body.title])).toEqual([
      [403, 'PARTNER_SUSPENDED'],
      [403, 'PARTNER_SUSPENDED'],
    ]);
  });
});
