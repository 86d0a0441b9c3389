import { type Kysely, sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import type { PurchaseModel } from './ledger-model.ts';

const MEMBERS = ['state', 'authorized', 'cleared', 'reversed', 'held', 'refunded'] as const;
const MOST_FAULTS = 20;
const REFUSED = new Set(['DECLINED', 'INVALID']);

interface Booked extends Record<(typeof MEMBERS)[number], string | number> {
  id: string;
  event_count: number;
}

/** Compares the books with what the answers told, and looks for what must never be. One line a fault. */
export async function findCrashFaults(
  owner: Kysely<Database>,
  models: readonly PurchaseModel[],
): Promise<string[]> {
  const faults: string[] = [];
  const booked = new Map((await purchasesOf(owner)).map((row) => [row.id, row]));
  for (const model of models) {
    const row = booked.get(model.id);
    if (row === undefined) {
      faults.push(
        `${model.approved ? 'an acknowledged approval' : 'a decline'} is not in the books: ${model.id}`,
      );
      continue;
    }
    const differs = MEMBERS.filter((member) => row[member] !== model[member]);
    if (row.event_count !== model.events)
      faults.push(`${model.id} has ${row.event_count} events, ${model.events} were answered`);
    if (differs.length > 0)
      faults.push(
        `${model.id}: ${differs.map((one) => `${one} is ${row[one]}, answers told ${model[one]}`).join('; ')}`,
      );
  }
  const answered = new Set(models.map((one) => one.id));
  const unknown = [...booked.values()].filter(
    (row) => !answered.has(row.id) && !REFUSED.has(String(row.state)),
  );
  if (unknown.length > 0)
    faults.push(`${unknown.length} approvals are in the books twice or were never asked for`);
  faults.push(...(await wrongOutboxRows(owner)), ...(await leftOpen(owner)));
  const verdict = await verifyLedger(owner);
  for (const one of verdict.differences) {
    faults.push(`ledger ${one.invariant} ${one.subject}: expected ${one.expected}, found ${one.found}`);
  }
  return faults.slice(0, MOST_FAULTS);
}

const purchasesOf = async (owner: Kysely<Database>): Promise<Booked[]> =>
  await owner
    .selectFrom('transactions')
    .select(['id', 'state', 'authorized', 'cleared', 'reversed', 'held', 'refunded', 'event_count'])
    .where('resource', '=', 'card')
    .execute();

/** Each event of a card is told exactly once (reliability 2.2, 21). */
async function wrongOutboxRows(owner: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ transaction_id: string; event_seq: number; told: number }>`
    select e.transaction_id, e.seq as event_seq, count(o.id)::int as told
    from transaction_events e
    join transactions t on t.id = e.transaction_id and t.resource = 'card'
    left join outbox o on o.transaction_id = e.transaction_id and o.event_seq = e.seq
    group by e.transaction_id, e.seq having count(o.id) <> 1 limit 5`.execute(owner);
  return rows.map((row) => `event ${row.transaction_id}/${row.event_seq} is told ${row.told} times`);
}

/** Nothing may stay open when nobody asks for anything any more. */
async function leftOpen(owner: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select application_name || ' is ' || state as what from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
      and state <> 'idle'
    union all
    select 'pending at a partner: ' || id from transactions where state = 'PENDING_PARTNER'`.execute(owner);
  return rows.map((row) => row.what);
}
