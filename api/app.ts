import { Hono } from 'hono';
import { Refusal } from '../domain/errors.ts';
import type { AnyChannel } from './channel.ts';
import { mount, type MountedRoute, refuseOtherMethods } from './mount.ts';
import { addressIn } from './exchange.ts';
import { COMMON_HEADERS, failureOf, finishRequest } from './finish-request.ts';
import { toResponse } from './hono-exchange.ts';
import { requestIdOf } from './middleware/request-id.ts';
import { rateHeaders } from './rate-standing.ts';
import { beginFacts, factsOf, incomingOf } from './request-facts.ts';
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
    for (const [name, value] of Object.entries({ ...COMMON_HEADERS, ...rateHeaders(facts.rate) })) {
      if (!headers.has(name)) headers.set(name, value);
    }
    finishRequest(services, listener, context.req.method, facts, {
      status,
      durationMs: performance.now() - startedAtMs,
      ip: addressIn(incomingOf(context.env), services.isTrustedProxy),
      error: context.error,
      replayed: headers.has('idempotency-replayed'),
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
  app.onError((error, context) => toResponse(failureOf(services, factsOf(context), error)));
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
