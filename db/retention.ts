import { type Kysely, sql } from 'kysely';
import { audit, type AuditAction } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';

/** What is kept for a time and then deleted (operations 7.3), by the database's clock. Engine only. */

const DAY_MS = 86_400_000;
const IMPORT_FILE_DAYS = 30;
const DELIVERY_BODY_DAYS = 30;
const SUBJECTS_AT_ONCE = 200;
const BATCHES_AT_ONCE = 200;
const KEYS_AT_ONCE = 5_000;

/** Files in the document store whose time is over, and what they belong to. */
export interface DueFiles {
  readonly kind: DueKind;
  /** Id of the import or verification. */
  readonly id: string;
  readonly partnerId: number;
  readonly storeKeys: readonly string[];
}

export type DueKind = 'import' | 'verification';

/** The next files of a kind whose time is over; none twice, once `forgetFiles` has committed for them. */
export async function dueFiles(trx: Trx, kind: DueKind): Promise<DueFiles[]> {
  const { rows } = await DUE[kind](nowOf(trx)).execute(trx);
  return rows.map(({ id, partner_id: partnerId, keys }) => ({ kind, id, partnerId, storeKeys: keys }));
}

const DUE = {
  import: (now: Date) => sql<DueRow>`
    select import_id as id, partner_id, array[file_key] as keys from user_imports
    where file_key is not null and finished_at is not null
      and created_at < ${new Date(now.getTime() - IMPORT_FILE_DAYS * DAY_MS)}
    order by created_at limit ${SUBJECTS_AT_ONCE}`,
  // A user who was never accepted has no relation that could end (onboarding 5).
  verification: (now: Date) => sql<DueRow>`
    select v.verification_id as id, v.partner_id, array_agg(d.store_key) as keys
    from verification_documents d
    join verifications v using (verification_id)
    join customers c using (customer_id)
    join programmes p on p.programme_id = v.programme_id
    where v.status <> 'IN_PROGRESS' and case
      when c.kyc_successes = 0 and not exists (
        select from verifications a where a.customer_id = c.customer_id and a.status = 'ACCEPTED')
      then v.decided_at < ${now}::timestamptz - interval '12 months'
      else c.state = 'DELETED' and c.updated_at < ${now}::timestamptz - make_interval(years => p.retention_years)
    end
    group by v.verification_id order by v.verification_id limit ${SUBJECTS_AT_ONCE}`,
} as const;

interface DueRow {
  readonly id: string;
  readonly partner_id: number;
  readonly keys: string[];
}

const FORGOTTEN: Readonly<Record<DueKind, { readonly action: AuditAction; readonly objectType: string }>> = {
  import: { action: 'import.file_deleted', objectType: 'user_import' },
  verification: { action: 'verification.documents_deleted', objectType: 'verification' },
};

/** Forgets files that are no longer in the store; does nothing when somebody else has. */
export async function forgetFiles(trx: Trx, { kind, id, partnerId, storeKeys }: DueFiles): Promise<void> {
  const forgotten = await forget(trx, kind, id, storeKeys);
  if (forgotten === 0) return;
  await audit(trx, { ...FORGOTTEN[kind], objectId: id, partnerId, after: { files: forgotten } });
}

async function forget(trx: Trx, kind: DueKind, id: string, storeKeys: readonly string[]): Promise<number> {
  switch (kind) {
    case 'import': {
      const { numUpdatedRows } = await trx
        .updateTable('user_imports')
        .set({ file_key: null })
        .where('import_id', '=', id)
        .where('file_key', 'in', storeKeys)
        .executeTakeFirst();
      return Number(numUpdatedRows);
    }
    case 'verification': {
      const { numDeletedRows } = await trx
        .deleteFrom('verification_documents')
        .where('verification_id', '=', id)
        .where('store_key', 'in', storeKeys)
        .executeTakeFirst();
      return Number(numDeletedRows);
    }
  }
}

/**
 * Takes the bodies out of deliveries that ended and are older than 30 days; the rows stay. A batch with one that still
 * waits is looked at again. Answers how many bodies.
 */
export async function purgeDeliveryBodies(engine: Kysely<Database>): Promise<number> {
  let purged = 0;
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows } = await sql<{ batch_id: string; purged: number }>`
      with due as (
        select batch_id from delivery_batches
        where not bodies_purged and batch_id > ${after}
          and created_at < cardloom_now() - make_interval(days => ${DELIVERY_BODY_DAYS})
        order by batch_id limit ${BATCHES_AT_ONCE}
      ), emptied as (
        update deliveries set body = null
        where batch_id in (select batch_id from due) and body is not null and finished_at is not null
        returning batch_id
      ), marked as (
        update delivery_batches b set bodies_purged = true
        where batch_id in (select batch_id from due) and not exists (
          select from deliveries d where d.batch_id = b.batch_id and d.finished_at is null)
      )
      select batch_id, (select count(*)::int from emptied e where e.batch_id = due.batch_id) as purged
      from due order by batch_id`.execute(engine);
    purged += rows.reduce((sum, row) => sum + row.purged, 0);
    if (rows.length < BATCHES_AT_ONCE) return purged;
    after = rows.at(-1)?.batch_id ?? after;
  }
}

/** Frees the idempotency keys that are older than `hours` and belong to no call that still runs. Answers how many. */
export async function forgetIdempotencyKeys(engine: Kysely<Database>, hours: number): Promise<number> {
  let freed = 0;
  for (;;) {
    const { numAffectedRows } = await sql`
      delete from idempotency_keys where (scope, key) in (
        select scope, key from idempotency_keys
        where created_at < cardloom_now() - make_interval(hours => ${hours})
          and (state = 'DONE' or deadline is null or deadline < cardloom_now())
        order by created_at limit ${KEYS_AT_ONCE} for update skip locked)`.execute(engine);
    const some = Number(numAffectedRows ?? 0n);
    freed += some;
    if (some < KEYS_AT_ONCE) return freed;
  }
}
