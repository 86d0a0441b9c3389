import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../domain/settings.ts';
import { apiSettings, crossFaults } from '../../api/config.ts';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';

const APP = 'https://app.test';

let api: ApiHarness;

beforeAll(async () => {
  api = await startApi({ corsOrigins: [APP, 'https://web.test'] });
}, 120_000);
afterAll(async () => {
  await api.stop();
});

const ask = (method: string, path: string, headers: Record<string, string>): Promise<HttpAnswer> =>
  api.call(method, path, { as: 'nobody', listener: 'public', headers });
const preflight = (origin: string) =>
  ask('OPTIONS', '/customers/sessions', {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'content-type,issuer-code',
  });
const allowed = (answer: HttpAnswer) => answer.headers['access-control-allow-origin'];

describe('a page of a listed origin', () => {
  it('may ask with which methods and headers it may call, and never with a cookie', async () => {
    const answer = await preflight(APP);
    expect([answer.status, allowed(answer)]).toEqual([204, APP]);
    expect(answer.headers['access-control-allow-methods']).toBe('GET,POST,PUT,DELETE');
    expect(answer.headers['access-control-allow-headers']?.split(',')).toContain('Issuer-Code');
    expect(answer.headers['access-control-max-age']).toBe('600');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('reads answers, refusals too, and what stands in their headers', async () => {
    const refused = await ask('GET', '/customers/me', { Origin: APP });
    expect([refused.status, refused.body.title, allowed(refused)]).toEqual([401, 'UNAUTHENTICATED', APP]);
    expect(refused.headers['access-control-expose-headers']?.split(',')).toContain('Retry-After');
    expect(refused.headers['vary']).toBe('Origin');
    const missing = await ask('GET', '/no/such/route', { Origin: 'https://web.test' });
    expect([missing.status, allowed(missing)]).toEqual([404, 'https://web.test']);
  });
});

it.each(['https://app.test.evil.test', 'http://app.test', 'null'])(
  'a page of %s reads nothing',
  async (origin) => {
    expect(allowed(await preflight(origin))).toBeUndefined();
    expect(allowed(await ask('GET', '/public-key', { Origin: origin }))).toBeUndefined();
  },
);

it.each([
  ['https://app.test', false],
  ['http://localhost:5173', false],
  ['https://app.test/', true],
  ['https://app.test/page', true],
  ['*', true],
  ['app.test', true],
])('%s in the setting is a fault: %s', (origin, fault) => {
  const { values } = readSettings(apiSettings, {}, () => '');
  const names = crossFaults({ ...values, PUBLIC_CORS_ORIGINS: [origin] }).map((one) => one.name);
  expect(names.includes('PUBLIC_CORS_ORIGINS')).toBe(fault);
});

it('without the setting nobody does, and the certificate listener never answers so', async () => {
  const { values } = readSettings(apiSettings, {}, () => '');
  expect(values.PUBLIC_CORS_ORIGINS).toEqual([]);
  const answer = await api.call('GET', '/public-key', { headers: { Origin: APP } });
  expect([answer.status, allowed(answer)]).toEqual([200, undefined]);
});
