import { readFileSync } from 'node:fs';
import { Hono, type Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { isSameText } from './authentication.ts';
import type { Control, Since } from './control.ts';
import type { Feed } from './feed.ts';
import { modes, modeSchema } from './modes.ts';
import { ruleSchema } from './rules.ts';

const page = readFileSync(new URL('./inspect-page.html', import.meta.url), 'utf8');
const pagePolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";
/** A comment line keeps proxies and browsers from taking a quiet stream for a dead one. */
const heartbeatMs = 15_000;

const accountSchema = z.strictObject({
  userId: z.union([z.string(), z.int()]).transform(String).nullable(),
  currency: z.string().regex(/^[A-Z]{3}$/),
  amount: z.int(),
});
const csrSchema = z.strictObject({ csrPem: z.string().max(16_384) });
const sinceSchema = z
  .union([
    z
      .string()
      .regex(/^[0-9]+$/)
      .transform(Number),
    z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
  ])
  .optional();

/**
 * The control API under `/control` and the inspect page at `/`. `token` guards everything but the health and
 * the page, which holds no data; null: no token is asked for.
 */
export function createControlApi(control: Control, feed: Feed, token: string | null): Hono {
  const app = new Hono();
  app.get('/', (c) =>
    c.html(page, 200, { 'Content-Security-Policy': pagePolicy, 'Cache-Control': 'no-store' }),
  );
  app.get('/control/health', (c) => c.json({ status: 'UP' }));
  app.use('/control/*', async (c, next) => {
    const given = c.req.header('Authorization') ?? '';
    if (token !== null && !isSameText(given, `Bearer ${token}`)) {
      return c.json({ title: 'UNAUTHENTICATED', detail: 'The bearer token is missing or wrong.' }, 401);
    }
    return next();
  });

  app.get('/control/state', (c) => c.json({ ...control.state(), modes }));
  app.put('/control/mode', async (c) => {
    const mode = modeSchema.safeParse(await readJson(c));
    if (!mode.success) return invalid(c, mode.error);
    await control.setMode(mode.data);
    return c.json(mode.data);
  });

  app.get('/control/rules', (c) => c.json(control.rules()));
  app.put('/control/rules', async (c) => {
    const rules = z.array(ruleSchema).safeParse(await readJson(c));
    if (!rules.success) return invalid(c, rules.error);
    control.setRules(rules.data);
    return c.json(control.rules());
  });
  app.post('/control/rules', async (c) => {
    const rule = ruleSchema.safeParse(await readJson(c));
    if (!rule.success) return invalid(c, rule.error);
    control.addRule(rule.data);
    return c.json(rule.data, 201);
  });
  app.delete('/control/rules/:name', (c) =>
    control.removeRule(c.req.param('name')) ? c.body(null, 204) : notFound(c),
  );

  app.get('/control/accounts', (c) => c.json(control.accounts()));
  app.put('/control/accounts/:balanceId', async (c) => {
    const account = accountSchema.safeParse(await readJson(c));
    if (!account.success) return invalid(c, account.error);
    const { userId, currency, amount } = account.data;
    return c.json(control.setAccount(c.req.param('balanceId'), userId, currency, amount));
  });
  app.get('/control/transactions', (c) => c.json(control.transactions(c.req.query())));
  app.get('/control/transactions/:id', (c) => {
    const found = control.transactions({ id: c.req.param('id') });
    return found.length === 0 ? notFound(c) : c.json(found);
  });

  app.get('/control/requests', (c) => {
    const since = readSince(c);
    if (!since.success) return invalid(c, since.error);
    const { operation, key } = c.req.query();
    return c.json(control.requests(given({ operation, key, since: since.data })));
  });
  app.get('/control/requests/:n', (c) => {
    const request = control.request(Number(c.req.param('n')));
    return request === undefined ? notFound(c) : c.json(request);
  });

  app.get('/control/inbox', (c) => {
    const since = readSince(c);
    if (!since.success) return invalid(c, since.error);
    return c.json(control.inbox(given({ kind: c.req.query('kind'), since: since.data })));
  });
  app.delete('/control/inbox', (c) => {
    control.clearInbox();
    return c.body(null, 204);
  });
  app.get('/control/violations', (c) => c.json(control.violations()));
  app.delete('/control/violations', (c) => {
    control.clearViolations();
    return c.body(null, 204);
  });

  app.post('/control/csr', async (c) => {
    const body = csrSchema.safeParse(await readJson(c));
    if (!body.success) return invalid(c, body.error);
    const signed = await control.signCsr(body.data.csrPem);
    if (signed !== null) return c.json(signed, 201);
    return c.json({ title: 'VALIDATION_ERROR', detail: 'csrPem: not a signed PKCS#10 request in PEM' }, 400);
  });
  app.post('/control/reset', async (c) => {
    await control.reset();
    return c.body(null, 204);
  });
  app.get('/control/stream', (c) => streamSSE(c, (stream) => follow(stream, feed)));

  app.notFound((c) => notFound(c));
  app.onError((_error, c) => c.json({ title: 'INTERNAL_ERROR', detail: 'The simulator failed.' }, 500));
  return app;
}

type SseStream = Parameters<Parameters<typeof streamSSE>[1]>[0];

async function follow(stream: SseStream, feed: Feed): Promise<void> {
  const unsubscribe = feed.subscribe(({ kind, data }) => {
    stream.writeSSE({ event: kind, data: JSON.stringify(data) }).catch(() => stream.abort());
  });
  stream.onAbort(unsubscribe);
  await stream.write(': connected\n\n');
  while (!stream.aborted && !stream.closed) {
    await stream.sleep(heartbeatMs);
    await stream.write(': alive\n\n');
  }
  unsubscribe();
}

async function readJson(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    return undefined;
  }
}

function readSince(c: Context): z.ZodSafeParseResult<Since | undefined> {
  return sinceSchema.safeParse(c.req.query('since'));
}

/** The object without the members that are undefined. */
function given<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const present = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: NonNullable<T[K]> };
}

function invalid(c: Context, error: z.ZodError): Response {
  const detail = error.issues
    .map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`)
    .join('; ');
  return c.json({ title: 'VALIDATION_ERROR', detail }, 400);
}

function notFound(c: Context): Response {
  return c.json({ title: 'NOT_FOUND', detail: 'There is nothing under this address.' }, 404);
}
