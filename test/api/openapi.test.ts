import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiHarness, type HttpAnswer, startApi } from '../support/harness.ts';
import { allPaths } from '../support/route-paths.ts';

/** The essentials of an OpenAPI 3.1 document. */
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: object }[];
  readonly requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, object>;
    readonly securitySchemes: Record<string, object>;
  };
}

let api: ApiHarness;
let document: Document;

const get = (path: string): Promise<HttpAnswer> => api.call('GET', path, { listener: 'public' });

beforeAll(async () => {
  api = await startApi();
  document = (await get('/openapi.json')).body;
});

afterAll(async () => {
  await api.stop();
});

const operations = (): { path: string; method: string; operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('GET /openapi.json', () => {
  it('200: JSON, OpenAPI 3.1, without any certificate', async () => {
    const answer = await get('/openapi.json');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8');
    expect(document.openapi).toMatch(/^3\.1\.[0-9]+$/);
    expect(document.info).toMatchObject({ title: 'Cardloom', version: expect.stringMatching(/^[0-9]+\./) });
  });

  it('describes every mounted route with every alias, and nothing else', () => {
    const mounted = allPaths(api.routes).map(({ method, path }) => `${method} ${path}`);
    const described = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toEqual([...new Set(mounted)].toSorted());
  });

  it('names each operation once', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]+$/);
  });

  it('declares exactly the parameters that a path has, all required', () => {
    for (const { path, operation } of operations()) {
      const inPath = (operation.parameters ?? []).filter((one) => one.in === 'path');
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect([path, inPath.map((one) => one.name).toSorted()]).toEqual([path, named.toSorted()]);
      expect(inPath.every((one) => one.required === true)).toBe(true);
    }
  });

  it('resolves every reference inside the document', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]);
    expect(references.length).toBeGreaterThan(10);
    for (const reference of new Set(references)) {
      expect(reference).toMatch(/^#\//);
      const found = (reference as string)
        .slice(2)
        .split('/')
        .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], document);
      expect([reference, typeof found]).toEqual([reference, 'object']);
    }
  });

  it('gives every operation a summary, a 2xx answer and the errors in their one shape', () => {
    const error = expect.objectContaining({ schema: { $ref: '#/components/schemas/Error' } });
    for (const { path, method, operation } of operations()) {
      const statuses = Object.keys(operation.responses);
      expect([path, method, operation.summary.length > 5]).toEqual([path, method, true]);
      expect(statuses.some((status) => status.startsWith('2'))).toBe(true);
      expect(statuses).toContain('400');
      expect(operation.responses['500']?.content?.['application/json']).toEqual(error);
      expect(operation.responses['400']?.content?.['application/json']).toEqual(error);
    }
  });

  it('asks for the client certificate or session, the Issuer-Code and the idempotency key where the routes do', () => {
    const headersOf = (operation: Operation) =>
      Object.fromEntries(
        (operation.parameters ?? []).filter((one) => one.in === 'header').map((one) => [one.name, one]),
      );
    for (const { channel, method, path, route } of allPaths(api.routes)) {
      const operation = document.paths[path]?.[method.toLowerCase()] as Operation;
      const headers = headersOf(operation);
      const open =
        ['public', 'entry'].includes(channel) || (channel === 'admin' && route.role === 'nobody-asked');
      const certificate = open || path === '/public-key' ? undefined : 'given';
      if (path !== '/public-key')
        expect(operation.security === undefined ? undefined : 'given').toBe(certificate);
      if (channel === 'lifecycle') expect(headers['Issuer-Code']?.required).toBe(true);
      expect([path, headers['X-Idempotency-Key']?.required ?? false]).toEqual([
        path,
        route.idempotency === 'required',
      ]);
      expect('X-Idempotency-Key' in headers).toBe(route.idempotency !== 'ignored');
      expect('Public-Key' in headers).toBe(route.jwe !== 'none');
      expect([path, operation.requestBody !== undefined]).toEqual([path, route.body !== undefined]);
    }
  });

  it('holds no address, no person and no secret', () => {
    const text = JSON.stringify(document);
    expect(text).not.toMatch(/https?:\/\/(?!json-schema\.org)/);
    expect(text).not.toMatch(/BEGIN|whsec_|postgres:/);
  });

  it('405: another method', async () => {
    const answer = await api.call('POST', '/openapi.json', { listener: 'public', body: {} });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET']);
  });
});

describe('GET /docs', () => {
  it('200: a page whose every file comes from us', async () => {
    const page = await get('/docs');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=UTF-8']);
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) {
      expect(file).toMatch(/^\/docs\//);
      const answer = await get(file);
      expect([file, answer.status]).toEqual([file, 200]);
      expect(answer.headers['content-type']).toMatch(
        file.endsWith('.css') ? /^text\/css/ : /^text\/javascript/,
      );
    }
  });

  it('lets the browser ask no other host', async () => {
    const policy = (await get('/docs')).headers['content-security-policy'] as string;
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/https?:|\*/);
    const start = (await get('/docs/start.js')).text;
    expect(start).toContain("url: '/openapi.json'");
    // Swagger UI would otherwise send the description to a validator of its makers.
    expect(start).toContain('validatorUrl: null');
    expect((await get('/docs')).text).not.toMatch(/https?:\/\//);
  });

  it('404: other files of the package, and ways out of its folder', async () => {
    for (const path of ['/docs/package.json', '/docs/swagger-ui.js', '/docs/..%2fpackage.json', '/docs/x']) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
  });

  it('is not on the certificate listener', async () => {
    for (const path of ['/docs', '/openapi.json', '/health/live', '/webhooks/kyc/simulator']) {
      expect([path, (await api.call('GET', path)).status]).toEqual([path, 404]);
    }
  });
});
