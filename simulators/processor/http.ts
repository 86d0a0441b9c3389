import { createServer as createHttpServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import { createAdaptorServer } from '@hono/node-server';
import type { Context } from 'hono';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { SimulatorError } from './errors.ts';

export type App = Hono<{ Bindings: HttpBindings }>;
export type AppContext = Context<{ Bindings: HttpBindings }>;

/** A running listener; `close` ends open connections too. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** An app whose refusals, defects and unknown routes all answer `{title, detail}`. */
export function createApp(logger: Logger): App {
  const app: App = new Hono();
  app.notFound((c) => c.json({ title: 'NOT_FOUND', detail: 'There is no such call.' }, 404));
  app.onError((error, c) => {
    if (!(error instanceof SimulatorError)) {
      logger.error({ err: error, route: c.req.path }, 'a call failed');
      return c.json({ title: 'INTERNAL_ERROR', detail: 'The simulator failed.' }, 500);
    }
    const headers =
      error.retryAfterSeconds === null ? {} : { 'retry-after': String(error.retryAfterSeconds) };
    const errors = error.errors === null ? {} : { errors: error.errors };
    const body = { title: error.title, detail: error.message, ...errors };
    return Response.json(body, { status: error.status, headers });
  });
  return app;
}

/** Starts `app` on host and port (0: any free one); with `tls` as https that requires a client certificate. */
export function listen(
  app: App,
  at: { readonly host: string; readonly port: number },
  tls: { readonly cert: string; readonly key: string; readonly ca: string } | null = null,
): Promise<Listener> {
  const server = (
    tls === null
      ? createAdaptorServer({ fetch: app.fetch, createServer: createHttpServer })
      : createAdaptorServer({
          fetch: app.fetch,
          createServer: createHttpsServer,
          serverOptions: { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
        })
  ) as Server;
  server.keepAliveTimeout = 30_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.off('error', reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}
