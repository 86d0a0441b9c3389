import { type Kysely, sql } from 'kysely';
import { type HoldState, holdStateOf } from '../domain/hold.ts';
import type { Database } from './database.ts';
import type { TransactionRow } from './transactions.ts';

/** A hold is a transaction seen from the money it keeps: there is no table of holds (data-model). */
export interface Hold {
  readonly transaction: TransactionRow;
  readonly state: HoldState;
}

interface HoldFilter {
  readonly programmeIds: readonly number[];
  readonly balanceId?: string | undefined;
  readonly state?: HoldState | undefined;
  /** Only those that end before. */
  readonly expiresTo?: Date | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

// The same rule as `holdStateOf`, where the database has to leave rows out.
const STATE = sql<HoldState>`case when held > 0 then 'OPEN' when state = 'EXPIRED' then 'EXPIRED'
  when cleared > 0 then 'CONSUMED' else 'RELEASED' end`;

/** Holds that authorizations have made, newest first. */
export async function listHolds(db: Kysely<Database>, filter: HoldFilter): Promise<Hold[]> {
  if (filter.programmeIds.length === 0) return [];
  let query = db
    .selectFrom('transactions')
    .selectAll()
    .where('programme_id', 'in', filter.programmeIds)
    .where('authorized', '>', 0);
  if (filter.balanceId !== undefined) query = query.where('balance_id', '=', filter.balanceId);
  if (filter.state !== undefined) query = query.where(STATE, '=', filter.state);
  if (filter.expiresTo !== undefined) query = query.where('expires_at', '<', filter.expiresTo);
  if (filter.before !== undefined) query = query.where('id', '<', filter.before);
  const rows = await query.orderBy('id', 'desc').limit(filter.limit).execute();
  return rows.map(toHold);
}

/** The hold of a transaction in the programmes named, or undefined where none was ever made. */
export async function findHold(
  db: Kysely<Database>,
  transactionId: string,
  programmeIds: readonly number[],
): Promise<Hold | undefined> {
  const row = await db
    .selectFrom('transactions')
    .selectAll()
    .where('id', '=', transactionId)
    .where('programme_id', 'in', programmeIds)
    .where('authorized', '>', 0)
    .executeTakeFirst();
  return row === undefined ? undefined : toHold(row);
}

const toHold = (transaction: TransactionRow): Hold => ({ transaction, state: holdStateOf(transaction) });
