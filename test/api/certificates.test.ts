import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aCard, aCustomer, type MadeCard } from '../support/builders.ts';
import type { Client, Registration } from '../support/clients.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { aPurchase } from '../support/card-traffic.ts';
import { aPayingCard } from '../support/processor-calls.ts';
import { closed, exchange, rawRequest } from '../support/raw-http.ts';

let api: ApiHarness;
let card: MadeCard;
let demoId: number;

beforeAll(async () => {
  api = await startApi();
  card = await aCard(api);
  demoId = await partnerIdOf('demo');
});

afterAll(async () => {
  await api.stop();
});

const partnerIdOf = async (code: string): Promise<number> =>
  (
    await api.owner
      .selectFrom('partners')
      .select('partner_id')
      .where('code', '=', code)
      .executeTakeFirstOrThrow()
  ).partner_id;

const aClient = (changes: Partial<Registration> = {}): Promise<Client> =>
  api.addClient({
    label: `c-${randomUUID().slice(0, 8)}`,
    scopes: ['partner'],
    partnerId: demoId,
    ...changes,
  });

const read = (as: Client, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
  api.call('GET', `/secure/balances/${card.balanceId}`, { as, headers });

const result = (answer: HttpAnswer) => [answer.status, answer.body?.title];

const refusedCalls = (requestId: string) =>
  api.owner
    .selectFrom('audit_log')
    .select(['action', 'partner_id', 'actor_type', 'object_type', 'result', 'after'])
    .where('request_id', '=', requestId)
    .execute();

describe('the processor', () => {
  it('of a partner is another than one of the same label: messages are no repeats of each other', async () => {
    const partnerId = await partnerIdOf('other');
    const as = await aClient({ label: 'processor', scopes: ['processor'], partnerId });
    const body = aPurchase(await aPayingCard(api, 10_000), 500);
    const own = await api.call('POST', '/processor/authorizations', { as: 'processor', body });
    const again = await api.call('POST', '/processor/authorizations', { as: 'processor', body });
    expect([own.status, again.headers['idempotency-replayed']]).toEqual([200, 'true']);
    const foreign = await api.call('POST', '/processor/authorizations', { as, body });
    expect([foreign.status, foreign.headers['idempotency-replayed']]).toEqual([200, undefined]);
    expect(foreign.body.id).not.toBe(own.body.id);
  });

  it("is no actor of the partners' channels, whatever scopes its certificate has", async () => {
    const as = await aClient({ scopes: ['partner', 'processor'] });
    const requestId = randomUUID();
    const headers = { 'X-Request-Id': requestId, 'Issuer-Code': 'unknown' };
    expect(result(await read(as, headers))).toEqual([403, 'ISSUER_CODE_NOT_ALLOWED']);
    expect(await refusedCalls(requestId)).toMatchObject([{ actor_type: 'PARTNER', partner_id: demoId }]);
  });
});

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Changes the registry as the owner, as a command or an operator would. */
const setState = (client: Client, state: 'ACTIVE' | 'REVOKED' | 'EXPIRED') =>
  api.owner
    .updateTable('certificates')
    .set({ state })
    .where('fingerprint_sha256', '=', client.fingerprint ?? '')
    .execute();

describe('the handshake', () => {
  it.each(['nobody', 'foreignAuthority'] as const)('fails for %s', async (as) => {
    await expect(api.call('GET', '/public-key', { as })).rejects.toThrow();
    const socket = await api.connect(as).catch(() => null);
    // TLS 1.3 tells the client only after its side is done; either way no answer comes.
    if (socket !== null) await expect(exchange(socket, rawRequest('GET /public-key'))).rejects.toThrow();
  });
});

describe('revocation', () => {
  it('401 CERTIFICATE_NOT_TRUSTED: the next request, and the connection is closed after the answer', async () => {
    const client = await aClient();
    expect((await read(client)).status).toBe(200);
    await setState(client, 'REVOKED');
    await sleep(100);
    const answer = await read(client);
    expect(result(answer)).toEqual([401, 'CERTIFICATE_NOT_TRUSTED']);
    expect(answer.headers['connection']).toBe('close');
    expect(await refusedCalls(answer.headers['x-request-id'] as string)).toEqual([
      {
        action: 'call.refused',
        partner_id: demoId,
        actor_type: 'PARTNER',
        object_type: 'certificate',
        result: 'DENIED',
        after: { title: 'CERTIFICATE_NOT_TRUSTED' },
      },
    ]);
  });

  it('closes an open connection within five seconds, without a request', async () => {
    const client = await aClient();
    const socket = await api.connect(client);
    const first = await exchange(socket, rawRequest(`GET /secure/balances/${card.balanceId}`));
    expect(first.status).toBe(200);
    await setState(client, 'REVOKED');
    await closed(socket, 5_000);
  });

  it('leaves the connections of others open', async () => {
    const [revoked, other] = [await aClient(), await aClient()];
    const socket = await api.connect(other);
    await exchange(socket, rawRequest('GET /public-key'));
    const gone = await api.connect(revoked);
    await exchange(gone, rawRequest('GET /public-key'));
    await setState(revoked, 'REVOKED');
    await closed(gone, 5_000);
    expect((await exchange(socket, rawRequest('GET /public-key'))).status).toBe(200);
    socket.destroy();
  });

  it('does not touch a second certificate of the partner: rotation overlaps', async () => {
    const [old, fresh] = [await aClient({ label: 'twin' }), await aClient({ label: 'twin' })];
    expect([(await read(old)).status, (await read(fresh)).status]).toEqual([200, 200]);
    await setState(old, 'REVOKED');
    await sleep(100);
    expect([(await read(old)).status, (await read(fresh)).status]).toEqual([401, 200]);
  });

  it('401: a certificate that the registry does not know leaves no audit row: nobody is known', async () => {
    const answer = await api.call('GET', '/public-key', { as: 'unregistered' });
    expect(result(answer)).toEqual([401, 'CERTIFICATE_NOT_TRUSTED']);
    expect(await refusedCalls(answer.headers['x-request-id'] as string)).toEqual([]);
  });
});

describe('validity', () => {
  it.each<[string, Partial<Registration>]>([
    ['notAfter has passed', { notAfter: new Date(Date.now() - 1_000) }],
    ['notBefore has not come', { notBefore: new Date(Date.now() + DAY_MS) }],
    ['the state is EXPIRED', { state: 'EXPIRED' }],
    ['the state is PENDING', { state: 'PENDING' }],
  ])('401 CERTIFICATE_NOT_TRUSTED: %s', async (_name, changes) => {
    expect(result(await read(await aClient(changes)))).toEqual([401, 'CERTIFICATE_NOT_TRUSTED']);
  });

  it('an open connection ends when its certificate runs out', async () => {
    const client = await aClient({ notAfter: new Date(Date.now() + 2_000) });
    const socket = await api.connect(client);
    expect((await exchange(socket, rawRequest('GET /public-key'))).status).toBe(200);
    await closed(socket, 5_000);
  });
});

describe('the partner behind a certificate', () => {
  const update = (values: { state?: 'ACTIVE' | 'SUSPENDED'; ip_allow_list?: string[] }) =>
    api.owner.updateTable('partners').set(values).where('code', '=', 'other').execute();

  const paths: [string, string][] = [
    ['GET', '/secure/partner-balances'],
    ['GET', '/secure/public-key'],
    ['GET', '/public-key'],
    ['GET', '/lifecycle/v1/public-key'],
    ['GET', '/lifecycle/v1/users'],
  ];

  const all = async (): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for (const [method, path] of paths) {
      const answer = await api.call(method, path, { as: 'other', headers: { 'Issuer-Code': 'other' } });
      seen.push(answer.body.title ?? answer.status);
    }
    return seen;
  };

  it('403 PARTNER_SUSPENDED: every call while suspended, also for the public key', async () => {
    await update({ state: 'SUSPENDED' });
    await sleep(100);
    expect(await all()).toEqual(paths.map(() => 'PARTNER_SUSPENDED'));
    await update({ state: 'ACTIVE' });
    await sleep(100);
    expect(await all()).toEqual(paths.map(() => 200));
  });

  it('403 PARTNER_SUSPENDED: a processor certificate that belongs to a partner', async () => {
    const as = await aClient({
      label: 'own-processor',
      scopes: ['processor'],
      partnerId: await partnerIdOf('other'),
    });
    const health = async () => (await api.call('GET', '/processor/health', { as })).body;
    expect(await health()).toEqual({ status: 'UP' });
    await update({ state: 'SUSPENDED' });
    await sleep(100);
    expect((await health()).title).toBe('PARTNER_SUSPENDED');
    await update({ state: 'ACTIVE' });
    await sleep(100);
  });

  it.each([
    [['127.0.0.1'], true],
    [['127.0.0.0/8'], true],
    [['10.0.0.1', '127.0.0.1/32'], true],
    [['10.0.0.0/8'], false],
    [['127.0.0.2'], false],
    [['::1'], false],
    [['fd00::/8'], false],
    [[], true],
  ])('403 IP_NOT_ALLOWED unless listed: %j', async (list, allowed) => {
    await update({ ip_allow_list: list });
    await sleep(100);
    expect(await all()).toEqual(paths.map(() => (allowed ? 200 : 'IP_NOT_ALLOWED')));
    await update({ ip_allow_list: [] });
    await sleep(100);
  });

  it('an address in X-Forwarded-For is not believed', async () => {
    await update({ ip_allow_list: ['10.0.0.1'] });
    await sleep(100);
    const answer = await api.call('GET', '/secure/partner-balances', {
      as: 'other',
      headers: { 'X-Forwarded-For': '10.0.0.1', 'X-Client-Cert': 'x' },
    });
    expect(result(answer)).toEqual([403, 'IP_NOT_ALLOWED']);
    await update({ ip_allow_list: [] });
    await sleep(100);
  });
});

describe('programmes of a certificate', () => {
  it('a certificate of one programme sees that programme and no other', async () => {
    const sandbox = await aClient({ programmes: ['sandbox'] });
    const credit = await aClient({ programmes: ['credit'] });
    expect((await read(sandbox)).status).toBe(200);
    expect(result(await read(credit))).toEqual([404, 'BALANCE_NOT_FOUND']);
    expect(result(await read(sandbox, { 'Issuer-Code': 'credit' }))).toEqual([
      403,
      'ISSUER_CODE_NOT_ALLOWED',
    ]);
    const balances = await api.call('GET', '/secure/partner-balances', { as: credit });
    expect(balances.body.items).toHaveLength(1);
  });

  it('403 FORBIDDEN: a certificate that is open to no programme at all', async () => {
    const as = await aClient({ programmes: ['gone'] });
    for (const path of ['/secure/partner-balances', `/secure/cards/${card.cardId}/summary`]) {
      expect(result(await api.call('GET', path, { as }))).toEqual([403, 'FORBIDDEN']);
    }
    const lifecycle = await api.call('GET', '/lifecycle/v1/users', {
      as,
      headers: { 'Issuer-Code': 'sandbox' },
    });
    expect(result(lifecycle)).toEqual([403, 'ISSUER_CODE_NOT_ALLOWED']);
  });

  it('403 FORBIDDEN: a scope without a partner does not open partner routes', async () => {
    const as = await aClient({ scopes: ['partner'], partnerId: null });
    expect(result(await read(as))).toEqual([403, 'FORBIDDEN']);
  });
});

describe('Issuer-Code', () => {
  const list = (headers: Record<string, string>) => api.call('GET', '/lifecycle/v1/users', { headers });

  it('400 ISSUER_CODE_REQUIRED: none on lifecycle', async () => {
    expect(result(await list({}))).toEqual([400, 'ISSUER_CODE_REQUIRED']);
  });

  it.each(['SANDBOX', 'Sandbox', 'other', 'nothing', ' ', 'a b', 'x'.repeat(40), 'sandbox,credit'])(
    '403 ISSUER_CODE_NOT_ALLOWED: %j',
    async (code) => {
      expect(result(await list({ 'Issuer-Code': code }))).toEqual([403, 'ISSUER_CODE_NOT_ALLOWED']);
    },
  );

  it("404: a user of another programme than the header's", async () => {
    const customerId = await aCustomer(api, 'sandbox');
    const own = await api.call('GET', `/lifecycle/v1/users/${customerId}`, {
      headers: { 'Issuer-Code': 'sandbox' },
    });
    const wrong = await api.call('GET', `/lifecycle/v1/users/${customerId}`, {
      headers: { 'Issuer-Code': 'credit' },
    });
    expect([own.status, ...result(wrong)]).toEqual([200, 404, 'USER_NOT_FOUND']);
  });
});
