import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { refuse } from './answers.ts';
import { createProviderApi } from './api.ts';
import { createCallbacks } from './callbacks.ts';
import { createChecks } from './checks.ts';
import { createControlApi } from './control-api.ts';
import { seedIds } from './ids.ts';
import { clearState, openState } from './state.ts';
import { openStore } from './store.ts';

/** All optional but the secret of the webhook. */
export interface KycProviderOptions {
  /** 0: any free port. */
  readonly port?: number;
  /** Key the platform sends as bearer; null: any is accepted. */
  readonly apiKey?: string | null;
  readonly webhookSecret: string;
  /** Bearer token of the control calls; null: none is asked for. */
  readonly token?: string | null;
  /** Time a check takes when neither scenario nor prefix says otherwise. */
  readonly delayMs?: number;
  /** SQLite file; null: memory. */
  readonly storeFile?: string | null;
  /** Fixes the series of ids of a new store. */
  readonly seed?: string | null;
  readonly nowMs?: () => number;
  /** Told of a fault of the simulator itself. */
  readonly onFault?: (error: unknown) => void;
}

export interface KycProvider {
  readonly url: string;
  stop(): Promise<void>;
}

const host = '127.0.0.1';
const defaultDelayMs = 2_000;

/** Starts the KYC provider simulator (onboarding 9). Throws when the port is taken or the file unreadable. */
export async function startKycProvider(options: KycProviderOptions): Promise<KycProvider> {
  const { nowMs = Date.now, onFault = () => undefined, token = null, apiKey = null } = options;
  const store = openStore(options.storeFile ?? null);
  const state = openState(store);
  if (options.seed && state.ids.get('series') === undefined) seedIds(state, options.seed);

  const { webhookSecret, delayMs = defaultDelayMs } = options;
  const callbacks = createCallbacks(state, { webhookSecret, nowMs, onFault });
  const checks = createChecks(state, callbacks, { delayMs, nowMs });
  const sleeping = new Set<NodeJS.Timeout>();
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        sleeping.delete(timer);
        resolve();
      }, ms);
      sleeping.add(timer);
    });

  function reset(seed: string | undefined): void {
    checks.forget();
    callbacks.forget();
    clearState(state);
    if (seed !== undefined) seedIds(state, seed);
  }
  const app = new Hono();
  app.get('/health', (c) => c.json({ status: 'UP' }));
  app.route('/simulator', createControlApi({ state, checks, callbacks, token, reset }));
  app.route('/', createProviderApi({ state, checks, apiKey, nowMs, sleep }));
  app.notFound((c) => refuse(c, 404, 'NOT_FOUND', 'There is no such call.'));
  app.onError((error, c) => {
    onFault(error);
    return refuse(c, 500, 'INTERNAL_ERROR', 'The simulator failed.');
  });

  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  checks.resume();
  callbacks.resume();
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    async stop() {
      checks.forget();
      callbacks.stop();
      for (const timer of sleeping) clearTimeout(timer);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      store.close();
    },
  };
}
