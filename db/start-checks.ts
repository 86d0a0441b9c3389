import pg from 'pg';
import { NEWEST_MIGRATION } from './migrate.ts';

export interface Finding {
  /** Code of operations 4. */
  readonly code:
    | 'PG_VERSION'
    | 'PG_ENCODING'
    | 'PG_DURABILITY'
    | 'PG_ROLE'
    | 'PG_CONNECTIONS'
    | 'SCHEMA'
    | 'CLOCK'
    | 'DEFAULT_SECRET';
  readonly says: string;
  /** Told but no reason to stay down. */
  readonly warning: boolean;
}

interface Expected {
  /** Connections of the roles cardloom_app and cardloom_engine, as far as the process has them. */
  readonly urls: readonly string[];
  /** Connections of all pools of this process together. */
  readonly connections: number;
  readonly production: boolean;
}

const CLOCK_REFUSE_MS = 2_000;
const CLOCK_WARN_MS = 500;
const RESERVED_CONNECTIONS = 20;
const WAIT_MS = 500;
const WAITS_A_WORD = 10;

interface Facts {
  readonly version: number;
  readonly encoding: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly data_checksums: string;
  readonly max_connections: number;
  readonly superuser: boolean;
  readonly bypass: boolean;
  readonly owns: boolean;
  readonly rewrites: string | null;
  readonly reads_vault: boolean;
  readonly schema: string | null;
  readonly now: Date;
}

/** Known passwords open the door of these: they are for development (operations 4). */
const DEMO_OPERATORS = `select count(*)::int as demo from operators where demo and state <> 'DISABLED'`;

const FACTS = `
  select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
    current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit, current_setting('data_checksums') as data_checksums,
    current_setting('max_connections')::int as max_connections,
    role.rolsuper as superuser, role.rolbypassrls as bypass,
    exists (select from pg_class c where c.relname = 'partners' and c.relowner = role.oid) as owns,
    (select string_agg(one, ', ') from unnest(array['transaction_events', 'ledger_transfers', 'audit_log']) one
     where has_table_privilege(one, 'UPDATE') or has_table_privilege(one, 'DELETE')) as rewrites,
    exists (
      select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'vault' and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'SELECT')) as reads_vault,
    cardloom_schema_version() as schema, now() as now
  from pg_roles role where role.rolname = current_user`;

/**
 * What speaks against working with this database (operations 4). Waits for a database that is away, because
 * nothing is known of it yet; `onWait` is told every few seconds.
 */
export async function findDatabaseFaults(expected: Expected, onWait: () => void): Promise<Finding[]> {
  const perRole = await whenReachable(() => Promise.all(expected.urls.map((url) => readFacts(url))), onWait);
  const findings = perRole.flatMap(({ facts, skewMs, demo }) => [
    ...judge(facts, skewMs, expected),
    ...judgeOperators(demo, expected),
  ]);
  return [...new Map(findings.map((one) => [one.code + one.says, one])).values()];
}

async function whenReachable<T>(work: () => Promise<T>, onWait: () => void): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw error;
      if (tries % WAITS_A_WORD === 0) onWait();
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
}

/** Refused, reset, timed out, or still starting up or ending: a moment later it may be there. */
function isAway(error: unknown): boolean {
  const causes = error instanceof AggregateError ? error.errors : [error];
  return causes.some((one: unknown) => {
    const code = typeof one === 'object' && one !== null && 'code' in one ? String(one.code) : '';
    const message = one instanceof Error ? one.message : '';
    return (
      /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|57P0[123]|53300)$/.test(code) ||
      /Connection terminated|timeout expired/.test(message)
    );
  });
}

async function readFacts(url: string): Promise<{ facts: Facts; skewMs: number; demo: number }> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const beforeMs = Date.now();
    const { rows } = await client.query<Facts>(FACTS).catch((error: unknown) => {
      // A database without our tables and functions has not been migrated at all.
      if (isUndefined(error)) return { rows: [] };
      throw error;
    });
    const afterMs = Date.now();
    const facts = rows[0] ?? (await factsOfEmptyDatabase(client));
    const { rows: operators } = await client
      .query<{ demo: number }>(DEMO_OPERATORS)
      .catch((error: unknown) => {
        if (isUndefined(error)) return { rows: [] };
        throw error;
      });
    const skewMs = Math.abs(facts.now.getTime() - (beforeMs + afterMs) / 2);
    return { facts, skewMs, demo: operators[0]?.demo ?? 0 };
  } finally {
    await client.end();
  }
}

const isUndefined = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  /^(42883|42P01|3F000)$/.test(String(error.code));

async function factsOfEmptyDatabase(client: pg.Client): Promise<Facts> {
  const { rows } = await client.query<Facts>(
    `select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
       'on' as fsync, 'on' as full_page_writes, 'on' as synchronous_commit, 'on' as data_checksums,
       current_setting('max_connections')::int as max_connections, false as superuser, false as bypass,
       false as owns, null as rewrites, false as reads_vault, null as schema, now() as now`,
  );
  const facts = rows[0];
  if (facts === undefined) throw new Error('the database told nothing of itself');
  return facts;
}

function judge(facts: Facts, skewMs: number, { connections, production }: Expected): Finding[] {
  const findings: Finding[] = [];
  const refuse = (code: Finding['code'], says: string, warning = false) =>
    findings.push({ code, says, warning });
  if (facts.version < 150_000) refuse('PG_VERSION', 'PostgreSQL must be 15 or newer');
  if (facts.encoding !== 'UTF8') refuse('PG_ENCODING', 'the database must be UTF8');
  for (const name of ['fsync', 'full_page_writes'] as const) {
    if (facts[name] !== 'on') refuse('PG_DURABILITY', `${name} is off: answered money could be lost`);
  }
  if (facts.synchronous_commit === 'off') {
    refuse('PG_DURABILITY', 'synchronous_commit is off for our role: answered money could be lost');
  }
  if (facts.data_checksums !== 'on') refuse('PG_DURABILITY', 'data_checksums is off', !production);
  if (facts.superuser || facts.bypass || facts.owns) {
    refuse('PG_ROLE', 'our role must be no owner, no superuser and without BYPASSRLS');
  }
  if (facts.rewrites !== null) refuse('PG_ROLE', `our role may change rows of ${facts.rewrites}`);
  if (facts.reads_vault) refuse('PG_ROLE', 'our role may read tables of the vault');
  if (connections > facts.max_connections - RESERVED_CONNECTIONS) {
    refuse('PG_CONNECTIONS', `our pools want ${connections} of ${facts.max_connections} connections`);
  }
  if (facts.schema === null || facts.schema < NEWEST_MIGRATION) {
    refuse(
      'SCHEMA',
      `the database is at ${facts.schema ?? 'no migration'}, this release needs ${NEWEST_MIGRATION}: run cardloom migrate`,
    );
  }
  if (skewMs > CLOCK_WARN_MS) {
    refuse(
      'CLOCK',
      `our clock and the database's differ by ${Math.round(skewMs)} ms`,
      skewMs <= CLOCK_REFUSE_MS,
    );
  }
  return findings;
}

const judgeOperators = (demo: number, { production }: Expected): Finding[] =>
  production && demo > 0
    ? [{ code: 'DEFAULT_SECRET', says: `${demo} demo operators can log in: disable them`, warning: false }]
    : [];

/** The block printed before a process ends with exit code 78. */
export function describeFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((one) => one.code.length));
  return findings
    .map((one) => `${one.warning ? 'warning ' : ''}${one.code.padEnd(width)}  ${one.says}`)
    .join('\n');
}
