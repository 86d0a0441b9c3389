import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Refusal } from '../domain/errors.ts';
import type { AnyChannel } from './channel.ts';
import { mount, type MountedRoute } from './mount.ts';
import { defect, toErrorAnswer } from './errors.ts';
import { requestIdOf } from './middleware/request-id.ts';
import { addressOf, type RequestFacts } from './request-facts.ts';
import type { Services } from './services.ts';

export interface App {
  readonly hono: Hono;
  readonly routes: readonly MountedRoute[];
}

const MAX_URL_BYTES = 2048;

/** One listener's application: its channels, one error shape, one log line a request. */
export function createApp(services: Services, listener: string, channels: readonly AnyChannel[]): App {
  const app = new Hono({ getPath });
  app.use('*', async (context, next) => {
    const startedAtMs = performance.now();
    const facts: RequestFacts = { route: null, principal: null, partnerId: null };
    context.set('facts' as never, facts as never);
    if (context.req.url.length > MAX_URL_BYTES)
      throw new Refusal('PAYLOAD_TOO_LARGE', 'The address is too long.');
    await next();
    logRequest(services, listener, context.req.method, facts, {
      status: context.res.status,
      durationMs: performance.now() - startedAtMs,
      requestId: context.res.headers.get('x-request-id'),
      ip: addressOf(context),
      errorTitle: context.error instanceof Refusal ? context.error.code : undefined,
      replayed: context.res.headers.has('idempotency-replayed') || undefined,
    });
  });
  const routes = channels.flatMap((one) => mount(app, services, one));
  app.notFound(() => {
    throw new Refusal('NOT_FOUND', 'There is no such route.');
  });
  app.onError((error, context) => {
    const requestId = requestIdOf(context.req.header('x-request-id'));
    if (!(error instanceof Refusal))
      services.logger.error({ requestId, fault: describe(error) }, 'request failed');
    const answer = toErrorAnswer(error instanceof Refusal ? error : translate(error, requestId));
    context.header('X-Request-Id', requestId);
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
    for (const [name, value] of Object.entries(answer.headers)) context.header(name, value);
    return context.json(answer.body, answer.status as ContentfulStatusCode);
  });
  return { hono: app, routes };
}

/**
 * The path as routes see it: first segment in lower case, one trailing slash dropped; anything a path could be
 * disguised with leads nowhere (channels 1).
 */
function getPath(request: Request): string {
  const path = /^[a-z]+:\/\/[^/]+([^?#]*)/i.exec(request.url)?.[1] ?? '/';
  if (/\/\/|\/\.\.?(\/|$)|%2f|%5c|%2e|\\/i.test(path)) return '/-';
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return trimmed.replace(/^\/[^/]*/, (segment) => segment.toLowerCase());
}

const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01',
  '57P03',
  '53300',
  '08006',
  '08001',
]);

/** A database that is away is not a defect: the caller may send the request again. */
function translate(error: Error, requestId: string): Refusal {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const away =
    UNAVAILABLE.has(code) ||
    /Connection terminated|timeout exceeded when trying to connect/.test(error.message);
  return away
    ? new Refusal('SERVICE_UNAVAILABLE', 'A part of the platform is not available. Send the request again.')
    : defect(requestId);
}

// Messages of the database and of libraries can hold values, so a fault is logged by its kind and place alone.
const describe = (error: Error): Record<string, unknown> => ({
  name: error.name,
  code: 'code' in error ? error.code : undefined,
  at: error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim()),
});

function logRequest(
  services: Services,
  listener: string,
  method: string,
  facts: RequestFacts,
  outcome: Record<string, unknown> & { durationMs: number },
): void {
  services.logger.info(
    { listener, method, ...facts, ...outcome, durationMs: Math.round(outcome.durationMs * 10) / 10 },
    'request',
  );
}
