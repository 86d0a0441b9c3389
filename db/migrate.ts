import { Kysely, PostgresDialect } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import * as foundations from './migrations/0001-foundations.ts';
import * as vault from './migrations/0002-vault.ts';
import * as partners from './migrations/0003-partners.ts';
import * as ledger from './migrations/0004-ledger.ts';
import * as customers from './migrations/0005-customers.ts';
import * as cards from './migrations/0006-cards.ts';
import * as transactions from './migrations/0007-transactions.ts';
import * as outbox from './migrations/0008-outbox.ts';
import * as limits from './migrations/0009-limits.ts';
import * as cardTraffic from './migrations/0010-card-traffic.ts';
import * as postings from './migrations/0011-postings.ts';
import * as clearingFiles from './migrations/0012-clearing-files.ts';
import * as partnerBalanceAlerts from './migrations/0013-partner-balance-alerts.ts';
import * as operators from './migrations/0014-operators.ts';
import * as customerSessions from './migrations/0015-customer-sessions.ts';
import * as corporations from './migrations/0016-corporations.ts';
import * as kyc from './migrations/0017-kyc.ts';
import * as kyb from './migrations/0018-kyb.ts';
import * as adminRoutes from './migrations/0019-admin-routes.ts';
import * as kybChecks from './migrations/0020-kyb-checks.ts';
import * as rateLimits from './migrations/0022-rate-limits.ts';
import * as retention from './migrations/0023-retention.ts';
import * as programmes from './migrations/0026-programmes.ts';
import * as certificatesAudit from './migrations/0027-certificates-audit.ts';
import * as endedSessions from './migrations/0028-ended-sessions.ts';
import * as operatorGuards from './migrations/0029-operator-guards.ts';
import * as screening from './migrations/0030-screening.ts';
import * as lifecycleMends from './migrations/0031-lifecycle-mends.ts';

/** In order of their names; a released migration is never changed, only followed by another. */
const migrations: Record<string, Migration> = {
  '0001-foundations': foundations,
  '0002-vault': vault,
  '0003-partners': partners,
  '0004-ledger': ledger,
  '0005-customers': customers,
  '0006-cards': cards,
  '0007-transactions': transactions,
  '0008-outbox': outbox,
  '0009-limits': limits,
  '0010-card-traffic': cardTraffic,
  '0011-postings': postings,
  '0012-clearing-files': clearingFiles,
  '0013-partner-balance-alerts': partnerBalanceAlerts,
  '0014-operators': operators,
  '0015-customer-sessions': customerSessions,
  '0016-corporations': corporations,
  '0017-kyc': kyc,
  '0018-kyb': kyb,
  '0019-admin-routes': adminRoutes,
  '0020-kyb-checks': kybChecks,
  '0022-rate-limits': rateLimits,
  '0023-retention': retention,
  '0026-programmes': programmes,
  '0027-certificates-audit': certificatesAudit,
  '0028-ended-sessions': endedSessions,
  '0029-operator-guards': operatorGuards,
  '0030-screening': screening,
  '0031-lifecycle-mends': lifecycleMends,
};

/** Name of the newest migration of this release. */
export const NEWEST_MIGRATION = Object.keys(migrations).toSorted().at(-1) as string;

async function withMigrator<T>(
  url: string,
  work: (migrator: Migrator, db: Kysely<unknown>) => Promise<T>,
): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, max: 2, application_name: 'cardloom-migrate' });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await work(new Migrator({ db, provider: { getMigrations: async () => migrations } }), db);
  } finally {
    await db.destroy();
  }
}

/**
 * Brings the database of `url` (role cardloom_owner) to this release's newest migration, in a lock, forward
 * only. Throws the first migration's error; what was applied before it stays applied.
 */
export async function migrateToLatest(options: {
  readonly url: string;
}): Promise<{ applied: string[]; version: string }> {
  return await withMigrator(options.url, async (migrator) => {
    const { error, results } = await migrator.migrateToLatest();
    if (error !== undefined) throw error instanceof Error ? error : new Error('a migration failed');
    return { applied: (results ?? []).map((one) => one.migrationName), version: NEWEST_MIGRATION };
  });
}

/** Where the database stands; `unknown` are migrations of a newer release than this one. */
export async function migrationStatus(options: {
  readonly url: string;
}): Promise<{ current: string | null; newest: string; unknown: string[] }> {
  return await withMigrator(options.url, async (_migrator, db) => {
    const applied = await appliedMigrations(db);
    return {
      current: applied.at(-1) ?? null,
      newest: NEWEST_MIGRATION,
      unknown: applied.filter((name) => !(name in migrations)),
    };
  });
}

async function appliedMigrations(db: Kysely<unknown>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return [];
  const rows = await (db as Kysely<{ kysely_migration: { name: string } }>)
    .selectFrom('kysely_migration')
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}
