import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRateLimits } from '../../api/rate-limits.ts';
import { anAppUser, asUser, moveClock } from '../support/app-users.ts';
import { aBalance, aCard, aCustomer, encrypted } from '../support/builders.ts';
import { type ApiHarness, type CallOptions, type HttpAnswer, startApi } from '../support/harness.ts';
import { atDoor, aPublicKyb } from '../support/kyb.ts';
import { adminCall, anOperator, aSessionOf } from '../support/operators.ts';

let api: ApiHarness;
const clock = { ms: 0 };

beforeAll(async () => {
  api = await startApi({
    rates: createRateLimits({ nowMs: () => clock.ms, exempt: ['203.0.113.0/24'] }),
    trustedProxies: ['127.0.0.1', '::1'],
  });
}, 120_000);
beforeEach(() => {
  // Every bucket is full again.
  clock.ms += 3_600_000;
});
afterAll(async () => {
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

/** Sends the same request so often at once. */
const atOnce = (times: number, send: () => Promise<HttpAnswer>): Promise<HttpAnswer[]> =>
  Promise.all(Array.from({ length: times }, send));

const refused = (answers: readonly HttpAnswer[]): number =>
  answers.filter(({ status, body }) => status === 429 && body.title === 'TOO_MANY_REQUESTS').length;

const rateOf = ({ headers }: HttpAnswer) => [
  headers['ratelimit-limit'],
  headers['ratelimit-remaining'],
  headers['ratelimit-reset'],
];

const fromAddress = (ip: string, options: CallOptions = {}): CallOptions => ({
  as: 'nobody',
  listener: 'public',
  ...options,
  headers: { 'X-Forwarded-For': ip, ...options.headers },
});

describe('an address without identity', () => {
  const post = (ip: string, path = '/customers/registrations') =>
    api.call('POST', path, fromAddress(ip, { body: {} }));
  const get = (ip: string, path = '/public-key') => api.call('GET', path, fromAddress(ip));

  it('posts 10 times a minute, whichever the route; then 429 until there is a token again', async () => {
    const first = await post('192.0.2.1');
    expect([first.status, ...rateOf(first)]).toEqual([400, '10', '9', '6']);
    for (const path of ['/customers/sessions', '/admin/session', '/kyb/applications', '/kyb/resume-links']) {
      expect((await post('192.0.2.1', path)).status).toBe(400);
    }
    expect(refused(await atOnce(100, () => post('192.0.2.1')))).toBe(95);
    const late = await post('192.0.2.1', '/customers/activations');
    expect([late.status, late.body.title, ...rateOf(late)]).toEqual([
      429,
      'TOO_MANY_REQUESTS',
      '10',
      '0',
      '60',
    ]);
    expect(late.headers['retry-after']).toBe('6');
    expect((await post('192.0.2.2')).status).toBe(400);
    clock.ms += 6_000;
    expect([(await post('192.0.2.1')).status, (await post('192.0.2.1')).status]).toEqual([400, 429]);
  });

  it('reads 60 times a minute, pages and files too; health without bound', async () => {
    for (const path of ['/openapi.json', '/docs', '/ca/chain.pem', '/kyb/sandbox', '/customers/public-key']) {
      const answer = await get('192.0.2.3', path);
      expect([path, answer.status]).toEqual([path, 200]);
    }
    expect(refused(await atOnce(60, () => get('192.0.2.3')))).toBe(5);
    expect((await get('192.0.2.3', '/docs')).status).toBe(429);
    const health = await atOnce(100, () => get('192.0.2.3', '/health/live'));
    expect(health.map((one) => one.status)).toEqual(Array(100).fill(200));
    expect(rateOf(health[0] as HttpAnswer)).toEqual([undefined, undefined, undefined]);
  });

  it('is a subscriber: IPv6 addresses of one network count together', async () => {
    let at = 0;
    const answers = await atOnce(12, () => post(`2001:db8:7:7::${(at += 1).toString(16)}`));
    expect(refused(answers)).toBe(2);
    expect((await post('2001:db8:7:8::1')).status).toBe(400);
  });

  it('is not counted where the settings except it', async () => {
    expect(refused(await atOnce(20, () => post('203.0.113.9')))).toBe(0);
  });

  it('is refused before anything else is looked at, but after the route', async () => {
    await atOnce(10, () => post('192.0.2.4'));
    expect((await post('192.0.2.4')).status).toBe(429);
    expect((await post('192.0.2.4', '/customers/nothing')).status).toBe(404);
    expect((await api.call('DELETE', '/customers/registrations', fromAddress('192.0.2.4'))).status).toBe(405);
  });
});

describe('a partner', () => {
  const read = (options: CallOptions = {}) => api.call('GET', '/secure/partner-balances', options);
  const setRate = async (rate: number) => {
    await api.owner.updateTable('partners').set({ partner_rate: rate }).where('code', '=', 'other').execute();
    // The registry hears of it from the database.
    await sleep(100);
  };

  it('calls 100 times a second with a burst of 200, by all of its certificates together', async () => {
    const first = await read();
    expect([first.status, ...rateOf(first)]).toEqual([200, '200', '199', '1']);
    const second = await api.addClient({
      label: 'demo-2',
      scopes: ['partner'],
      partnerId: (
        await api.owner
          .selectFrom('partners')
          .select('partner_id')
          .where('code', '=', 'demo')
          .executeTakeFirstOrThrow()
      ).partner_id,
    });
    expect((await read({ as: second })).headers['ratelimit-remaining']).toBe('198');
    expect(refused(await atOnce(250, read))).toBe(52);
    expect((await read({ as: 'other' })).status).toBe(200);
    clock.ms += 1_000;
    expect(refused(await atOnce(110, read))).toBe(10);
  });

  it('has the rate that it was given', async () => {
    await setRate(2);
    expect(refused(await atOnce(6, () => read({ as: 'other' })))).toBe(2);
    await setRate(100);
  });

  it('is refused after its certificate was known, before its scope, programme and body are looked at', async () => {
    await setRate(1);
    await atOnce(2, () => read({ as: 'other' }));
    const forbidden = { as: 'other', headers: { 'Issuer-Code': 'sandbox' }, body: 'x' } as const;
    expect((await api.call('POST', '/lifecycle/v1/wallet', forbidden)).status).toBe(429);
    expect((await read({ as: 'unregistered' })).status).toBe(401);
    await setRate(100);
    clock.ms += 10_000;
    expect((await api.call('POST', '/lifecycle/v1/wallet', forbidden)).status).toBe(403);
  });

  it('is no measure of the processor: /processor counts nothing', async () => {
    const answers = await atOnce(300, () =>
      api.call('POST', '/processor/authorizations', { as: 'processor', body: {} }),
    );
    expect(answers.filter((one) => one.status === 429)).toEqual([]);
    expect(rateOf(answers[0] as HttpAnswer)).toEqual([undefined, undefined, undefined]);
  });
});

describe('everybody who is known on the public listener', () => {
  it('a user: 10 a second, burst 30, over all sessions', async () => {
    const user = await anAppUser(api);
    const first = await asUser(api, user.token, 'GET', '/me');
    expect([first.status, ...rateOf(first)]).toEqual([200, '30', '29', '1']);
    expect(refused(await atOnce(40, () => asUser(api, user.token, 'GET', '/me')))).toBe(11);
    clock.ms += 1_000;
    expect(refused(await atOnce(11, () => asUser(api, user.token, 'GET', '/me/sessions')))).toBe(1);
  });

  it('an operator: 20 a second, burst 60, over all sessions', async () => {
    const operator = await anOperator(api, { role: 'Employee', partner: 'demo' });
    const other = { token: await aSessionOf(api, operator.operatorId, null) };
    const answers = [
      ...(await atOnce(40, () => adminCall(api, 'GET', '/admin/session', operator))),
      ...(await atOnce(30, () => adminCall(api, 'GET', '/admin/session', other))),
    ];
    expect(refused(answers)).toBe(10);
  });

  it('who holds the token of an application: 10 a second, burst 30', async () => {
    const door = await aPublicKyb(api);
    expect(refused(await atOnce(35, () => atDoor(api, door, 'GET', '')))).toBe(5);
  });

  it('a provider of webhooks: 20 a second, burst 60; unsigned calls take nothing from it', async () => {
    const text = JSON.stringify({
      eventId: 'ev-1',
      type: 'check.completed',
      checkId: 'ch-1',
      applicantId: 'ap-1',
      externalId: 'unknown',
      outcome: 'APPROVED',
      reasons: [],
      occurredAt: '2026-11-20T10:04:00.000Z',
    });
    const post = (secret: string) => () => {
      const seconds = Math.floor(Date.now() / 1000);
      const made = createHmac('sha256', secret).update(`${seconds}.${text}`).digest('hex');
      return api.call('POST', '/webhooks/kyc/simulator', {
        listener: 'public',
        body: text,
        headers: { 'X-Signature': `t=${seconds},v1=${made}` },
      });
    };
    expect((await atOnce(70, post('wrong'))).every((one) => one.status === 401)).toBe(true);
    const answers = await atOnce(70, post('whsec_one'));
    expect(refused(answers)).toBe(10);
    expect(answers.filter((one) => one.status === 204)).toHaveLength(60);
  });
});

describe('what is counted in the database', () => {
  it('full data of a card: 10 times an hour, also for repeats of its creation, at once and over processes', async () => {
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const create = () =>
      api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
        headers: { ...encrypted, 'X-Idempotency-Key': `rate-${customerId}` },
        body: { balanceId, configId: api.demo.programmes['sandbox']?.configIds['virtual'] },
      });
    expect((await create()).status).toBe(201);
    const { card_id: cardId } = await api.owner
      .selectFrom('cards')
      .select('card_id')
      .where('customer_id', '=', customerId)
      .executeTakeFirstOrThrow();
    const read = () =>
      api.call('GET', `/secure/customers/${customerId}/cards/${cardId}`, { headers: encrypted });
    const repeat = await create();
    expect([repeat.status, repeat.headers['idempotency-replayed']]).toEqual([201, 'true']);
    const answers = await atOnce(20, read);
    expect([answers.filter((one) => one.status === 200).length, refused(answers)]).toEqual([9, 11]);
    const late = await read();
    expect([late.headers['retry-after'], ...rateOf(late)]).toEqual(['360', '10', '0', '3600']);
    expect((await create()).status).toBe(429);
    const summary = `/secure/customers/${customerId}/cards/${cardId}/summary`;
    expect((await api.call('GET', summary)).status).toBe(200);
    await moveClock(api.owner, 361);
    expect((await read()).status).toBe(200);
    expect((await read()).status).toBe(429);
  });

  it('cards created for a user: 10 an hour, at once; refused ones do not count', async () => {
    await api.owner.updateTable('card_products').set({ max_cards_per_balance: 100 }).execute();
    const customerId = await aCustomer(api);
    const balanceId = await aBalance(api, customerId);
    const create = (configId = api.demo.programmes['sandbox']?.configIds['virtual']) =>
      api.call('POST', `/secure/customers/${customerId}/cards/virtual`, {
        headers: encrypted,
        body: { balanceId, configId },
      });
    expect((await create('999999')).status).toBe(404);
    const answers = await atOnce(13, () => create());
    expect([answers.filter((one) => one.status === 201).length, refused(answers)]).toEqual([10, 3]);
    const { cards } = await api.owner
      .selectFrom('cards')
      .select((select) => select.fn.countAll<number>().as('cards'))
      .where('customer_id', '=', customerId)
      .executeTakeFirstOrThrow();
    expect(Number(cards)).toBe(10);
    await aCard(api);
    await moveClock(api.owner, 361);
    expect((await create()).status).toBe(201);
  });

  it('forgets buckets that are full', async () => {
    await moveClock(api.owner, 3_600);
    const { forgetSignInLeftovers } = await import('../../db/sign-in-leftovers.ts');
    await forgetSignInLeftovers(api.services.engine);
    expect(await api.owner.selectFrom('rate_buckets').selectAll().execute()).toEqual([]);
  });
});
