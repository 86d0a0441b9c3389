import { readFileSync } from 'node:fs';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from './database.ts';

export interface PoolOptions {
  readonly url: string;
  readonly max: number;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  readonly idleInTransactionMs?: number;
  /** After that long without an answer the connection is given up: the server may be gone without a word. */
  readonly queryTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly ssl?: 'off' | 'require' | 'verify-full';
  readonly caFile?: string | null;
  /** Sends the statements of a transaction without waiting for each answer (lanes only). */
  readonly pipeline?: boolean;
  readonly onError?: (error: Error) => void;
}

const INT8 = 20;
const DATE = 1082;

pg.types.setTypeParser(INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('a bigint column holds more than a safe integer');
  return value;
});
pg.types.setTypeParser(DATE, (text) => text);

/** A pool whose sessions give up on locks and long statements by themselves. */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    application_name: options.name,
    // Batches send the same few statements, which are written for one plan: making it anew costs more than it saves.
    // A plan made while a table was empty would read it from end to end, and is kept until the table's statistics
    // are next gathered, when it may be large: the indexes are taken from the first row on.
    ...(options.pipeline === true
      ? { options: '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off' }
      : {}),
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: options.statementTimeoutMs ?? 10_000,
    lock_timeout: options.lockTimeoutMs ?? 2_000,
    idle_in_transaction_session_timeout: options.idleInTransactionMs ?? 30_000,
    ...(options.queryTimeoutMs === undefined ? {} : { query_timeout: options.queryTimeoutMs }),
    ...(options.pipeline === true ? { pipeline: true } : {}),
    ...tls(options),
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', options.onError ?? (() => undefined));
  // One that breaks between two statements of a transaction tells its next statement; the event itself, which
  // the pool hears of idle connections only, would end the process too.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

function tls(options: PoolOptions): pg.PoolConfig {
  if (options.ssl === undefined || options.ssl === 'off') return {};
  const ca = options.caFile ? readFileSync(options.caFile, 'utf8') : undefined;
  return { ssl: { rejectUnauthorized: options.ssl === 'verify-full', ...(ca ? { ca } : {}) } };
}

/** Kysely over a pool. */
export function createDatabase(pool: pg.Pool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}
