import { sql } from 'kysely';
import { Refusal, type RefusalCode } from '../domain/errors.ts';
import { type AccountValue, availableOf, entryOf, type FundingKind, valueAfter } from '../domain/ledger.ts';
import { sumFits } from '../domain/money.ts';
import { type Description, responseOf } from '../domain/response-code.ts';
import type { Movement } from '../domain/transaction.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import { openPartnerBalance, PARTNER_ACCOUNTS, sharedAccounts } from './ledger.ts';
import type { Programme } from './partners.ts';
import {
  finishPosting,
  foldColumns,
  insertTransfer,
  lockPartnerBalance,
  type PartnerBalanceValue,
  type PostingOutcome,
  setPartnerBalance,
} from './posting-rows.ts';

/** A credit of a customer's balance by its partner (money 4.5). */
export interface TopUp {
  readonly programme: Programme;
  readonly balanceId: string;
  readonly type: 'topUp' | 'payment' | 'loan' | 'cashback';
  readonly amount: number;
  /** Null = the balance's own. */
  readonly currency: string | null;
  /** The caller's number for it; not unique. */
  readonly externalId: string;
  readonly description: string;
  readonly transactionData?: Readonly<Record<string, unknown>>;
}

/** A posting ends in one of two ways; both are stored, so that a repeat is answered the same. */
export type PostingResult =
  | { readonly posted: true; readonly transactionId: string }
  /** 422 with this code; the transaction records the refusal. */
  | { readonly posted: false; readonly transactionId: string; readonly refusal: Refusal };

interface BalanceRow {
  readonly balance_id: string;
  readonly account_id: number;
  readonly partner_id: number;
  readonly customer_id: number | null;
  readonly corporation_id: string | null;
  readonly currency: string;
  readonly holder: 'platform' | 'external';
  readonly state: string;
  readonly posted: number;
  readonly held: number;
}

/**
 * Books money onto a balance: the checks of money 4.5 in their order, row #17, the transaction with its event,
 * transfers, outbox and audit rows. Throws `BALANCE_NOT_FOUND` (404) for a balance that is not of this
 * programme, `SERVICE_UNAVAILABLE` for one that the partner holds; all other refusals are values.
 */
export async function postTopUp(trx: Trx, topUp: TopUp): Promise<PostingResult> {
  const balance = await trx
    .selectFrom('balances')
    .select([
      'balance_id',
      'account_id',
      'partner_id',
      'customer_id',
      'corporation_id',
      'currency',
      'holder',
      'state',
      'posted',
      'held',
    ])
    .where('balance_id', '=', topUp.balanceId)
    .where('programme_id', '=', topUp.programme.programmeId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
  if (balance.holder === 'external') {
    throw new Refusal('SERVICE_UNAVAILABLE', 'Balances held at the partner are not part of this release.');
  }
  const { funding: kind, programmeId } = topUp.programme;
  const { currency } = balance;
  const credit = kind === 'credit' ? await lockPartnerBalance(trx, { programmeId, kind, currency }) : null;
  const refused = await firstRefusal(trx, topUp, balance, credit);
  if (refused === null) return await post(trx, topUp, balance, credit);
  const transactionId = await insertTransaction(trx, topUp, balance, refused);
  await finishPosting(trx, topUp.programme, transactionId, refused, topUp);
  const { description: code } = refused;
  return { posted: false, transactionId, refusal: new Refusal(code, detailOf(code), { status: 422 }) };
}

type Refused = Extract<Description, RefusalCode>;

interface RefusedPosting extends PostingOutcome {
  readonly description: Refused;
}

const refuse = (description: Refused, reason: string | null = null): RefusedPosting => ({
  description,
  reason,
});

const APPROVED: PostingOutcome = { description: 'APPROVED', reason: null };

const DETAILS: Partial<Record<Refused, string>> = {
  INVALID_AMOUNT: 'The amount has to be more than zero, and no more than the balance can hold.',
  BALANCE_NOT_FOUND: 'The balance takes no postings in its state.',
  CUSTOMER_NOT_FOUND: 'The owner of the balance is locked or deleted.',
  CURRENCY_MISMATCH: 'The balance has another currency.',
  AML_EXCEPTION: 'The owner of the balance may not transact.',
  COLLATERAL_BALANCE_NOT_FOUND: 'There is no credit balance in this currency.',
  INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE: 'The credit balance does not cover the amount.',
};

const detailOf = (refused: Refused): string => DETAILS[refused] ?? 'The posting was refused.';

async function firstRefusal(
  trx: Trx,
  topUp: TopUp,
  balance: BalanceRow,
  credit: PartnerBalanceValue | null,
): Promise<RefusedPosting | null> {
  if (topUp.amount <= 0 || !sumFits(balance.posted, topUp.amount)) return refuse('INVALID_AMOUNT');
  // A blocked balance still takes credits (money 1).
  if (balance.state !== 'ACTIVE' && balance.state !== 'BLOCKED')
    return refuse('BALANCE_NOT_FOUND', `BALANCE_${balance.state}`);
  const owner = await ownerOf(trx, balance);
  if (owner === null || owner.state === 'DELETED') return refuse('CUSTOMER_NOT_FOUND');
  if (owner.state === 'LOCKED') return refuse('CUSTOMER_NOT_FOUND', 'CUSTOMER_LOCKED');
  if (topUp.currency !== null && topUp.currency !== balance.currency) return refuse('CURRENCY_MISMATCH');
  if (owner.transactional_locks > 0) return refuse('AML_EXCEPTION', 'TRANSACTIONAL_LOCK');
  if (owner.kyc !== 'SUCCESS') return refuse('AML_EXCEPTION', 'KYC_NOT_COMPLETE');
  if (topUp.programme.funding !== 'credit') return null;
  if (credit === null) return refuse('COLLATERAL_BALANCE_NOT_FOUND');
  const short = credit.enforced && availableOf(credit) < topUp.amount;
  return short ? refuse('INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE') : null;
}

async function ownerOf(trx: Trx, balance: BalanceRow) {
  if (balance.customer_id === null) return null;
  const owner = await trx
    .selectFrom('customers')
    .select(['state', 'kyc', 'transactional_locks'])
    .where('customer_id', '=', balance.customer_id)
    .executeTakeFirst();
  return owner ?? null;
}

async function post(
  trx: Trx,
  topUp: TopUp,
  balance: BalanceRow,
  credit: PartnerBalanceValue | null,
): Promise<PostingResult> {
  const { programme, amount } = topUp;
  const kind: FundingKind = programme.funding === 'credit' ? 'A' : 'B';
  const [transfer] = entryOf('userCredit', kind, amount);
  if (transfer === undefined) throw new Error('a top-up of nothing was not refused');
  const transactionId = await insertTransaction(trx, topUp, balance, null);
  const user = valueAfter(balance, 'U', transfer);
  const partner = credit === null ? null : valueAfter(credit, 'PC', transfer);
  const scope = { ...programme, currency: balance.currency };
  const debitAccount = credit?.account_id ?? (await sharedAccounts(trx, scope, ['PH'])).PH;
  await insertTransfer(trx, {
    transactionId,
    partnerId: balance.partner_id,
    transfer,
    debitAccount,
    creditAccount: balance.account_id,
    currency: balance.currency,
    debitAfter: partner?.posted ?? null,
    creditAfter: user.posted,
  });
  await trx
    .updateTable('balances')
    .set((row) => ({
      posted: user.posted,
      version: sql<number>`${row.ref('version')} + 1`,
      // A balance that a forced posting took below zero is in order again once it is not.
      ...(availableOf(user) >= 0 ? { forced_since: null } : {}),
    }))
    .where('balance_id', '=', balance.balance_id)
    .execute();
  if (credit !== null && partner !== null) await setPartnerBalance(trx, credit.partner_balance_id, partner);
  await finishPosting(trx, programme, transactionId, APPROVED, topUp);
  return { posted: true, transactionId };
}

async function insertTransaction(
  trx: Trx,
  topUp: TopUp,
  balance: BalanceRow,
  refused: RefusedPosting | null,
): Promise<string> {
  const { programme } = topUp;
  const amount = Math.max(0, topUp.amount);
  const before = availableOf(balance);
  const id = newId(trx);
  await trx
    .insertInto('transactions')
    .values({
      ...foldColumns(trx, movementOf(trx, amount, refused)),
      id,
      partner_id: programme.partnerId,
      programme_id: programme.programmeId,
      type: topUp.type,
      category: 'CREDIT',
      resource: 'balance',
      customer_id: balance.customer_id,
      corporation_id: balance.corporation_id,
      balance_id: balance.balance_id,
      external_id: topUp.externalId,
      amount,
      currency: topUp.currency ?? balance.currency,
      ...resultColumns(refused),
      decided_by: null,
      description: topUp.description,
      occurred_at: nowOf(trx),
      transaction_data: JSON.stringify(topUp.transactionData ?? {}),
      balance_before: before,
      balance_after: refused === null ? before + amount : before,
    })
    .execute();
  return id;
}

const resultColumns = (refused: RefusedPosting | null) => {
  const { description: result, reason } = refused ?? APPROVED;
  return { result, reason };
};

function movementOf(trx: Trx, amount: number, refused: RefusedPosting | null): Movement {
  if (refused === null) return { kind: 'post', amount, atMs: nowOf(trx).getTime() };
  const invalid = responseOf(refused.description, refused.reason).processingStatus === 'INVALID';
  return { kind: 'refuse', state: invalid ? 'INVALID' : 'DECLINED' };
}

/** Money of the partner that has come in at the bank (money 2, prefund). */
export interface PartnerBalancePosting {
  readonly programme: Pick<
    Programme,
    'partnerId' | 'programmeId' | 'funding' | 'enforcePartnerBalance' | 'includePartnerBalances'
  >;
  readonly currency: string;
  readonly type: 'collateralCredit';
  readonly amount: number;
  readonly externalId: string;
  readonly description: string;
}

/**
 * Books a `collateralCredit` (row #24): the bank's money onto the credit balance of a credit-funded programme,
 * onto the deposit of a deposit-funded one; opened when it is not there. Engine or owner. Throws
 * `INVALID_AMOUNT`.
 */
export async function postPartnerBalance(
  trx: Trx,
  posting: PartnerBalancePosting,
): Promise<{ readonly transactionId: string; readonly partnerBalanceId: string }> {
  const { programme, amount, currency } = posting;
  if (amount <= 0) throw new Refusal('INVALID_AMOUNT', detailOf('INVALID_AMOUNT'));
  const kind = programme.funding;
  const scope = { partnerId: programme.partnerId, programmeId: programme.programmeId, currency };
  const { BK } = await sharedAccounts(trx, scope, ['BK']);
  await openPartnerBalance(trx, { ...scope, kind, enforced: programme.enforcePartnerBalance });
  const row = await lockPartnerBalance(trx, { ...scope, kind });
  if (row === null) throw new Error('a partner balance was opened and is not there');
  if (!sumFits(row.posted, amount)) throw new Refusal('INVALID_AMOUNT', detailOf('INVALID_AMOUNT'));
  const [transfer] = entryOf(posting.type, kind === 'credit' ? 'A' : 'B', amount);
  if (transfer === undefined) throw new Error('a posting of nothing was not refused');
  const value = valueAfter(row, PARTNER_ACCOUNTS[kind], transfer);
  const transactionId = await insertPartnerTransaction(trx, posting, row, value);
  await insertTransfer(trx, {
    transactionId,
    partnerId: programme.partnerId,
    transfer,
    debitAccount: BK,
    creditAccount: row.account_id,
    currency,
    debitAfter: null,
    creditAfter: value.posted,
  });
  await setPartnerBalance(trx, row.partner_balance_id, value);
  const told = programme.includePartnerBalances;
  await finishPosting(trx, programme, transactionId, APPROVED, posting, 'partner_balance.posted', told);
  return { transactionId, partnerBalanceId: row.partner_balance_id };
}

async function insertPartnerTransaction(
  trx: Trx,
  posting: PartnerBalancePosting,
  before: AccountValue & { readonly partner_balance_id: string },
  after: AccountValue,
): Promise<string> {
  const { amount } = posting;
  const id = newId(trx);
  await trx
    .insertInto('transactions')
    .values({
      ...foldColumns(trx, { kind: 'post', amount, atMs: nowOf(trx).getTime() }),
      id,
      partner_id: posting.programme.partnerId,
      programme_id: posting.programme.programmeId,
      type: posting.type,
      category: 'CREDIT',
      resource: posting.programme.funding === 'credit' ? 'creditBalance' : 'depositBalance',
      partner_balance_id: before.partner_balance_id,
      external_id: posting.externalId,
      amount,
      currency: posting.currency,
      result: 'APPROVED',
      description: posting.description,
      occurred_at: nowOf(trx),
      transaction_data: '{}',
      balance_before: availableOf(before),
      balance_after: availableOf(after),
    })
    .execute();
  return id;
}
