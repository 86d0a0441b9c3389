import { type Kysely, sql } from 'kysely';
import type { Trx } from './atomically.ts';
import type { Database } from './database.ts';

/** A transaction whose time is over by the database's clock. */
export interface DueHold {
  readonly transactionId: string;
  readonly processorCardId: string;
  /** Its place in the order of all that is due: what was looked at is not looked at again. */
  readonly expiresAt: string;
}

/** Transactions a sweep takes at a time (authorization 12). */
export const DUE_AT_ONCE = 500;

/**
 * The next transactions of cards that are due, oldest first, after `after`. Rows that somebody works on are left
 * out: a clearing that holds the row wins. Nothing is locked once the transaction is over. Engine only.
 */
export async function dueHolds(trx: Trx, after: DueHold | null): Promise<DueHold[]> {
  const { rows } = await sql<{ id: string; processor_card_id: string; expires_at: string }>`
    select t.id, c.processor_card_id, t.expires_at::text as expires_at
    from transactions t join cards c on c.card_id = t.card_id and c.processor_card_id is not null
    where t.expires_at <= cardloom_now()
      and (t.expires_at, t.id) > (${after?.expiresAt ?? '-infinity'}::timestamptz,
        ${after?.transactionId ?? '00000000-0000-0000-0000-000000000000'}::uuid)
    order by t.expires_at, t.id limit ${DUE_AT_ONCE} for no key update of t skip locked`.execute(trx);
  return rows.map((row) => ({
    transactionId: row.id,
    processorCardId: row.processor_card_id,
    expiresAt: row.expires_at,
  }));
}

/** The processor's card of a transaction that a release by hand is asked for; undefined when there is none. */
export async function cardOfTransaction(
  db: Kysely<Database>,
  transactionId: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('transactions')
    .innerJoin('cards', 'cards.card_id', 'transactions.card_id')
    .select('cards.processor_card_id')
    .where('transactions.id', '=', transactionId)
    .executeTakeFirst();
  return row?.processor_card_id ?? undefined;
}
