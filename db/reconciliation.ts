import { type Kysely, sql } from 'kysely';
import type { Caller } from '../domain/actor.ts';
import type { ReconciliationJob, ReconciliationVerdict } from '../domain/reconciliation.ts';
import { atomically, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import { raiseException } from './exceptions.ts';
import { differencesOf, inSnapshot, type Invariant, type LedgerDifference } from './invariant.ts';
import {
  ageOfOpenItems,
  FILE_SETTING,
  outboxRules,
  presentmentRules,
  rulesOfHolds,
} from './reconciliation-rules.ts';
import { verifyChanges } from './verify-changes.ts';
import { verifyLedger } from './verify-ledger.ts';

const DAY_MS = 86_400_000;
/** Looked at twice: a transaction that began before the last run may have ended after it. */
const OVERLAP_MS = 60_000;
const NAMED_DIFFERENCES = 20;

const caller: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'reconciliation' },
  requestId: 'reconciliation',
  ip: null,
};

/**
 * Runs a job over what was written since its last run (`subject`: over one clearing file), stores the run, and
 * puts each difference before people as RECON_MISMATCH, once while it is open (authorization 16). Engine only.
 */
export async function reconcile(
  db: Kysely<Database>,
  job: ReconciliationJob,
  subject: string | null = null,
): Promise<ReconciliationVerdict> {
  const { from, to } = await windowOf(db, job, subject);
  const differences = await differencesOfJob(db, job, from, subject);
  await atomically(db, caller, async (trx) => {
    await trx
      .insertInto('recon_runs')
      .values({
        job,
        subject,
        from_at: from,
        to_at: to,
        result: differences.length === 0 ? 'OK' : 'FAILED',
        evidence: JSON.stringify({ differences }),
      })
      .execute();
    for (const difference of differences) await raiseOnce(trx, job, difference);
  });
  return {
    job,
    ok: differences.length === 0,
    invariants: [...new Set(differences.map((one) => one.invariant))],
  };
}

async function differencesOfJob(
  db: Kysely<Database>,
  job: ReconciliationJob,
  from: Date,
  subject: string | null,
): Promise<readonly LedgerDifference[]> {
  switch (job) {
    case 'ledger':
      return await verifyChanges(db, from, NAMED_DIFFERENCES);
    case 'ledger-full':
      return (await verifyLedger(db, NAMED_DIFFERENCES)).differences;
    case 'holds':
      return await inSnapshot(db, (trx) => broken(trx, rulesOfHolds));
    case 'outbox':
      return await inSnapshot(db, (trx) => broken(trx, outboxRules(from)));
    case 'clearing':
      return await inSnapshot(db, async (trx) => {
        await sql`select set_config(${FILE_SETTING}, ${subject ?? ''}, true)`.execute(trx);
        return await broken(trx, presentmentRules);
      });
    case 'account-age':
      return await inSnapshot(db, (trx) => broken(trx, ageOfOpenItems));
  }
}

async function broken(trx: Trx, rules: readonly Invariant[]): Promise<LedgerDifference[]> {
  const found: LedgerDifference[] = [];
  for (const rule of rules) found.push(...(await differencesOf(trx, rule, NAMED_DIFFERENCES)));
  return found;
}

/** From a little before the end of the last run to now, by the database's clock; a day back for the first. */
async function windowOf(
  db: Kysely<Database>,
  job: ReconciliationJob,
  subject: string | null,
): Promise<{ from: Date; to: Date }> {
  const { rows } = await sql<{ last: Date | null; now: Date }>`
    select cardloom_now() as now, (
      select to_at from recon_runs where job = ${job} and subject is not distinct from ${subject}
      order by run_id desc limit 1) as last`.execute(db);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error('the database gave no time');
  const last = rows[0]?.last?.getTime() ?? now.getTime() - DAY_MS;
  return { from: new Date(Math.min(last, now.getTime()) - OVERLAP_MS), to: now };
}

async function raiseOnce(trx: Trx, job: ReconciliationJob, difference: LedgerDifference): Promise<void> {
  const { invariant, subject, expected, found } = difference;
  const open = await trx
    .selectFrom('exceptions')
    .select('exception_id')
    .where('kind', '=', 'RECON_MISMATCH')
    .where('state', '<>', 'RESOLVED')
    .where(sql<string>`values ->> 'invariant'`, '=', invariant)
    .where(sql<string>`values ->> 'subject'`, '=', subject)
    .executeTakeFirst();
  if (open !== undefined) return;
  await raiseException(trx, {
    kind: 'RECON_MISMATCH',
    values: { job, invariant, subject, expected, found },
    partnerId: null,
    transactionId: null,
    recordId: null,
  });
}

/** How long ago each job last found no difference. */
export async function lastSuccesses(
  db: Kysely<Database>,
): Promise<{ readonly job: string; readonly secondsAgo: number }[]> {
  const { rows } = await sql<{ job: string; seconds_ago: number }>`
    select job, extract(epoch from cardloom_now() - max(created_at))::float8 as seconds_ago
    from recon_runs where result = 'OK' group by job`.execute(db);
  return rows.map((row) => ({ job: row.job, secondsAgo: row.seconds_ago }));
}
