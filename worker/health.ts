import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Database } from '../db/database.ts';
import { NEWEST_MIGRATION } from '../db/migrate.ts';

type State = 'ok' | 'degraded' | 'failed';

export interface HealthParts {
  readonly engine: Kysely<Database>;
  readonly registry: Registry;
  /** True once the workers have polled for the first time. */
  readonly started: () => boolean;
  /** True while Temporal serves the workers; its absence later makes nothing unready. */
  readonly connected: () => boolean;
  readonly draining: () => boolean;
  readonly logger: Logger;
}

const LAG_LIMIT_MS = 1_000;
const CHECK_MS = 1_500;

/** `GET /health/live`, `/health/ready` and `/metrics` (channels 15). Resolves once it listens. */
export async function startHealthServer(
  parts: HealthParts,
  at: { readonly host: string; readonly port: number },
): Promise<{ stop(): Promise<void> }> {
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  const server = createServer((request, response) => {
    const reply = (status: number, body: string, type = 'application/json'): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    answer(request.url ?? '', reply).catch((error: unknown) => {
      parts.logger.error({ fault: error instanceof Error ? error.name : 'unknown' }, 'health was not told');
      reply(500, '{"status":"failed"}');
    });
  });

  async function answer(path: string, reply: (status: number, body: string, type?: string) => void) {
    switch (path.split('?')[0]) {
      case '/health/live': {
        const lagMs = lag.percentile(99) / 1e6;
        lag.reset();
        const live = Number.isNaN(lagMs) || lagMs < LAG_LIMIT_MS;
        return reply(live ? 200 : 503, JSON.stringify({ status: live ? 'ok' : 'failed' }));
      }
      case '/health/ready': {
        const checks = await check(parts);
        const ready = !parts.draining() && !Object.values(checks).includes('failed');
        return reply(ready ? 200 : 503, JSON.stringify({ status: ready ? 'ready' : 'not_ready', checks }));
      }
      case '/metrics':
        return reply(200, await parts.registry.metrics(), parts.registry.contentType);
      default:
        return reply(404, JSON.stringify({ title: 'NOT_FOUND', detail: 'There is nothing here.' }));
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, resolve);
  });
  return {
    stop: async () => {
      lag.disable();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function check({ engine, started, connected }: HealthParts): Promise<Record<string, State>> {
  const migrated = async () => {
    const { rows } = await sql<{ known: boolean }>`
      select cardloom_schema_version() >= ${NEWEST_MIGRATION} as known`.execute(engine);
    return rows[0]?.known ?? false;
  };
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), CHECK_MS).unref());
  // One question answers both: a database that cannot be asked is not migrated either.
  const known = await Promise.race([migrated().catch(() => false), late]);
  return {
    database: known ? 'ok' : 'failed',
    migrations: known ? 'ok' : 'failed',
    vault: 'ok',
    workers: started() ? 'ok' : 'failed',
    temporal: connected() ? 'ok' : 'degraded',
  };
}
