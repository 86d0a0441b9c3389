import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicChannels } from '../../api/channels.ts';
import { writeCursor } from '../../api/pagination.ts';
import { aBalance, aCard, aCustomer, encrypted, type MadeCard } from '../support/builders.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { closed, exchange, type RawAnswer, rawRequest } from '../support/raw-http.ts';
import { allPaths, fill } from '../support/route-paths.ts';

let api: ApiHarness;
let card: MadeCard;
const sockets: Socket[] = [];

beforeAll(async () => {
  api = await startApi();
  card = await aCard(api);
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  // Whatever these tests sent, none of it may have been a defect of ours.
  expect(api.logLines().filter((line) => line.includes('request failed'))).toEqual([]);
  await api.stop();
});

const lifecycle = { 'Issuer-Code': 'sandbox' };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function open(to: Parameters<ApiHarness['connect']>[0] = 'demo'): Promise<Socket> {
  const socket = await api.connect(to);
  sockets.push(socket);
  return socket;
}

/** One request on a connection of its own, its target sent as it is. */
async function raw(requestLine: string, lines: readonly string[] = [], body = ''): Promise<RawAnswer> {
  return await exchange(await open(), rawRequest(requestLine, lines, body));
}

const title = (answer: { readonly text: string }): string =>
  (JSON.parse(answer.text) as { title: string }).title;

const faults = (answer: HttpAnswer): string[] =>
  answer.body.errors.map((one: { field: string }) => one.field).toSorted();

const balancePath = () => `/secure/balances/${card.balanceId}`;

describe('request ids', () => {
  it('a well-formed id is taken and returned, in answers and refusals', async () => {
    const headers = { 'X-Request-Id': 'My.request_1-a' };
    for (const path of [balancePath(), '/secure/nothing', '/secure/balances/x']) {
      const answer = await api.call('GET', path, { headers });
      expect(answer.headers['x-request-id']).toBe('My.request_1-a');
    }
  });

  it.each(['', 'a b', 'ü', 'x'.repeat(65), 'a;b'])('an id like %j is replaced by a UUID', async (id) => {
    const answer = await raw(`GET ${balancePath()}`, [`X-Request-Id: ${id}`]);
    expect(answer.status).toBe(200);
    expect(answer.headers['x-request-id']).toMatch(UUID);
  });

  it('one made here is the same in the answer, the log line and the audit row', async () => {
    const answer = await api.call('GET', balancePath(), { as: 'processor' });
    expect(answer.status).toBe(403);
    const requestId = answer.headers['x-request-id'] as string;
    expect(requestId).toMatch(UUID);
    expect(api.logLines().filter((line) => line.includes(requestId))).toHaveLength(1);
    const rows = await api.owner
      .selectFrom('audit_log')
      .select(['action', 'object_id', 'result'])
      .where('request_id', '=', requestId)
      .execute();
    expect(rows).toEqual([{ action: 'call.refused', object_id: 'readBalance', result: 'DENIED' }]);
  });

  it('one log line a request, with what is documented and nothing of the request', async () => {
    const requestId = 'log-line-1';
    const answer = await api.call('GET', `/secure/customers/${card.customerId}/balances?limit=7`, {
      headers: { 'X-Request-Id': requestId },
    });
    const [line, ...others] = api.logLines().filter((one) => one.includes(requestId));
    expect(others).toEqual([]);
    expect(JSON.parse(line as string)).toMatchObject({
      listener: 'certificate',
      method: 'GET',
      route: 'GET /secure/customers/{customerId}/balances',
      status: 200,
      durationMs: expect.any(Number),
      principal: `PARTNER:${api.demo.partner.id}`,
      partnerId: expect.any(Number),
      ip: '127.0.0.1',
      bytes: Buffer.byteLength(answer.text),
      requestId,
    });
    expect(line).not.toContain('limit');
  });
});

describe('paths', () => {
  it.each(['/SECURE', '/Secure', '/sEcUrE'])(
    '200: %s, the first segment without regard to case',
    async (segment) => {
      expect((await api.call('GET', `${segment}/balances/${card.balanceId}`)).status).toBe(200);
    },
  );

  it('200: one trailing slash is ignored', async () => {
    expect((await raw(`GET ${balancePath()}/`)).status).toBe(200);
    expect((await raw(`GET ${balancePath()}/?`)).status).toBe(200);
  });

  it.each([
    ['other segments in another case', () => `/secure/Balances/${card.balanceId}`],
    ['two trailing slashes', () => `${balancePath()}//`],
    ['a double slash', () => `/secure//balances/${card.balanceId}`],
    ['a leading double slash', () => `//secure/balances/${card.balanceId}`],
    ['a dot segment', () => `/secure/./balances/${card.balanceId}`],
    ['a parent segment', () => `/secure/x/../balances/${card.balanceId}`],
    ['a parent segment at the end', () => `${balancePath()}/x/..`],
    ['an encoded parent segment', () => `/secure/x/%2e%2e/balances/${card.balanceId}`],
    ['an encoded slash', () => `/secure/balances%2f${card.balanceId}`],
    ['an encoded slash in capitals', () => `/secure/balances%2F${card.balanceId}`],
    ['a backslash', () => `/secure/balances\\${card.balanceId}`],
    ['an encoded backslash', () => `/secure/balances%5C${card.balanceId}`],
    ['an encoded first segment', () => `/%73ecure/balances/${card.balanceId}`],
    ['nothing', () => '/'],
    ['a path of the other listener', () => '/health/live'],
    ['an unknown path', () => '/secure/nothing'],
  ])('404 NOT_FOUND: %s', async (_name, path) => {
    const answer = await raw(`GET ${path()}`);
    // A backslash does not reach the application at all.
    if (path().includes('\\')) expect([400, 404]).toContain(answer.status);
    else expect([answer.status, title(answer)]).toEqual([404, 'NOT_FOUND']);
  });

  it('200: a request target in absolute form', async () => {
    expect((await raw(`GET https://localhost${balancePath()}`)).status).toBe(200);
    const dots = await raw(`GET https://localhost/secure/x/../balances/${card.balanceId}`);
    expect(dots.status).toBe(404);
  });

  it('400: what is no request line, and a Host that is none, in the one error shape', async () => {
    const host = await exchange(await open(), `GET ${balancePath()} HTTP/1.1\r\nHost: a b@c\r\n\r\n`);
    expect([host.status, title(host)]).toEqual([400, 'VALIDATION_ERROR']);
    expect(host.headers['x-request-id']).toMatch(UUID);
    const star = await raw('OPTIONS *');
    expect([star.status, title(star)]).toEqual([400, 'VALIDATION_ERROR']);
  });
});

describe('methods', () => {
  it('405 METHOD_NOT_ALLOWED: every path tells the methods it takes', async () => {
    const onPublic = new Set(publicChannels.map((one) => one.name));
    const byShape = new Map<
      string,
      { path: string; listener: 'public' | 'certificate'; methods: string[] }
    >();
    for (const one of allPaths(api.routes)) {
      const listener = onPublic.has(one.channel) ? ('public' as const) : ('certificate' as const);
      const shape = `${listener} ${one.path.replaceAll(/\{\w+\}/g, '{}')}`;
      const known = byShape.get(shape) ?? { path: one.path, listener, methods: [] };
      byShape.set(shape, { ...known, methods: [...known.methods, one.method] });
    }
    for (const { path, listener, methods } of byShape.values()) {
      const others = ['PATCH', 'OPTIONS', 'DELETE', 'TRACE'].filter((one) => !methods.includes(one));
      for (const method of others) {
        const answer = await api.call(method, fill(path), { listener, as: 'demo' });
        expect([path, answer.status, answer.body?.title]).toEqual([path, 405, 'METHOD_NOT_ALLOWED']);
        expect([path, answer.headers['allow']?.split(', ').toSorted()]).toEqual([path, methods.toSorted()]);
      }
    }
  });

  it('HEAD answers as GET without a body, and is no way around POST', async () => {
    const head = await api.call('HEAD', balancePath());
    expect([head.status, head.text]).toEqual([200, '']);
    const post = await api.call('HEAD', `/secure/cards/${card.cardId}/lock`);
    expect([post.status, post.text]).toEqual([405, '']);
    const summary = await api.call('GET', `/secure/cards/${card.cardId}/summary`);
    expect(summary.body.state).toBe('ACTIVE');
  });

  it('CORS is off: a preflight gets no permission, an answer no header for browsers', async () => {
    const headers = { Origin: 'https://evil.test', 'Access-Control-Request-Method': 'GET' };
    const preflight = await api.call('OPTIONS', '/openapi.json', { listener: 'public', headers });
    const answer = await api.call('GET', '/health/live', { listener: 'public', headers });
    for (const one of [preflight, answer]) {
      expect(Object.keys(one.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect(preflight.status).toBe(405);
  });
});

describe('sizes', () => {
  it('413 PAYLOAD_TOO_LARGE: an address of more than 2 kB; one of 2 kB is read', async () => {
    const target = (length: number) => `${balancePath()}?x=`.padEnd(length, 'a');
    const most = await raw(`GET ${target(2048)}`);
    expect([most.status, title(most)]).toEqual([400, 'VALIDATION_ERROR']);
    const over = await raw(`GET ${target(2049)}`);
    expect([over.status, title(over)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(over.headers['x-request-id']).toMatch(UUID);
  });

  it('413 PAYLOAD_TOO_LARGE: headers of more than 16 kB, and the connection ends', async () => {
    const socket = await open();
    const answer = await exchange(
      socket,
      rawRequest(`GET ${balancePath()}`, [`X-Long: ${'a'.repeat(17_000)}`]),
    );
    expect([answer.status, title(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(answer.headers).toMatchObject({
      'x-request-id': expect.stringMatching(UUID),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    await closed(socket, 2_000);
  });

  const lock = () => `POST /secure/cards/${card.cardId}/lock`;
  const json = 'Content-Type: application/json';

  it('413 PAYLOAD_TOO_LARGE: a declared body over the limit, before anything of it is sent', async () => {
    const answer = await raw(lock(), [json, `Content-Length: ${64 * 1024 + 1}`]);
    expect([answer.status, title(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  it('413 comes before 401 and 403: size is the first check', async () => {
    const lines = [json, `Content-Length: ${64 * 1024 + 1}`];
    const unknown = await exchange(await open('unregistered'), rawRequest(lock(), lines));
    const scope = await exchange(await open('processor'), rawRequest(lock(), lines));
    expect([unknown.status, scope.status]).toEqual([413, 413]);
  });

  it('413 PAYLOAD_TOO_LARGE: a chunked body is counted while it is read, and the answer arrives', async () => {
    const socket = await open();
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
    const head = rawRequest(lock(), [json, 'Transfer-Encoding: chunked']);
    const answer = await exchange(socket, head + chunk.repeat(6));
    expect([answer.status, title(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  it('a body of exactly the limit is read', async () => {
    const body = '{"reason":3}'.padEnd(64 * 1024, ' ');
    expect((await api.call('POST', `/secure/cards/${card.cardId}/lock`, { body })).status).toBe(204);
    expect((await api.call('POST', `/secure/cards/${card.cardId}/unlock`)).status).toBe(204);
  });

  it('a refusal before the body is read leaves the connection usable for the next request', async () => {
    const socket = await open();
    const body = JSON.stringify({ currency: 'EUR' });
    const lines = [json, `Content-Length: ${body.length}`];
    const foreign = await exchange(
      socket,
      rawRequest(
        `POST /secure/customers/${card.customerId}/balances`,
        [...lines, 'Issuer-Code: other'],
        body,
      ),
    );
    expect([foreign.status, title(foreign)]).toEqual([403, 'ISSUER_CODE_NOT_ALLOWED']);
    const missing = await exchange(socket, rawRequest('POST /secure/nothing', lines, body));
    expect(missing.status).toBe(404);
    const read = await exchange(socket, rawRequest(`GET ${balancePath()}`, lines, body));
    expect(read.status).toBe(200);
    const next = await exchange(socket, rawRequest(`GET ${balancePath()}`));
    expect(next.status).toBe(200);
  });

  it('a request that ends within its body changes nothing', async () => {
    const socket = await open();
    socket.write(rawRequest(lock(), [json, 'Content-Length: 12'], '{"reason"'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    const summary = await api.call('GET', `/secure/cards/${card.cardId}/summary`);
    expect(summary.body.state).toBe('ACTIVE');
  });
});

describe('bodies', () => {
  const balances = () => `/secure/customers/${card.customerId}/balances`;
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    api.call('POST', balances(), { body, headers });

  it.each([
    'text/plain',
    'application/json; charset=latin1',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'text/json',
  ])('415 UNSUPPORTED_MEDIA_TYPE: %s', async (type) => {
    const answer = await post('{"currency":"EUR"}', { 'Content-Type': type });
    expect([answer.status, answer.body.title]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  it('415 UNSUPPORTED_MEDIA_TYPE: none, and JSON where a form is expected', async () => {
    const body = '{"currency":"EUR"}';
    const none = await raw(`POST ${balances()}`, [`Content-Length: ${body.length}`], body);
    expect([none.status, title(none)]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    const form = await api.call('POST', `/secure/customers/${card.customerId}/register`, { body: {} });
    expect([form.status, form.body.title]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  it('415 comes before 413: the type is known before the body is read', async () => {
    const socket = await open();
    const head = rawRequest(`POST ${balances()}`, ['Content-Type: text/plain', 'Transfer-Encoding: chunked']);
    const answer = await exchange(socket, `${head}4\r\nabcd\r\n`);
    expect([answer.status, title(answer)]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  it('403 comes before 415 and 400: nothing of a body is looked at before the caller may', async () => {
    const answer = await api.call('POST', balances(), {
      as: 'processor',
      body: 'no json',
      headers: { 'Content-Type': 'text/plain', 'Encrypted-Request': 'perhaps' },
    });
    expect([answer.status, answer.body.title]).toEqual([403, 'FORBIDDEN']);
  });

  it.each(['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"'])(
    '%s is JSON',
    async (type) => {
      const answer = await post('{"currency":"XXX"}', { 'Content-Type': type });
      expect([answer.status, answer.body.title]).toEqual([422, 'CURRENCY_NOT_SUPPORTED']);
    },
  );

  it.each([
    '{',
    '{"currency":"EUR",}',
    "{'currency':'EUR'}",
    '{"currency":"EUR"}{}',
    '\u{feff}'.repeat(2) + '{}',
    'NaN',
  ])('400 MALFORMED_JSON: %j', async (body) => {
    const answer = await post(body);
    expect([answer.status, answer.body.title]).toEqual([400, 'MALFORMED_JSON']);
  });

  it('400 MALFORMED_JSON: bytes that are no UTF-8', async () => {
    const answer = await post(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]));
    expect([answer.status, answer.body.title]).toEqual([400, 'MALFORMED_JSON']);
  });

  it.each(['null', '[]', '1', '"EUR"', '[{"currency":"EUR"}]', 'true'])(
    '400 VALIDATION_ERROR: %s is no object',
    async (body) => {
      const answer = await post(body);
      expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    },
  );

  it('400 VALIDATION_ERROR: an empty body where members are required', async () => {
    const answer = await api.call('POST', balances());
    expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.errors).toEqual([{ field: 'currency', message: 'is required' }]);
  });

  it('400 VALIDATION_ERROR: members where none are taken', async () => {
    const answer = await api.call('POST', `/secure/cards/${card.cardId}/unlock`, { body: { reason: 3 } });
    expect([answer.status, faults(answer)]).toEqual([400, ['reason']]);
    const empty = await api.call('POST', `/secure/cards/${card.cardId}/unlock`, { body: {} });
    expect(empty.status).toBe(409);
  });

  it.each([
    '{"currency":"EUR","__proto__":{"currency":"PLN"}}',
    '{"__proto__":{"currency":"EUR"}}',
    '{"currency":"EUR","constructor":{"prototype":{}}}',
    '{"currency":"EUR","toString":1}',
    '{"currency":"EUR","":1}',
  ])('400 VALIDATION_ERROR: unknown members, also %s', async (body) => {
    const answer = await post(body);
    expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
  });

  it('400 VALIDATION_ERROR: nesting as deep as a body can be', async () => {
    const answer = await post(`{"currency":${'['.repeat(30_000)}${']'.repeat(30_000)}}`);
    expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
  });

  const TEXTS: [string, string][] = [
    ['NUL', 'a\u0000b'],
    ['a control character', 'a\u0007b'],
    ['a line break', 'a\nb'],
    ['a C1 control', 'a\u0085b'],
    ['a line separator', 'a\u2028b'],
    ['half a surrogate pair', 'a\ud800b'],
  ];

  it.each(TEXTS)('400 VALIDATION_ERROR: %s in a text', async (_name, label) => {
    const answer = await api.call('POST', '/secure/cards/virtual', {
      headers: encrypted,
      body: JSON.stringify({ balanceId: card.balanceId, configId: '1', dcUserId: card.customerId, label }),
    });
    expect([answer.status, faults(answer)]).toEqual([400, ['label']]);
  });

  it.each(TEXTS)('400 VALIDATION_ERROR: %s in a message of the processor', async (_name, wrong) => {
    const answer = await api.call('POST', '/processor/authorizations', {
      as: 'processor',
      body: JSON.stringify({
        kind: 'AUTHORIZATION',
        messageId: 'm-1',
        processorCardId: wrong,
        type: 'pos',
        amount: 1,
        currency: 'EUR',
        stan: '000001',
        date: '2026-03-01T10:10:54+01:00',
        acquirerId: '1',
        retrievalReferenceNumber: '000000000001',
        externalTransactionId: wrong,
        description: wrong,
        transactionData: { merchantName: wrong },
      }),
    });
    expect([answer.status, faults(answer)]).toEqual([
      400,
      ['description', 'externalTransactionId', 'processorCardId', 'transactionData.merchantName'],
    ]);
  });
});

describe('queries', () => {
  const list = (query: string) => api.call('GET', `/secure/customers/${card.customerId}/balances?${query}`);

  it.each(['limit=1&limit=2', 'cursor=a&cursor=b', 'currency=EUR&currency=EUR'])(
    '400 VALIDATION_ERROR: a name sent twice (%s)',
    async (query) => {
      const answer = await list(query);
      expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    },
  );

  it.each(['Limit=1', 'page=1', '__proto__=1', '%5F_proto__=1', 'constructor=1', '=1', 'limit[]=1'])(
    '400 VALIDATION_ERROR: an unknown name (%s)',
    async (query) => {
      const answer = await list(query);
      expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    },
  );

  it('400 VALIDATION_ERROR: any query where none is taken', async () => {
    const answer = await api.call('GET', `${balancePath()}?limit=1`);
    expect([answer.status, faults(answer)]).toEqual([400, ['limit']]);
  });

  it.each(['0', '201', '-1', '1.5', '1e2', 'abc', '', '%00', '0x10', ' 5'])(
    '400 VALIDATION_ERROR: limit=%s',
    async (limit) => {
      const answer = await list(`limit=${limit}`);
      expect([answer.status, answer.body.title]).toEqual([400, 'VALIDATION_ERROR']);
    },
  );

  it.each(['1', '200', '007'])('200: limit=%s', async (limit) => {
    expect((await list(`limit=${limit}`)).status).toBe(200);
  });
});

describe('cursors', () => {
  let customerId: number;
  let cursor: string;

  beforeAll(async () => {
    customerId = await aCustomer(api);
    for (let made = 0; made < 3; made += 1) await aBalance(api, customerId);
    cursor = (await page('limit=1')).body.nextCursor as string;
  });

  const page = (query: string, customer = customerId) =>
    api.call('GET', `/secure/customers/${customer}/balances?${query}`);

  const refused = (answer: HttpAnswer) =>
    expect([answer.status, answer.body.title]).toEqual([400, 'INVALID_CURSOR']);

  it('200: pages newest first, each once, and the last without a cursor', async () => {
    const ids: string[] = [];
    let next: string | null = null;
    do {
      const answer: HttpAnswer = await page(`limit=1${next === null ? '' : `&cursor=${next}`}`);
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.body)).toEqual(['items', 'nextCursor']);
      ids.push(...answer.body.items.map((one: { id: string }) => one.id));
      next = answer.body.nextCursor;
    } while (next !== null);
    expect(ids).toHaveLength(3);
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect((await page('')).body.items.map((one: { id: string }) => one.id)).toEqual(ids);
  });

  it('200: the limit may change from page to page', async () => {
    const answer = await page(`limit=2&cursor=${cursor}`);
    expect(answer.body.items).toHaveLength(2);
    expect(answer.body.nextCursor).toBeNull();
  });

  it('400 INVALID_CURSOR: with other filters, another path, another route', async () => {
    refused(await page(`currency=EUR&cursor=${cursor}`));
    refused(await page(`cursor=${cursor}`, card.customerId));
    refused(await api.call('GET', `/secure/partner-balances?cursor=${cursor}`));
    refused(
      await api.call('GET', `/lifecycle/v1/users/${customerId}/cards?cursor=${cursor}`, {
        headers: lifecycle,
      }),
    );
  });

  it('400 INVALID_CURSOR: of another partner', async () => {
    const place = (principal: string) => ({
      principal,
      operation: 'listPartnerBalances',
      filters: { ids: [], kind: undefined, currency: undefined },
    });
    const { public_id: otherId } = await api.owner
      .selectFrom('partners')
      .select('public_id')
      .where('code', '=', 'other')
      .executeTakeFirstOrThrow();
    const foreign = writeCursor(api.vault, place(api.demo.partner.id), 'ffffffff', Date.now());
    const query = `/secure/partner-balances?programmeId=${api.demo.programmes['sandbox']?.id}`;
    refused(await api.call('GET', `${query}&cursor=${foreign}`, { as: 'other' }));
    const own = writeCursor(api.vault, place(otherId), 'ffffffff-ffff-4fff-bfff-ffffffffffff', Date.now());
    expect((await api.call('GET', `${query}&cursor=${own}`, { as: 'other' })).status).toBe(200);
  });

  it('400 INVALID_CURSOR: after 24 hours', async () => {
    const place = { principal: api.demo.partner.id, operation: 'listBalances', filters: { customerId } };
    const hours = 60 * 60 * 1_000;
    const at = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
    const old = writeCursor(api.vault, place, at, Date.now() - 24 * hours - 1_000);
    const young = writeCursor(api.vault, place, at, Date.now() - 24 * hours + 60_000);
    refused(await page(`cursor=${old}`));
    expect((await page(`cursor=${young}`)).status).toBe(200);
  });

  it.each(['', 'x', 'AAAA', '%00', 'null', `${'A'.repeat(400)}`])(
    '400 INVALID_CURSOR: %j was never given out',
    async (wrong) => {
      refused(await page(`cursor=${wrong}`));
    },
  );

  it('400 INVALID_CURSOR: one with a changed character', async () => {
    const changed = `${cursor.slice(0, 10)}${cursor[10] === 'A' ? 'B' : 'A'}${cursor.slice(11)}`;
    refused(await page(`cursor=${changed}`));
  });
});

describe('answers', () => {
  it('every one has a request id and the two safety headers', async () => {
    const answers = [
      await api.call('GET', balancePath()),
      await api.call('GET', '/secure/nothing'),
      await api.call('PATCH', balancePath()),
      await api.call('GET', balancePath(), { as: 'processor' }),
      await api.call('GET', balancePath(), { as: 'unregistered' }),
      await api.call('POST', `/secure/cards/${card.cardId}/unlock`),
      await api.call('GET', '/health/live', { listener: 'public' }),
      await api.call('GET', '/openapi.json', { listener: 'public' }),
      await api.call('GET', '/docs', { listener: 'public' }),
    ];
    for (const { headers } of answers) {
      expect(headers['x-request-id']).toMatch(UUID);
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-powered-by'] ?? headers['server']).toBeUndefined();
    }
    const key = await api.call('GET', '/public-key', { listener: 'public' });
    expect(key.headers['cache-control']).toBe('max-age=3600');
  });

  it('an error has title and detail, of a validation also its faults, and nothing else', async () => {
    const plain = await api.call('GET', '/secure/balances/11111111-1111-4111-8111-111111111111');
    expect(plain.status).toBe(404);
    expect(plain.body).toEqual({ title: 'BALANCE_NOT_FOUND', detail: expect.stringMatching(/^[A-Z].*\.$/) });
    const faulty = await api.call('POST', `/secure/customers/${card.customerId}/balances`, {
      body: { currency: 1, colour: 'red' },
    });
    expect(faulty.body).toEqual({
      title: 'VALIDATION_ERROR',
      detail: '2 fields are invalid.',
      errors: [
        { field: 'currency', message: 'must be an ISO 4217 code' },
        { field: 'colour', message: 'is not known here' },
      ],
    });
    expect(faulty.headers['content-type']).toBe('application/json; charset=UTF-8');
  });

  it('no error repeats what was sent, and none is encrypted', async () => {
    const SECRET = 'S3cretValue';
    const long = `${SECRET}${'x'.repeat(80)}`;
    const answers = [
      await api.call('GET', `/secure/${SECRET}`),
      await api.call('GET', `/secure/balances/${SECRET}`),
      await api.call('GET', `/secure/customers/${card.customerId}/balances?currency=${SECRET}`),
      await api.call('GET', `/secure/customers/${card.customerId}/balances?${long}=1`),
      await api.call('GET', `/secure/customers/${card.customerId}/balances?cursor=${SECRET}`),
      await api.call('GET', balancePath(), { headers: { 'Issuer-Code': SECRET } }),
      await api.call('GET', balancePath(), { headers: { 'Encrypt-Response': SECRET } }),
      await api.call('GET', balancePath(), { headers: { 'Encrypt-Response': 'true', 'Public-Key': SECRET } }),
      await api.call('POST', `/secure/cards/${card.cardId}/lock`, {
        headers: { 'X-Idempotency-Key': `${SECRET} ` + SECRET },
        body: { reason: 3 },
      }),
      await api.call('POST', `/secure/cards/${card.cardId}/lock`, { body: { reason: SECRET } }),
      await api.call('POST', `/secure/cards/${card.cardId}/lock`, { body: `{"${SECRET}` }),
      await api.call('POST', `/secure/cards/${card.cardId}/lock`, { body: { reason: 3, [long]: SECRET } }),
      await api.call('POST', `/secure/cards/${card.cardId}/lock`, {
        headers: { ...encrypted, 'Encrypted-Request': 'true' },
        body: { payload: `${SECRET}.a.b.c.d` },
      }),
      await api.call('GET', `/secure/balances/11111111-1111-4111-8111-111111111111`, { headers: encrypted }),
      await api.call('POST', '/processor/authorizations', { as: 'processor', body: { kind: SECRET } }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.text).not.toContain(SECRET);
      expect(answer.body).toMatchObject({ title: expect.any(String), detail: expect.any(String) });
    }
    expect(api.logLines().join('')).not.toContain(SECRET);
  });

  it('204: nothing to encrypt, though a key was sent; without a good key it is refused', async () => {
    const lock = (headers: Record<string, string>) =>
      api.call('POST', `/secure/cards/${card.cardId}/lock`, { headers, body: { reason: 3 } });
    const bad = await lock({ 'Encrypt-Response': 'true', 'Public-Key': 'x' });
    expect([bad.status, bad.body.title]).toEqual([400, 'INVALID_PUBLIC_KEY']);
    const good = await lock(encrypted);
    expect([good.status, good.text]).toEqual([204, '']);
    expect(good.headers['content-type']).toBeUndefined();
    await api.call('POST', `/secure/cards/${card.cardId}/unlock`);
  });

  it('never 5xx: ids as large as they may be, and odd ones, on every path', async () => {
    for (const one of allPaths(api.routes)) {
      for (const value of [
        '9007199254740991',
        '0',
        '-1',
        '1e3',
        '%00',
        "'",
        '%E2%82%AC',
        '%',
        'a'.repeat(300),
      ]) {
        const path = one.path.replaceAll(/\{\w+\}/g, value);
        if (path === one.path) continue;
        const answer = await api.call(one.method, path, {
          as: one.channel === 'processor' ? 'processor' : 'demo',
          headers: { ...lifecycle, ...encrypted, 'X-Idempotency-Key': 'odd-ids' },
          listener: one.channel === 'public' ? 'public' : 'certificate',
          ...(one.method === 'GET' ? {} : { body: {} }),
        });
        expect([one.method, path, answer.status >= 400 && answer.status < 500]).toEqual([
          one.method,
          path,
          true,
        ]);
      }
    }
  });
});
