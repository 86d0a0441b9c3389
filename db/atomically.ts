import { type Kysely, type Transaction, sql } from 'kysely';
import type { Caller } from '../domain/actor.ts';
import type { Database } from './database.ts';
import { newIdAt } from './ids.ts';

/** A database transaction opened by `atomically`; every function that writes demands one. */
export type Trx = Transaction<Database>;

interface TransactionFacts {
  readonly caller: Caller;
  /** `cardloom_now()` of this transaction: the only clock that data is stamped with. */
  readonly now: Date;
}

const facts = new WeakMap<Trx, TransactionFacts>();
const RETRIES = 3;

/**
 * Runs `work` in one READ COMMITTED transaction as `caller`: row security sees the caller's partner, audit
 * rows its actor. A deadlock or serialization failure is run again, up to three times, so `work` must have
 * no effect outside the transaction.
 */
export async function atomically<T>(
  db: Kysely<Database>,
  caller: Caller,
  work: (trx: Trx) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db
        .transaction()
        .setIsolationLevel('read committed')
        .execute(async (trx) => {
          facts.set(trx, { caller, now: await begin(trx, caller) });
          return await work(trx);
        });
    } catch (error) {
      if (attempt >= RETRIES || !isTransient(error)) throw error;
    }
  }
}

async function begin(trx: Trx, caller: Caller): Promise<Date> {
  const partner = caller.partnerId === null ? '' : String(caller.partnerId);
  const { rows } = await sql<{ now: Date }>`
    select set_config('app.partner', ${partner}, true), cardloom_now() as now`.execute(trx);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error('the database gave no time');
  return now;
}

/** Deadlock, serialization failure and lock time-out: nothing was done, the same work may be run again. */
export function isTransient(error: unknown): boolean {
  const code = sqlState(error);
  return code === '40001' || code === '40P01' || code === '55P03';
}

/** SQLSTATE of a database error, null for any other error. */
export function sqlState(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  // Every SQLSTATE has a digit; EPIPE, of the operating system, has none.
  return typeof error.code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

/** Name of the unique constraint that an insert or update ran into, null for any other error. */
export function violatedUnique(error: unknown): string | null {
  if (sqlState(error) !== '23505' || typeof error !== 'object' || error === null) return null;
  return 'constraint' in error && typeof error.constraint === 'string' ? error.constraint : '';
}

function factsOf(trx: Trx): TransactionFacts {
  const found = facts.get(trx);
  if (found === undefined) throw new Error('this transaction was not opened by atomically()');
  return found;
}

/** The database's time at the start of the transaction. */
export const nowOf = (trx: Trx): Date => factsOf(trx).now;

/** Who the transaction acts for. */
export const callerOf = (trx: Trx): Caller => factsOf(trx).caller;

/** A new id that carries the transaction's time. */
export const newId = (trx: Trx): string => newIdAt(factsOf(trx).now);
