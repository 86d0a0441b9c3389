import { type Selectable, sql } from 'kysely';
import type { Trx } from './atomically.ts';
import { firstHash } from './audit-seals.ts';
import type { AuditLogTable } from './database.ts';

export interface AuditFilter {
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  readonly objectType?: string | undefined;
  readonly objectId?: string | undefined;
  readonly result?: AuditLogTable['result'] | undefined;
  /** Inclusive. */
  readonly from?: Date | undefined;
  /** Exclusive. */
  readonly to?: Date | undefined;
  /** Undefined: the rows of all partners and of none. */
  readonly partnerId?: number | undefined;
}

export type AuditRow = Selectable<AuditLogTable> & {
  /** Null until the row is sealed. */
  readonly seal: { readonly seq: number; readonly prevHash: Buffer; readonly hash: Buffer } | null;
};

/** Audit rows, newest first, before the id of `before`. Engine only: the scope is the filter's `partnerId`. */
export async function listAudit(
  trx: Trx,
  filter: AuditFilter,
  before: string | undefined,
  limit: number,
): Promise<AuditRow[]> {
  let query = trx.selectFrom('audit_log').selectAll().orderBy('id', 'desc').limit(limit);
  if (filter.partnerId !== undefined) query = query.where('partner_id', '=', filter.partnerId);
  if (filter.actorId !== undefined) query = query.where('actor_id', '=', filter.actorId);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.objectType !== undefined) query = query.where('object_type', '=', filter.objectType);
  if (filter.objectId !== undefined) query = query.where('object_id', '=', filter.objectId);
  if (filter.result !== undefined) query = query.where('result', '=', filter.result);
  if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
  if (before !== undefined) query = query.where('id', '<', before);
  const rows = await query.execute();
  const seals = await sealsOf(
    trx,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({ ...row, seal: seals.get(row.id) ?? null }));
}

async function sealsOf(
  trx: Trx,
  ids: readonly string[],
): Promise<Map<string, NonNullable<AuditRow['seal']>>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom('audit_seals as s')
    .leftJoin('audit_seals as p', (join) =>
      join.onRef('p.chain', '=', 's.chain').on('p.seq', '=', sql<number>`s.seq - 1`),
    )
    .select(['s.audit_id', 's.chain', 's.seq', 's.hash', 'p.hash as before'])
    .where('s.audit_id', 'in', ids)
    .execute();
  return new Map(
    rows.map(({ audit_id: id, chain, seq, hash, before }) => [
      id,
      { seq, hash, prevHash: before ?? firstHash(chain) },
    ]),
  );
}
