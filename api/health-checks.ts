import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { NEWEST_MIGRATION } from '../db/migrate.ts';
import type { HealthChecks, HealthState } from './services.ts';

const ANSWER_MS = 1_500;
const LAG_LIMIT_MS = 1_000;

interface Parts {
  readonly engine: Kysely<Database>;
  readonly temporalReachable: () => Promise<boolean>;
  readonly draining: () => boolean;
}

/** What `/health/ready` tells (channels 15). Temporal being away never makes the API unready. */
export function createHealthChecks({ engine, temporalReachable, draining }: Parts): HealthChecks {
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  return {
    draining,
    live: () => {
      const lagMs = lag.percentile(99) / 1e6;
      lag.reset();
      return Number.isNaN(lagMs) || lagMs < LAG_LIMIT_MS;
    },
    check: async () => {
      const [database, migrations, temporal] = await Promise.all([
        passes(async () => (await sql`select 1`.execute(engine)).rows.length === 1),
        passes(async () => await isMigrated(engine)),
        passes(temporalReachable),
      ]);
      return {
        database: state(database),
        migrations: state(migrations),
        vault: 'ok',
        temporal: temporal ? 'ok' : 'degraded',
      };
    },
  };
}

const state = (good: boolean): HealthState => (good ? 'ok' : 'failed');

async function isMigrated(engine: Kysely<Database>): Promise<boolean> {
  const { rows } = await sql<{
    known: boolean;
  }>`select cardloom_schema_version() >= ${NEWEST_MIGRATION} as known`.execute(engine);
  return rows[0]?.known ?? false;
}

async function passes(check: () => Promise<boolean>): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), ANSWER_MS).unref());
  return await Promise.race([check().catch(() => false), late]);
}
