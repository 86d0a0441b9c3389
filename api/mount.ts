import type { Hono } from 'hono';
import { Refusal } from '../domain/errors.ts';
import type { AnyChannel } from './channel.ts';
import { exchangeOf, toResponse } from './hono-exchange.ts';
import type { ChannelName, Method, Route } from './route.ts';
import { serveRoute } from './serve-route.ts';
import type { Services } from './services.ts';

/** A route as it is served, with all its paths: what OpenAPI and the generated tests are made from. */
export interface MountedRoute {
  readonly channel: ChannelName;
  readonly prefix: string;
  readonly route: Route;
}

/**
 * Mounts a channel's routes. A route that does not say its channel, role and owner rule is a defect and
 * keeps the process from starting, so nothing undeclared is ever served.
 */
export function mount(app: Hono, services: Services, one: AnyChannel): MountedRoute[] {
  for (const route of one.routes) {
    assertDeclared(one, route);
    for (const { method, path } of pathsOf(one, route)) {
      app.on(method, path, async (context) =>
        toResponse(await serveRoute(services, one, route, exchangeOf(context, services.isTrustedProxy))),
      );
    }
  }
  return one.routes.map((route) => ({ channel: one.name, prefix: one.prefix, route }));
}

/** Answers 405 on every path for the methods that none of the channels takes; after all are mounted. */
export function refuseOtherMethods(app: Hono, channels: readonly AnyChannel[]): void {
  const methods = new Map<string, Set<Method>>();
  for (const one of channels) {
    for (const { method, path } of one.routes.flatMap((route) => pathsOf(one, route))) {
      methods.set(path, (methods.get(path) ?? new Set()).add(method));
    }
  }
  for (const [path, allowed] of methods) {
    app.all(path, () => {
      throw new Refusal('METHOD_NOT_ALLOWED', 'This path does not take that method.', {
        allow: [...allowed],
      });
    });
  }
}

const pathsOf = (one: AnyChannel, route: Route): { method: Method; path: string }[] =>
  [{ path: route.path }, ...(route.aliases ?? [])].map((alias) => ({
    method: ('method' in alias ? alias.method : undefined) ?? route.method,
    path: one.prefix + alias.path.replaceAll(/\{(\w+)\}/g, ':$1'),
  }));

function assertDeclared(one: AnyChannel, route: Partial<Route>): void {
  const missing = (['operation', 'method', 'path', 'role', 'owner', 'jwe', 'idempotency'] as const).filter(
    (member) => route[member] === undefined,
  );
  if (one.name === undefined) missing.push('operation');
  if (missing.length > 0) {
    throw new Error(
      `route ${route.operation ?? route.path ?? '?'} of ${one.prefix} lacks ${missing.join(', ')}`,
    );
  }
}
