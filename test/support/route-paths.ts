import type { MountedRoute } from '../../api/mount.ts';
import type { ChannelName, Method, Route } from '../../api/route.ts';

/** One way to reach a route: its path or one of its aliases. */
export interface RoutePath {
  readonly channel: ChannelName;
  readonly method: Method;
  /** With its prefix, parameters in braces. */
  readonly path: string;
  readonly route: Route;
}

/** Every method and path that is served, aliases too. */
export const allPaths = (routes: readonly MountedRoute[]): RoutePath[] =>
  routes.flatMap(({ channel, prefix, route }) =>
    [{ path: route.path }, ...(route.aliases ?? [])].map((one) => ({
      channel,
      method: ('method' in one ? one.method : undefined) ?? route.method,
      path: prefix + one.path,
      route,
    })),
  );

/** A path with its parameters put in; what `values` does not have becomes 1. */
export const fill = (path: string, values: Readonly<Record<string, string | number>> = {}): string =>
  path.replaceAll(/\{(\w+)\}/g, (_braces, name: string) => String(values[name] ?? 1));
