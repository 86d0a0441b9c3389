import type { Selectable } from 'kysely';
import type { Trx } from './atomically.ts';
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

export type AuditRow = Selectable<AuditLogTable>;

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
  return await query.execute();
}
