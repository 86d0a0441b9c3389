import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyChannel } from './channel.ts';
import { addressIn, type Exchange, type Written } from './exchange.ts';
import { COMMON_HEADERS, failureOf, finishRequest } from './finish-request.ts';
import { requestIdOf } from './middleware/request-id.ts';
import { rateHeaders } from './rate-standing.ts';
import { newFacts } from './request-facts.ts';
import type { Route } from './route.ts';
import { serveRoute } from './serve-route.ts';
import type { Services } from './services.ts';

/** Takes a request and answers it; false leaves it to the router. */
export type Direct = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/**
 * Serves paths without parameters, sent just as they are declared, without the router and its request and response
 * objects, which cost more than the decision of an authorization. The same pipeline, errors, headers and log line;
 * everything else, also the same path written another way, is the router's.
 */
export function createDirect(services: Services, listener: string, channels: readonly AnyChannel[]): Direct {
  const served = new Map<string, { readonly channel: AnyChannel; readonly route: Route }>();
  for (const channel of channels) {
    for (const route of channel.routes) {
      for (const path of [route.path, ...(route.aliases ?? []).map((alias) => alias.path)]) {
        if (route.method === 'POST' && !path.includes('{')) {
          served.set(channel.prefix + path, { channel, route });
        }
      }
    }
  }
  return (incoming, outgoing) => {
    const found = incoming.method === 'POST' ? served.get(incoming.url ?? '') : undefined;
    if (found === undefined) return false;
    void answer(services, listener, found.channel, found.route, incoming, outgoing);
    return true;
  };
}

async function answer(
  services: Services,
  listener: string,
  channel: AnyChannel,
  route: Route,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const startedAtMs = performance.now();
  const facts = newFacts(requestIdOf(headerOf(incoming, 'x-request-id') ?? undefined));
  const exchange: Exchange = {
    method: 'POST',
    facts,
    header: (name) => headerOf(incoming, name),
    param: () => '',
    params: () => NO_PARAMS,
    search: '',
    ip: addressIn(incoming, services.isTrustedProxy),
    socket: incoming.socket,
    source: incoming,
  };
  let error: Error | undefined;
  let written: Written;
  try {
    written = await serveRoute(services, channel, route, exchange);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error('something was thrown that is no error');
    written = failureOf(services, facts, error);
  }
  const { status, headers, content } = written;
  outgoing.writeHead(status, {
    ...COMMON_HEADERS,
    ...rateHeaders(facts.rate),
    'X-Request-Id': facts.requestId,
    'Content-Length': facts.bytes ?? 0,
    ...headers,
  });
  outgoing.end(content ?? '');
  finishRequest(services, listener, 'POST', facts, {
    status,
    durationMs: performance.now() - startedAtMs,
    ip: exchange.ip,
    error,
    replayed: 'Idempotency-Replayed' in headers,
  });
}

const NO_PARAMS: Readonly<Record<string, string>> = {};

/** Several of one name are joined, as the router's requests have them. */
const headerOf = (incoming: IncomingMessage, name: string): string | null => {
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? null);
};
