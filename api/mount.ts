import type { Hono } from 'hono';
import { Refusal } from '../domain/errors.ts';
import type { AnyChannel } from './channel.ts';
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
  const methods = new Map<string, Set<Method>>();
  for (const route of one.routes) {
    assertDeclared(one, route);
    const paths = [{ method: route.method, path: route.path }, ...(route.aliases ?? [])];
    for (const alias of paths) {
      const method = alias.method ?? route.method;
      const path = one.prefix + alias.path.replaceAll(/\{(\w+)\}/g, ':$1');
      app.on(method, path, (context) => serveRoute(services, one, route, context));
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
  return one.routes.map((route) => ({ channel: one.name, prefix: one.prefix, route }));
}

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
