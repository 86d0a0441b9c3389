import type { Kysely, Selectable } from 'kysely';
import type { Database, PartnerBalancesTable } from './database.ts';

export type PartnerBalanceRow = Selectable<PartnerBalancesTable>;

/** One partner balance of the programmes named, or undefined. */
export async function findPartnerBalance(
  db: Kysely<Database>,
  partnerBalanceId: string,
  programmeIds: readonly number[],
): Promise<PartnerBalanceRow | undefined> {
  return await db
    .selectFrom('partner_balances')
    .selectAll()
    .where('partner_balance_id', '=', partnerBalanceId)
    .where('programme_id', 'in', programmeIds)
    .executeTakeFirst();
}

export interface PartnerBalanceFilter {
  readonly programmeIds: readonly number[];
  readonly kind?: PartnerBalanceRow['kind'] | undefined;
  readonly currency?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Partner balances of the programmes named, newest first. */
export async function listPartnerBalances(
  db: Kysely<Database>,
  filter: PartnerBalanceFilter,
): Promise<PartnerBalanceRow[]> {
  if (filter.programmeIds.length === 0) return [];
  let query = db.selectFrom('partner_balances').selectAll().where('programme_id', 'in', filter.programmeIds);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.currency !== undefined) query = query.where('currency', '=', filter.currency);
  if (filter.before !== undefined) query = query.where('partner_balance_id', '<', filter.before);
  return await query.orderBy('partner_balance_id', 'desc').limit(filter.limit).execute();
}
