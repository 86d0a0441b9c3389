import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from '../../activities/partner/address-guard.ts';
import { createPartnerClient, type PartnerEndpoint } from '../../activities/partner/client.ts';
import { openAuthority } from '../../simulators/partner/certificates.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const LOOPBACK = ['127.0.0.0/8', '::1'];

function client(options: { allow?: string[]; dev?: boolean } = {}) {
  const guard = createAddressGuard({ allow: LOOPBACK, dev: true, ...options });
  const made = createPartnerClient({ guard, userAgent: 'Cardloom/test' });
  closers.push(() => made.close());
  return made;
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const endpoint = (baseUrl: string, changes: Partial<PartnerEndpoint> = {}): PartnerEndpoint => ({
  connectionId: 1,
  baseUrl,
  clientCertificate: null,
  basic: null,
  serverCaPem: null,
  signingSecrets: [],
  maxConcurrency: 2,
  ...changes,
});

const notice = {
  method: 'POST',
  path: '/notifications/cardLocked',
  idempotencyKey: 'key-1',
  body: Buffer.from('{}'),
  deadlineMs: 300,
  accepts: [200, 204],
} as const;

/** The outcome of one call to a plain server that answers so. */
async function outcome(answer: RequestListener) {
  const port = await listen(createHttpServer({ maxHeaderSize: 64_000 }, answer));
  return await client().call(endpoint(`http://localhost:${port}`), notice);
}

describe('the outcome of a call', () => {
  it.each([
    ['204', 204, '', 'ACCEPTED', null],
    ['200 with any body', 200, 'fine', 'ACCEPTED', null],
    ['202', 202, '', 'HTTP_ERROR', null],
    ['a redirect, which is not followed', 302, '', 'HTTP_ERROR', null],
    ['4xx with a title', 422, '{"title":"card_unknown"}', 'REFUSED', 'CARD_UNKNOWN'],
    ['4xx without one', 404, 'not here', 'HTTP_ERROR', null],
    ['4xx with a title that is a sentence', 400, '{"title":"Ada Nowak is unknown"}', 'HTTP_ERROR', null],
    ['408', 408, '{"title":"LATE"}', 'HTTP_ERROR', 'LATE'],
    ['5xx', 503, '{"title":"DOWN"}', 'HTTP_ERROR', 'DOWN'],
  ])('%s', async (_what, status, body, expected, title) => {
    const answer = await outcome((_request, response) => {
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(body);
    });
    expect(answer).toMatchObject({ outcome: expected, httpStatus: status, title });
  });

  it('tells the pause a partner asks for', async () => {
    const answer = await outcome((_request, response) =>
      response.writeHead(503, { 'retry-after': '7' }).end(),
    );
    expect(answer.retryAfterMs).toBe(7_000);
  });

  it('is TIMEOUT when no answer comes, or only half of one', async () => {
    expect(await outcome(() => undefined)).toMatchObject({ outcome: 'TIMEOUT', httpStatus: null });
    expect(await outcome((_request, response) => void response.writeHead(200).write('half'))).toMatchObject({
      outcome: 'TIMEOUT',
    });
  });

  it('is RESET when the partner hangs up', async () => {
    expect(await outcome((request) => request.socket.destroy())).toMatchObject({ outcome: 'RESET' });
  });

  it('is MALFORMED for a large body, large headers, a packed body, and what is no HTTP', async () => {
    const large = await outcome((_request, response) => response.end('x'.repeat(70_000)));
    const headers = await outcome((_request, response) =>
      response.setHeader('x-long', 'x'.repeat(20_000)).end(),
    );
    const packed = await outcome((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}')),
    );
    const port = await listen(
      createTcpServer((socket) => void socket.once('data', () => socket.write('what?'))),
    );
    const foreign = await client().call(endpoint(`http://localhost:${port}`), notice);
    expect([large, headers, packed, foreign].map((one) => one.outcome)).toEqual([
      'MALFORMED',
      'MALFORMED',
      'MALFORMED',
      'MALFORMED',
    ]);
  });

  it('is CONNECT_FAILED when nobody listens or the name is unknown', async () => {
    const refused = await client().call(endpoint('http://localhost:1'), notice);
    const unknown = await client().call(endpoint('https://nobody.invalid'), { ...notice, deadlineMs: 5_000 });
    expect([refused.outcome, unknown.outcome]).toEqual(['CONNECT_FAILED', 'CONNECT_FAILED']);
  });

  it('is TLS_FAILED for an authority that is not trusted, also one the partner does not trust', async () => {
    const authority = await openAuthority(null);
    const port = await listen(
      createTlsServer(
        {
          cert: authority.serverCertificatePem,
          key: authority.serverKeyPem,
          ca: authority.caPem,
          requestCert: true,
          rejectUnauthorized: true,
        },
        (_request, response) => response.writeHead(204).end(),
      ),
    );
    const url = `https://localhost:${port}`;
    const untrusted = await client().call(endpoint(url), notice);
    const unknownToPartner = await client().call(endpoint(url, { serverCaPem: authority.caPem }), notice);
    expect(untrusted.outcome).toBe('TLS_FAILED');
    expect(['TLS_FAILED', 'RESET']).toContain(unknownToPartner.outcome);
  });

  it.each([
    ['a name that leads to this machine', { allow: [] }, 'http://localhost:1'],
    ['plain http outside development', { dev: false }, 'http://localhost:8443'],
    ['a port that is not allowed', { dev: false }, 'https://localhost:1234'],
    ['an address instead of a name', {}, 'https://127.0.0.1:8443'],
    ['an address of six', {}, 'https://[::1]:8443'],
    ['a user in the address', {}, 'https://me@localhost:8443'],
  ])('is BLOCKED_ADDRESS for %s', async (_what, options, url) => {
    expect(await client(options).call(endpoint(url), notice)).toMatchObject({ outcome: 'BLOCKED_ADDRESS' });
  });
});

it('no more calls than allowed are under way at once, and none is lost', async () => {
  let running = 0;
  let most = 0;
  const port = await listen(
    createHttpServer((_request, response) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        response.writeHead(204).end();
      }, 20);
    }),
  );
  const one = client();
  const calls = Array.from({ length: 12 }, () => one.call(endpoint(`http://localhost:${port}`), notice));
  const answers = await Promise.all(calls);
  expect(most).toBe(2);
  expect(new Set(answers.map((answer) => answer.outcome))).toEqual(new Set(['ACCEPTED']));
});

it('Basic credentials and one signature for each live secret go along', async () => {
  const seen: Record<string, unknown>[] = [];
  const port = await listen(
    createHttpServer((request, response) => {
      seen.push(request.headers);
      response.writeHead(204).end();
    }),
  );
  const secret = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString('base64')}`;
  const to = endpoint(`http://localhost:${port}`, {
    basic: { user: 'us', password: 'p:w' },
    signingSecrets: [secret(1), secret(2)],
  });
  await client().call(to, notice);
  expect(seen[0]?.['authorization']).toBe(`Basic ${Buffer.from('us:p:w').toString('base64')}`);
  expect(String(seen[0]?.['webhook-signature']).split(' ')).toHaveLength(2);
});
