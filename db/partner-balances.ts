import { type Kysely, type Selectable, sql } from 'kysely';
import type { AlertSettings, AlertState } from '../domain/partner-balance-alert.ts';
import type { Database, PartnerBalancesTable } from './database.ts';
import { byId, inOrder, type Keyset } from './keyset.ts';

/** A partner balance with the alert that its partner has set, if any. */
export type PartnerBalanceRow = Selectable<PartnerBalancesTable> & { readonly alert: AlertView | null };

export interface AlertView extends AlertSettings {
  readonly state: AlertState;
  readonly firedAt: Date | null;
}

/** One partner balance of the programmes named, or undefined. */
export async function findPartnerBalance(
  db: Kysely<Database>,
  partnerBalanceId: string,
  programmeIds: readonly number[],
): Promise<PartnerBalanceRow | undefined> {
  const row = await withAlert(db)
    .where('balance.partner_balance_id', '=', partnerBalanceId)
    .where('programme_id', 'in', programmeIds)
    .executeTakeFirst();
  return row === undefined ? undefined : toRow(row);
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
  let query = withAlert(db)
    .innerJoin('programmes', 'programmes.programme_id', 'balance.programme_id')
    .where('balance.partner_balance_id', '=', partnerBalanceId);
  if (look.partnerId !== null) query = query.where('balance.partner_id', '=', look.partnerId);
  if (look.programmes.length > 0) query = query.where('programmes.issuer_code', 'in', look.programmes);
  const row = await query.executeTakeFirst();
  return row === undefined ? undefined : toRow(row);
}

export interface PartnerBalanceFilter {
  readonly programmeIds: readonly number[];
  readonly kind?: PartnerBalanceRow['kind'] | undefined;
  readonly currency?: string | undefined;
  readonly before?: string | undefined;
  /** Instead of the newest first, before `before`. */
  readonly order?: Keyset<PartnerBalanceOrder>;
  readonly limit: number;
}

const ORDERS = { id: sql`balance.partner_balance_id`, amount: sql`balance.posted` };
export type PartnerBalanceOrder = keyof typeof ORDERS;

/** Partner balances of the programmes named, newest first. */
export async function listPartnerBalances(
  db: Kysely<Database>,
  filter: PartnerBalanceFilter,
): Promise<PartnerBalanceRow[]> {
  if (filter.programmeIds.length === 0) return [];
  let query = withAlert(db).where('programme_id', 'in', filter.programmeIds);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.currency !== undefined) query = query.where('currency', '=', filter.currency);
  const rows = await inOrder(query, ORDERS, filter.order ?? byId(filter.before), filter.limit).execute();
  return rows.map(toRow);
}

const withAlert = (db: Kysely<Database>) =>
  db
    .selectFrom('partner_balances as balance')
    .leftJoin('partner_balance_alerts as alert', 'alert.partner_balance_id', 'balance.partner_balance_id')
    .selectAll('balance')
    .select(['threshold', 'rearm_level', 'emails', 'enabled', 'alert.state as alert_state', 'fired_at']);

type Joined = Selectable<PartnerBalancesTable> & {
  readonly threshold: number | null;
  readonly rearm_level: number | null;
  readonly emails: readonly string[] | null;
  readonly enabled: boolean | null;
  readonly alert_state: AlertState | null;
  readonly fired_at: Date | null;
};

function toRow(joined: Joined): PartnerBalanceRow {
  const {
    threshold,
    rearm_level: rearmLevel,
    emails,
    enabled,
    alert_state: state,
    fired_at: firedAt,
    ...balance
  } = joined;
  const found =
    threshold !== null && rearmLevel !== null && emails !== null && enabled !== null && state !== null;
  return { ...balance, alert: found ? { threshold, rearmLevel, emails, enabled, state, firedAt } : null };
}
