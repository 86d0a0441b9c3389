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

/**
 * One partner balance of those that a sponsor may name: of one partner (null = of every one) and of the
 * programmes with these issuer codes (none = of every one); or undefined. Engine only.
 */
export async function findBalanceForSponsor(
  db: Kysely<Database>,
  partnerBalanceId: string,
  look: { readonly partnerId: number | null; readonly programmes: readonly string[] },
): Promise<PartnerBalanceRow | undefined> {
  let query = db
    .selectFrom('partner_balances')
    .innerJoin('programmes', 'programmes.programme_id', 'partner_balances.programme_id')
    .selectAll('partner_balances')
    .where('partner_balance_id', '=', partnerBalanceId);
  if (look.partnerId !== null) query = query.where('partner_balances.partner_id', '=', look.partnerId);
  if (look.programmes.length > 0) query = query.where('programmes.issuer_code', 'in', look.programmes);
  return await query.executeTakeFirst();
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
