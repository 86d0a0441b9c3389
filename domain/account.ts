/** Places of the chart of accounts (money 3.1). U is the customer's balance, PC, PD, CO, IT the partner's. */
export const ACCOUNT_CODES = [
  'U', 'XU', 'XC', 'PC', 'PD', 'CO', 'IT', 'RV', 'WO', 'BK', 'NS', 'NR', 'PH', 'IC', 'IH', 'PO', 'CB', 'SU', 'FX',
] as const; // prettier-ignore
export type AccountCode = (typeof ACCOUNT_CODES)[number];

/** Accounts with a cached value, locked by every writer; the others are only ever inserted to. */
export type GuardedCode = 'U' | 'XU' | 'PC' | 'PD' | 'CO' | 'IT';
const GUARDED: readonly AccountCode[] = ['U', 'XU', 'PC', 'PD', 'CO', 'IT'];

/** True for an account that has a cached value. */
export const isGuarded = (code: AccountCode): code is GuardedCode => GUARDED.includes(code);

/** Guarded accounts of the partner: each has a row in `partner_balances`. */
export type PartnerCode = Exclude<GuardedCode, 'U' | 'XU'>;

/** True for an account behind a partner balance. */
export const isPartnerCode = (code: AccountCode): code is PartnerCode =>
  isGuarded(code) && code !== 'U' && code !== 'XU';
