import type { AccountCode } from '../domain/ledger.ts';
import { newId, type Trx } from './atomically.ts';

/** Accounts are kept per programme and currency. */
export interface AccountScope {
  readonly partnerId: number;
  readonly programmeId: number;
  readonly currency: string;
}

type SharedCode = Exclude<AccountCode, 'U' | 'XU'>;

/** Opens an account of the chart and answers its id: one for each balance (U, XU), one per scope for the rest. */
export async function openAccount(trx: Trx, account: AccountScope & { code: AccountCode }): Promise<number> {
  const row = await trx
    .insertInto('ledger_accounts')
    .values({
      partner_id: account.partnerId,
      programme_id: account.programmeId,
      code: account.code,
      currency: account.currency,
    })
    .returning('account_id')
    .executeTakeFirstOrThrow();
  return row.account_id;
}

/** Ids of the named shared accounts of a scope; those used for the first time are opened. */
export async function sharedAccounts<Code extends SharedCode>(
  trx: Trx,
  scope: AccountScope,
  codes: readonly Code[],
): Promise<Record<Code, number>> {
  const found = await readAccounts(trx, scope, codes);
  const missing = codes.filter((code) => !found.has(code));
  if (missing.length > 0) {
    await trx
      .insertInto('ledger_accounts')
      .values(
        missing.map((code) => ({
          partner_id: scope.partnerId,
          programme_id: scope.programmeId,
          code,
          currency: scope.currency,
        })),
      )
      // Another transaction may open the same account at the same time: its row is then read below.
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    for (const [code, id] of await readAccounts(trx, scope, missing)) found.set(code, id);
  }
  return Object.fromEntries(found) as Record<Code, number>;
}

async function readAccounts(
  trx: Trx,
  scope: AccountScope,
  codes: readonly string[],
): Promise<Map<string, number>> {
  if (codes.length === 0) return new Map();
  const rows = await trx
    .selectFrom('ledger_accounts')
    .select(['code', 'account_id'])
    .where('programme_id', '=', scope.programmeId)
    .where('currency', '=', scope.currency)
    .where('code', 'in', codes)
    .execute();
  return new Map(rows.map((row) => [row.code, row.account_id]));
}

export type PartnerBalanceKind = 'credit' | 'deposit' | 'company' | 'ibanTechnical';

/** Account of the chart behind each kind of partner balance (money 2, 3.1). */
export const PARTNER_ACCOUNTS = {
  credit: 'PC',
  deposit: 'PD',
  company: 'CO',
  ibanTechnical: 'IT',
} as const satisfies Record<PartnerBalanceKind, AccountCode>;

export interface NewPartnerBalance extends AccountScope {
  readonly kind: PartnerBalanceKind;
  /** False lets the value go below zero (money 0, `enforcePartnerBalance`). */
  readonly enforced: boolean;
}

/**
 * Opens the partner balance of a programme, kind and currency at zero, or finds the one that is there; answers
 * its id and account, and whether it is new. Engine or owner; channels can insert the company's balance alone.
 */
export async function openPartnerBalance(
  trx: Trx,
  balance: NewPartnerBalance,
): Promise<{ partnerBalanceId: string; accountId: number; isNew: boolean }> {
  const code = PARTNER_ACCOUNTS[balance.kind];
  const accountId = (await sharedAccounts(trx, balance, [code]))[code];
  const inserted = await trx
    .insertInto('partner_balances')
    .values({
      partner_balance_id: newId(trx),
      account_id: accountId,
      partner_id: balance.partnerId,
      programme_id: balance.programmeId,
      kind: balance.kind,
      currency: balance.currency,
      enforced: balance.enforced,
    })
    .onConflict((conflict) => conflict.columns(['programme_id', 'kind', 'currency']).doNothing())
    .executeTakeFirst();
  const row = await trx
    .selectFrom('partner_balances')
    .select('partner_balance_id')
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  const isNew = Number(inserted.numInsertedOrUpdatedRows ?? 0) === 1;
  return { partnerBalanceId: row.partner_balance_id, accountId, isNew };
}
