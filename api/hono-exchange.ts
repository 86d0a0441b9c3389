import type { Context } from 'hono';
import { addressIn, type Exchange, type Written } from './exchange.ts';
import { factsOf, incomingOf } from './request-facts.ts';
import type { Services } from './services.ts';

/** A request that the router found its route for. */
export function exchangeOf(context: Context, isTrustedProxy: Services['isTrustedProxy']): Exchange {
  const { req } = context;
  const incoming = incomingOf(context.env);
  const question = req.url.indexOf('?');
  return {
    method: req.method,
    facts: factsOf(context),
    header: (name) => req.header(name) ?? null,
    param: (name) => req.param(name) ?? '',
    params: () => req.param(),
    search: question < 0 ? '' : req.url.slice(question + 1),
    ip: addressIn(incoming, isTrustedProxy),
    socket: incoming?.socket ?? null,
    source: incoming ?? req.raw.body,
  };
}

/** An answer as the router gives it on. */
export const toResponse = ({ status, headers, content }: Written): Response =>
  new Response(content, { status, headers });
