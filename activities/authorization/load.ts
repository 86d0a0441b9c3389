import type pg from 'pg';
import type { OwnerView } from '../../domain/authorization-view.ts';
import { firstIdAt } from '../../domain/ids.ts';
import { CLEARED_FIRST_DAYS } from '../../domain/cleared-first.ts';
import type { OpenHold } from '../../domain/ledger.ts';
import type { Reference as MessageReference } from '../../domain/reference.ts';
import { CLEARING_DAYS, MERCHANT_DAYS, REFUND_DAYS } from '../../domain/presentment-match.ts';
import type { Lifecycle, LifecycleState } from '../../domain/transaction.ts';
import type { Item } from './commands.ts';
import * as statements from './statements.ts';

/** A card with its balance as the locking statement returns them. */
export interface CardRow {
  processor_card_id: string;
  card_id: number;
  partner_id: number;
  programme_id: number;
  product_id: number;
  customer_id: number | null;
  corporation_id: string | null;
  base_state: string;
  locks: number[];
  expiry_date: string;
  last_four_digits: string;
  pin_tries_left: number;
  cvc_tries_left: number;
  /** The document as text: most cards have one of a few. */
  limits: string | null;
  limits_version: number;
  /** An array as text: thirteen numbers are not worth a parser for arrays of any depth. */
  consumed: string;
  consumed_on: string | null;
  budget_since: Date | null;
  newest_fingerprint: number | null;
  newest_at: Date | null;
  balance_id: string;
  account_id: number;
  currency: string;
  holder: 'platform' | 'external';
  balance_state: 'LINKING' | 'ACTIVE' | 'BLOCKED' | 'UNLINKING' | 'CLOSED';
  posted: number;
  held: number;
  version: number;
  forced_since: Date | null;
}

export interface OwnerRow {
  processor_card_id: string;
  state: OwnerView['state'] | null;
  kyc: OwnerView['kyc'] | null;
  transactional_locks: number | null;
  programme_version: number;
  product_version: number;
  has_tombstone: boolean;
  customer_limited: boolean;
}

export interface CustomerLimitsRow {
  customer_id: number;
  limits: string;
  limits_version: number;
  consumed: string;
  consumed_on: string | null;
  budget_since: Date | null;
  created_at: Date;
}

export interface TombstoneRow {
  tombstone_id: string;
  card_id: number;
  original_stan: string | null;
  original_local_at: string | null;
  network_reference: string | null;
  external_id: string | null;
  amount: number | null;
  remaining_amount: number | null;
  created_at: Date;
}

export interface PartnerBalanceRow {
  partner_balance_id: string;
  account_id: number;
  programme_id: number;
  kind: 'credit' | 'deposit' | 'company' | 'ibanTechnical';
  currency: string;
  enforced: boolean;
  posted: number;
  held: number;
  version: number;
  forced_since: Date | null;
}

interface LifecycleRow {
  id: string;
  balance_id: string | null;
  type: string;
  category: 'DEBIT' | 'CREDIT';
  external_id: string;
  network_reference: string | null;
  rrn: string | null;
  stan: string | null;
  local_at: string | null;
  approval_code: string | null;
  amount: number;
  currency: string;
  merchant_identifier: string | null;
  adjustment_kind: string | null;
  original_currency: string | null;
  capture_mode: string | null;
  cashback: number | null;
  mcc: string | null;
  country: string | null;
  created_at: Date;
  state: LifecycleState;
  authorized: number;
  cleared: number;
  reversed: number;
  refunded: number;
  held: number;
  expires_at: Date | null;
  flags: string[] | null;
  event_count: number;
  cleared_at: Date | null;
  interchange_amount: number | null;
  interchange_currency: string | null;
  arn: string | null;
}

export interface KeyRow {
  nk: string;
  transaction_id: string | null;
  seq: number | null;
  fingerprint: number;
}

const DAY_MS = 86_400_000;

/** Waits for statements that were sent together; throws the first failure, which caused those after it. */
export async function allOf<T extends readonly Promise<unknown>[]>(
  sent: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(sent);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  return settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)) as {
    -readonly [K in keyof T]: Awaited<T[K]>;
  };
}

/** Sends one prepared statement; answers its rows. */
export async function rowsOf<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  statement: { readonly name: string; readonly text: string },
  values: readonly unknown[],
): Promise<Row[]> {
  return (await client.query<Row>({ ...statement, values: [...values] })).rows;
}

/** S1: begins the transaction and locks the cards' names, true = alone; answers the batch's time. */
export async function begin(client: pg.ClientBase, cards: ReadonlyMap<string, boolean>): Promise<Date> {
  const sorted = [...cards].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const values = [sorted.map(([card]) => card), sorted.map(([, alone]) => alone)];
  const [, rows] = await allOf([
    client.query('begin'),
    rowsOf<{ now: Date }>(client, statements.BEGIN, values),
  ]);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error('the database gave no time');
  return now;
}

/** S2: which of the keys are known. */
export const knownKeys = async (client: pg.ClientBase, items: readonly Item[]): Promise<KeyRow[]> =>
  await rowsOf<KeyRow>(client, statements.KNOWN_KEYS, [
    items.flatMap((item) => item.keys.map(({ nk }) => nk)),
  ]);

/** Answers as they were given, by `transactionId/seq`. */
export async function storedAnswers(
  client: pg.ClientBase,
  keys: readonly KeyRow[],
): Promise<ReadonlyMap<string, string>> {
  const stored = keys.filter((key) => key.transaction_id !== null);
  if (stored.length === 0) return new Map();
  const rows = await rowsOf<{ transaction_id: string; seq: number; answer: string | null }>(
    client,
    statements.STORED_ANSWERS,
    [
      stored.map((key) => key.transaction_id),
      stored.map((key) => key.seq),
      ...statements.boundsOf(stored.flatMap((key) => key.transaction_id ?? [])),
    ],
  );
  return new Map(rows.map((row) => [`${row.transaction_id}/${row.seq}`, row.answer ?? '']));
}

interface Reference {
  readonly oldest: string;
  readonly stan: string | null;
  readonly localAt: string | null;
  readonly networkReference: string | null;
  readonly externalId: string | null;
  readonly approvalCode: string | null;
  readonly rrn: string | null;
  readonly merchant: string | null;
  readonly merchantOldest: string;
  readonly amount: number | null;
  readonly refund: boolean;
  /** What the network's own reference finds is meant, whatever else would fit. */
  readonly networkFirst: boolean;
}

const daysBefore = (nowMs: number, days: number): string => firstIdAt(nowMs - days * DAY_MS);

/** Increments and advices are about a transaction that is there already. */
export const looksBack = (item: Item): boolean =>
  item.kind === 'authorization' && (item.command.kind === 'INCREMENTAL' || item.command.advice !== null);

/** True for a purchase whose clearing may have come first. */
const mayBeLate = (item: Item): boolean =>
  item.kind === 'authorization' &&
  item.command.kind === 'AUTHORIZATION' &&
  item.command.networkReference !== null;

/** Nothing of these has to be locked before their cards, unless a clearing came first. */
export const needNoReference = (items: readonly Item[]): boolean =>
  items.every((item) => item.kind === 'authorization' && !looksBack(item));

/** True when a purchase of the batch may be late for its clearing. */
export async function isClearedFirst(client: pg.ClientBase, items: readonly Item[]): Promise<boolean> {
  const references = items.flatMap((item) =>
    mayBeLate(item) && item.kind === 'authorization' ? [item.command.networkReference] : [],
  );
  if (references.length === 0) return false;
  return (await rowsOf(client, statements.CLEARED_FIRST, [references])).length > 0;
}

const oldest = (nowMs: number, days: number) => ({
  oldest: daysBefore(nowMs, days),
  merchantOldest: daysBefore(nowMs, 0),
});

const NOTHING_NAMED = {
  stan: null,
  localAt: null,
  networkReference: null,
  externalId: null,
  approvalCode: null,
  rrn: null,
  merchant: null,
  amount: null,
  refund: false,
  networkFirst: false,
};

const namedBy = (reference: MessageReference, nowMs: number, days: number): Reference => ({
  ...NOTHING_NAMED,
  ...oldest(nowMs, days),
  stan: reference.originalStan,
  localAt: reference.originalLocalAt,
  networkReference: reference.networkReference,
  externalId: reference.referenceExternalId,
  approvalCode: reference.approvalCode,
  rrn: reference.rrn,
});

function referenceOf(item: Item, nowMs: number): Reference | null {
  switch (item.kind) {
    case 'release':
      return null;
    case 'authorization':
      if (looksBack(item)) return namedBy(item.command, nowMs, CLEARING_DAYS);
      return mayBeLate(item)
        ? {
            ...NOTHING_NAMED,
            networkFirst: true,
            ...oldest(nowMs, CLEARED_FIRST_DAYS),
            networkReference: item.command.networkReference,
          }
        : null;
    case 'reversal':
      return namedBy(item.command, nowMs, CLEARING_DAYS);
    case 'presentment': {
      // All that give money back, or take that back, speak of a purchase long ago.
      const refund = !['PURCHASE', 'CASH', 'CREDIT'].includes(item.command.recordType);
      return {
        oldest: daysBefore(nowMs, refund ? REFUND_DAYS : CLEARING_DAYS),
        stan: null,
        localAt: null,
        networkReference: item.command.networkReference,
        externalId: item.command.referenceExternalId,
        approvalCode: item.command.approvalCode,
        rrn: item.command.rrn,
        merchant: item.command.merchantIdentifier,
        merchantOldest: daysBefore(nowMs, refund ? REFUND_DAYS : MERCHANT_DAYS),
        amount: item.command.amount,
        refund,
        networkFirst: true,
      };
    }
  }
}

/** Ids of the transactions that each item may mean, by the item's place in `items`. */
export async function candidatesOf(
  client: pg.ClientBase,
  items: readonly Item[],
  nowMs: number,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const asked = items.flatMap((item, at) => {
    const reference = referenceOf(item, nowMs);
    return reference === null ? [] : [{ at, card: item.processorCardId, ...reference }];
  });
  const found = new Map<number, string[]>();
  if (asked.length === 0) return found;
  const rows = await rowsOf<{ item: number; id: string }>(client, statements.CANDIDATES, [
    asked.map((one) => one.at),
    asked.map((one) => one.card),
    asked.map((one) => one.oldest),
    asked.map((one) => one.stan),
    asked.map((one) => one.localAt),
    asked.map((one) => one.networkReference),
    asked.map((one) => one.externalId),
    asked.map((one) => one.approvalCode),
    asked.map((one) => one.rrn),
    asked.map((one) => one.merchant),
    asked.map((one) => one.merchantOldest),
    asked.map((one) => one.amount),
    asked.map((one) => one.refund),
    asked.map((one) => one.networkFirst),
    asked.map((one) => one.oldest).toSorted()[0],
  ]);
  for (const { item, id } of rows) found.set(item, [...(found.get(item) ?? []), id]);
  return found;
}

/** S4: locks transactions and reads them with what is left of their holds. */
export async function lockLifecycles(
  client: pg.ClientBase,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Lifecycle>> {
  if (ids.length === 0) return new Map();
  const bounds = statements.boundsOf(ids);
  const [rows, holds] = await allOf([
    rowsOf<LifecycleRow>(client, statements.LOCK_LIFECYCLES, [ids, ...bounds]),
    rowsOf<{ transaction_id: string; event_seq: number; seq: number; remaining: number }>(
      client,
      statements.OPEN_HOLDS,
      [ids, ...bounds],
    ),
  ]);
  const holdsOf = new Map<string, OpenHold[]>();
  for (const { transaction_id: id, event_seq: eventSeq, seq, remaining } of holds) {
    if (remaining > 0) holdsOf.set(id, [...(holdsOf.get(id) ?? []), { eventSeq, seq, remaining }]);
  }
  return new Map(rows.map((row) => [row.id, toLifecycle(row, holdsOf.get(row.id) ?? [])]));
}

const toLifecycle = (row: LifecycleRow, holds: readonly OpenHold[]): Lifecycle => ({
  id: row.id,
  balanceId: row.balance_id,
  type: row.type,
  category: row.category,
  externalId: row.external_id,
  networkReference: row.network_reference,
  rrn: row.rrn,
  stan: row.stan,
  localAt: row.local_at,
  approvalCode: row.approval_code,
  amount: row.amount,
  currency: row.currency,
  merchantIdentifier: row.merchant_identifier,
  adjustmentKind: row.adjustment_kind,
  originalCurrency: row.original_currency,
  captureMode: row.capture_mode,
  cashback: row.cashback ?? 0,
  mcc: row.mcc,
  country: row.country,
  createdAtMs: row.created_at.getTime(),
  state: row.state,
  authorized: row.authorized,
  cleared: row.cleared,
  reversed: row.reversed,
  refunded: row.refunded,
  held: row.held,
  expiresAtMs: row.expires_at?.getTime() ?? null,
  flags: row.flags ?? [],
  eventCount: row.event_count,
  clearedAtMs: row.cleared_at?.getTime() ?? null,
  settlement: {
    interchangeAmount: row.interchange_amount,
    interchangeCurrency: row.interchange_currency,
    arn: row.arn,
  },
  holds,
});

export interface LoadedCards {
  readonly cards: readonly CardRow[];
  readonly owners: readonly OwnerRow[];
}

/** S3 and S5: locks cards with their balances, and reads who holds them. */
export async function lockCards(client: pg.ClientBase, cards: readonly string[]): Promise<LoadedCards> {
  const [rows, owners] = await allOf([
    rowsOf<CardRow>(client, statements.LOCK_CARDS, [cards]),
    rowsOf<OwnerRow>(client, statements.OWNERS, [cards]),
  ]);
  return { cards: rows, owners };
}

/** Locks the limits of customers; those without any are missing from the answer. */
export const lockCustomerLimits = async (
  client: pg.ClientBase,
  customerIds: readonly number[],
): Promise<CustomerLimitsRow[]> =>
  customerIds.length === 0
    ? []
    : await rowsOf<CustomerLimitsRow>(client, statements.LOCK_CUSTOMER_LIMITS, [customerIds]);

/** Reversals of these cards that came before what they reverse. */
export const tombstonesOf = async (
  client: pg.ClientBase,
  cardIds: readonly number[],
): Promise<TombstoneRow[]> =>
  cardIds.length === 0 ? [] : await rowsOf<TombstoneRow>(client, statements.TOMBSTONES, [cardIds]);

export interface PartnerBalanceKey {
  readonly programmeId: number;
  readonly kind: 'deposit' | 'company';
  readonly currency: string;
}

/** S7: locks the partner balances named; one that does not exist is missing from the answer. */
export const lockPartnerBalances = async (
  client: pg.ClientBase,
  keys: readonly PartnerBalanceKey[],
): Promise<PartnerBalanceRow[]> =>
  keys.length === 0
    ? []
    : await rowsOf<PartnerBalanceRow>(client, statements.LOCK_PARTNER_BALANCES, [
        keys.map((key) => key.programmeId),
        keys.map((key) => key.kind),
        keys.map((key) => key.currency),
      ]);
