import { type OperationNodeSource, sql } from 'kysely';
import { type AccountCode, isPartnerCode, type PartnerCode } from '../domain/account.ts';
import { type AccountValue, availableOf, type Transfer, valueAfter } from '../domain/ledger.ts';
import { nowOf, type Trx } from './atomically.ts';
import {
  type AccountScope,
  openPartnerBalance,
  PARTNER_ACCOUNTS,
  type PartnerBalanceKind,
  sharedAccounts,
} from './ledger.ts';

/** A customer's balance as a posting needs it, locked. */
export interface LockedBalance extends AccountValue {
  readonly balance_id: string;
  readonly account_id: number;
  readonly partner_id: number;
  readonly programme_id: number;
  readonly customer_id: number | null;
  readonly corporation_id: string | null;
  readonly currency: string;
  readonly holder: 'platform' | 'external';
  readonly state: 'LINKING' | 'ACTIVE' | 'BLOCKED' | 'UNLINKING' | 'CLOSED';
}

/** A partner balance as a posting needs it, locked. */
export interface LockedPartnerBalance extends AccountValue {
  readonly partner_balance_id: string;
  readonly account_id: number;
  readonly kind: PartnerBalanceKind;
  readonly enforced: boolean;
}

/** Locks balances in the order of their ids; those that are not there are missing from the answer. */
export async function lockBalances(
  trx: Trx,
  balanceIds: readonly string[],
): Promise<ReadonlyMap<string, LockedBalance>> {
  const rows = await trx
    .selectFrom('balances')
    .select([
      'balance_id',
      'account_id',
      'partner_id',
      'programme_id',
      'customer_id',
      'corporation_id',
      'currency',
      'holder',
      'state',
      'posted',
      'held',
    ])
    .where('balance_id', 'in', balanceIds)
    .orderBy('balance_id')
    .forNoKeyUpdate()
    .execute();
  return new Map(rows.map((row) => [row.balance_id, row]));
}

const KINDS = Object.keys(PARTNER_ACCOUNTS) as PartnerBalanceKind[];

/** Partner balances by the code of their account. */
export type PartnerBooks = ReadonlyMap<PartnerCode, LockedPartnerBalance>;

/** Kinds that open at their first posting, and whether they are kept from going negative (money 2). */
const OPENED_BY_USE = { company: { enforced: false }, ibanTechnical: { enforced: true } } as const;

/**
 * Locks those partner balances of a scope that `codes` names, in the order of their ids; last in the lock
 * order, for they are hot. Company and IBAN balances open here at their first posting; a credit or deposit
 * balance that was never opened is missing from the answer.
 */
export async function lockPartnerBooks(
  trx: Trx,
  scope: AccountScope,
  codes: readonly AccountCode[],
): Promise<PartnerBooks> {
  const kinds = KINDS.filter((kind) => codes.includes(PARTNER_ACCOUNTS[kind]));
  if (kinds.length === 0) return new Map();
  const locked = await lockKinds(trx, scope, kinds);
  let opened = false;
  for (const kind of ['company', 'ibanTechnical'] as const) {
    if (!kinds.includes(kind) || locked.has(PARTNER_ACCOUNTS[kind])) continue;
    const { partnerId, programmeId, currency } = scope;
    await openPartnerBalance(trx, { partnerId, programmeId, currency, kind, ...OPENED_BY_USE[kind] });
    opened = true;
  }
  return opened ? await lockKinds(trx, scope, kinds) : locked;
}

async function lockKinds(
  trx: Trx,
  { programmeId, currency }: AccountScope,
  kinds: readonly PartnerBalanceKind[],
): Promise<PartnerBooks> {
  const rows = await trx
    .selectFrom('partner_balances')
    .select(['partner_balance_id', 'account_id', 'kind', 'enforced', 'posted', 'held'])
    .where('programme_id', '=', programmeId)
    .where('currency', '=', currency)
    .where('kind', 'in', kinds)
    .orderBy('partner_balance_id')
    .forNoKeyUpdate()
    .execute();
  return new Map(rows.map((row) => [PARTNER_ACCOUNTS[row.kind], row]));
}

type UnguardedCode = Exclude<AccountCode, 'U' | 'XU' | PartnerCode>;

/** Ids of the accounts without a cached value that `codes` names; those used for the first time are opened. */
export async function openUnguarded(
  trx: Trx,
  scope: AccountScope,
  codes: readonly AccountCode[],
): Promise<ReadonlyMap<AccountCode, number>> {
  const wanted = codes.filter(
    (code): code is UnguardedCode => code !== 'U' && code !== 'XU' && !isPartnerCode(code),
  );
  return new Map(Object.entries(await sharedAccounts(trx, scope, wanted))) as Map<AccountCode, number>;
}

/** One event's transfers with the rows they move; all rows are locked. */
export interface Entry {
  readonly transactionId: string;
  readonly partnerId: number;
  readonly currency: string;
  readonly transfers: readonly Transfer[];
  /** Null where no transfer touches a customer. */
  readonly balance: LockedBalance | null;
  readonly partner: PartnerBooks;
  /** From `openUnguarded`. */
  readonly unguarded: ReadonlyMap<AccountCode, number>;
  /** The entry was not asked for funds: what it takes below zero is marked as forced (authorization 6). */
  readonly forced: boolean;
}

/** The rows of an entry as they are after it. */
export interface Booked {
  readonly balance: LockedBalance | null;
  readonly partner: PartnerBooks;
}

/**
 * Writes the transfers of a transaction's first event and the values of the balances they move, each of which
 * gets one version. Throws when a transfer names a balance that is not among the rows: a defect of the caller.
 */
export async function bookEntry(trx: Trx, entry: Entry): Promise<Booked> {
  const { transactionId, partnerId, currency, transfers, unguarded } = entry;
  if (transfers.length === 0) throw new Error('an entry without transfers');
  let balance = entry.balance;
  const partner = new Map(entry.partner);
  const accountOf = (code: AccountCode): number => {
    const guarded = code === 'U' ? balance : isPartnerCode(code) ? partner.get(code) : null;
    const id = guarded?.account_id ?? unguarded.get(code);
    if (id === undefined) throw new Error(`an entry moves ${code}, which is not open`);
    return id;
  };
  const valueOf = (code: AccountCode): number | null => {
    if (code === 'U') return balance?.posted ?? null;
    return isPartnerCode(code) ? (partner.get(code)?.posted ?? null) : null;
  };
  const rows = transfers.map((transfer) => {
    if (balance !== null) balance = { ...balance, ...valueAfter(balance, 'U', transfer) };
    for (const [code, one] of partner) partner.set(code, { ...one, ...valueAfter(one, code, transfer) });
    return {
      transaction_id: transactionId,
      event_seq: 1,
      seq: transfer.seq,
      partner_id: partnerId,
      debit_account: accountOf(transfer.debit),
      credit_account: accountOf(transfer.credit),
      amount: transfer.amount,
      currency,
      state: transfer.state,
      of_event_seq: transfer.of?.eventSeq ?? null,
      of_seq: transfer.of?.seq ?? null,
      debit_after: valueOf(transfer.debit),
      credit_after: valueOf(transfer.credit),
    };
  });
  const writes: OperationNodeSource[] = [trx.insertInto('ledger_transfers').values(rows)];
  if (entry.balance !== null && balance !== null) writes.push(saveBalance(trx, balance, entry));
  for (const [code, before] of entry.partner) {
    const after = partner.get(code);
    const touched = transfers.some(({ debit, credit }) => debit === code || credit === code);
    if (after !== undefined && touched) writes.push(savePartnerBalance(trx, before, after, entry.forced));
  }
  // One round trip: the partner's balance is locked, and others wait for it.
  const parts = writes.map((write, at) => sql`${sql.ref(`write_${at}`)} as (${write})`);
  await sql`with ${sql.join(parts)} select 1`.execute(trx);
  return { balance, partner };
}

const saveBalance = (trx: Trx, after: LockedBalance, { forced }: Entry) =>
  trx
    .updateTable('balances')
    .set((row) => ({
      posted: after.posted,
      held: after.held,
      version: sql<number>`${row.ref('version')} + 1`,
      ...forcedSince(trx, after, forced),
    }))
    .where('balance_id', '=', after.balance_id);

function savePartnerBalance(
  trx: Trx,
  before: LockedPartnerBalance,
  after: LockedPartnerBalance,
  forced: boolean,
) {
  const mark = forced && after.enforced && after.posted < before.posted;
  return trx
    .updateTable('partner_balances')
    .set((row) => ({
      posted: after.posted,
      version: sql<number>`${row.ref('version')} + 1`,
      ...forcedSince(trx, after, mark),
    }))
    .where('partner_balance_id', '=', after.partner_balance_id);
}

/** What a forced posting took below zero is marked until it is in order again; nothing else may go there. */
function forcedSince(trx: Trx, after: AccountValue, forced: boolean) {
  if (availableOf(after) >= 0) return { forced_since: null };
  return forced ? { forced_since: sql<Date>`coalesce(forced_since, ${nowOf(trx)})` } : {};
}
