import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Refusal } from '../domain/errors.ts';
import type { AnyChannel } from './channel.ts';
import { mount, type MountedRoute, refuseOtherMethods } from './mount.ts';
import { defect, toErrorAnswer } from './errors.ts';
import { requestIdOf } from './middleware/request-id.ts';
import { addressOf, beginFacts, factsOf, incomingOf, type RequestFacts } from './request-facts.ts';
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
    const facts = beginFacts(context, requestIdOf(context.req.header('x-request-id')));
    await next();
    const { headers, status } = context.res;
    headers.set('X-Request-Id', facts.requestId);
    headers.set('X-Content-Type-Options', 'nosniff');
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
    logRequest(services, listener, context.req.method, facts, {
      status,
      durationMs: performance.now() - startedAtMs,
      ip: addressOf(context),
      errorTitle: context.error instanceof Refusal ? context.error.code : undefined,
      replayed: headers.has('idempotency-replayed') || undefined,
    });
  });
  app.use('*', async (context, next) => {
    if (targetOf(context.req.raw, context.env).length > MAX_URL_BYTES)
      throw new Refusal('PAYLOAD_TOO_LARGE', 'The address is too long.');
    await next();
  });
  const routes = channels.flatMap((one) => mount(app, services, one));
  refuseOtherMethods(app, channels);
  app.notFound(() => {
    throw new Refusal('NOT_FOUND', 'There is no such route.');
  });
  app.onError((error, context) => {
    const facts = factsOf(context);
    if (!(error instanceof Refusal))
      services.logger.error({ requestId: facts.requestId, fault: describe(error) }, 'request failed');
    const answer = toErrorAnswer(error instanceof Refusal ? error : translate(error, facts.requestId));
    const text = JSON.stringify(answer.body);
    facts.bytes = Buffer.byteLength(text);
    return context.body(text, answer.status as ContentfulStatusCode, {
      'Content-Type': 'application/json; charset=UTF-8',
      ...answer.headers,
    });
  });
  return { hono: app, routes };
}

/** What was asked for, as it was sent: the URL of a `Request` has its dot segments resolved already. */
const targetOf = (request: Request, env: unknown): string => incomingOf(env)?.url ?? request.url;

/**
 * The path as routes see it: first segment in lower case, one trailing slash dropped; anything a path could be
 * disguised with leads nowhere (channels 1).
 */
function getPath(request: Request, options?: { readonly env?: unknown }): string {
  const path = /^(?:[a-z]+:\/\/[^/?#]*)?([^?#]*)/i.exec(targetOf(request, options?.env))?.[1] ?? '';
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
  // Locks and statements that took too long, after `atomically` has tried again.
  '40001',
  '40P01',
  '55P03',
  '57014',
]);

/** A database that is away or too busy is not a defect: the caller may send the request again. */
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
  outcome: Record<string, unknown> & { status: number; durationMs: number },
): void {
  services.metrics.request({
    listener,
    route: facts.route ?? 'none',
    method,
    status: outcome.status,
    durationMs: outcome.durationMs,
  });
  services.logger.info(
    { listener, method, ...facts, ...outcome, durationMs: Math.round(outcome.durationMs * 10) / 10 },
    'request',
  );
}
