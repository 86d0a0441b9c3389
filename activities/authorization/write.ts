import type pg from 'pg';
import { severityOf } from '../../domain/decision.ts';
import type { Fold } from '../../domain/transaction.ts';
import {
  type Bulk,
  bulkInsert,
  bulkQuery,
  bulkUpdate,
  type Column,
  mergeQueries,
  type Query,
  stampedInsert,
} from './bulk.ts';
import type { Counted } from './consumption.ts';
import { allOf } from './load.ts';
import type { GuardedAccount, LoadedCard, PostedTransfer, WorkingCopy } from './working-copy.ts';
import type {
  EventRow,
  ExceptionRow,
  UnaskedTransaction,
  KeyRow,
  OutboxRow,
  TombstoneRow,
  TransactionRow,
  WriteSet,
} from './write-set.ts';

type NewRow = TransactionRow & { readonly fold: Fold };
interface FoldRow {
  readonly id: string;
  readonly fold: Fold;
  readonly now: Date;
}

const arrayText = (values: readonly (string | number)[]): string => `{${values.join(',')}}`;
const timeOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** The columns that later events change; the same in the insert and in the update. */
const foldColumns: readonly Column<{ readonly fold: Fold }>[] = [
  { name: 'state', type: 'text', value: ({ fold }) => fold.state },
  { name: 'authorized', type: 'bigint', value: ({ fold }) => fold.authorized },
  { name: 'cleared', type: 'bigint', value: ({ fold }) => fold.cleared },
  { name: 'reversed', type: 'bigint', value: ({ fold }) => fold.reversed },
  { name: 'refunded', type: 'bigint', value: ({ fold }) => fold.refunded },
  { name: 'held', type: 'bigint', value: ({ fold }) => fold.held },
  { name: 'expires_at', type: 'timestamptz', value: ({ fold }) => timeOf(fold.expiresAtMs) },
  {
    name: 'flags',
    type: 'text',
    cast: 'text[]',
    value: ({ fold }) => (fold.flags.length === 0 ? null : arrayText(fold.flags)),
  },
  { name: 'event_count', type: 'smallint', value: ({ fold }) => fold.eventCount },
  { name: 'cleared_at', type: 'timestamptz', value: ({ fold }) => timeOf(fold.clearedAtMs) },
  { name: 'interchange_amount', type: 'bigint', value: ({ fold }) => fold.settlement.interchangeAmount },
  { name: 'interchange_currency', type: 'text', value: ({ fold }) => fold.settlement.interchangeCurrency },
  { name: 'arn', type: 'text', value: ({ fold }) => fold.settlement.arn },
];

const transactions = stampedInsert<NewRow>('transactions', 'created_at, updated_at', [
  { name: 'id', type: 'uuid', value: (row) => row.id },
  { name: 'partner_id', type: 'int', value: ({ card }) => card.row.partner_id },
  { name: 'programme_id', type: 'int', value: ({ card }) => card.row.programme_id },
  { name: 'card_id', type: 'bigint', value: ({ card }) => card.row.card_id },
  { name: 'customer_id', type: 'bigint', value: ({ card }) => card.row.customer_id },
  { name: 'corporation_id', type: 'uuid', value: ({ card }) => card.row.corporation_id },
  { name: 'balance_id', type: 'uuid', value: ({ card }) => card.row.balance_id },
  { name: 'last_four_digits', type: 'text', value: ({ card }) => card.row.last_four_digits },
  { name: 'type', type: 'text', value: ({ created }) => created.type },
  { name: 'category', type: 'text', value: ({ created }) => created.category },
  { name: 'adjustment_kind', type: 'text', value: ({ created }) => created.adjustmentKind },
  { name: 'external_id', type: 'text', value: ({ created }) => created.externalId },
  { name: 'reference_external_id', type: 'text', value: ({ created }) => created.referenceExternalId },
  { name: 'related_id', type: 'uuid', value: ({ created }) => created.relatedId },
  { name: 'network_reference', type: 'text', value: ({ created }) => created.networkReference },
  { name: 'rrn', type: 'text', value: ({ created }) => created.rrn },
  { name: 'stan', type: 'text', value: ({ created }) => created.stan },
  { name: 'local_at', type: 'text', value: ({ created }) => created.localAt },
  { name: 'approval_code', type: 'text', value: ({ created }) => created.approvalCode },
  { name: 'amount', type: 'bigint', value: ({ created }) => created.amount },
  { name: 'currency', type: 'text', value: ({ created }) => created.currency },
  { name: 'original_amount', type: 'bigint', value: ({ created }) => created.originalAmount },
  { name: 'original_currency', type: 'text', value: ({ created }) => created.originalCurrency },
  { name: 'result', type: 'text', value: ({ created }) => created.result },
  { name: 'reason', type: 'text', value: ({ created }) => created.reason },
  { name: 'decided_by', type: 'text', value: ({ created }) => created.decidedBy },
  { name: 'description', type: 'text', value: ({ created }) => created.description },
  { name: 'occurred_at', type: 'timestamptz', value: ({ created }) => created.occurredAt },
  {
    name: 'transaction_data',
    type: 'text',
    cast: 'jsonb',
    value: ({ created }) => JSON.stringify(created.transactionData),
  },
  { name: 'balance_before', type: 'bigint', value: ({ created }) => created.balanceBefore },
  { name: 'balance_after', type: 'bigint', value: ({ created }) => created.balanceAfter },
  ...foldColumns,
]);

const changedTransactions = bulkUpdate<FoldRow>(
  'update transactions',
  'transactions',
  [
    { name: 'id', type: 'uuid', value: (row) => row.id },
    ...foldColumns,
    { name: 'updated_at', type: 'timestamptz', value: ({ now }) => now.toISOString() },
  ],
  true,
);

const unaskedTransactions = stampedInsert<UnaskedTransaction>('unasked_transactions', 'created_at', [
  { name: 'network_reference', type: 'text', value: (row) => row.networkReference },
  { name: 'transaction_id', type: 'uuid', value: (row) => row.transactionId },
  { name: 'partner_id', type: 'int', value: (row) => row.partnerId },
]);

const events = stampedInsert<EventRow>('transaction_events', 'created_at', [
  { name: 'transaction_id', type: 'uuid', value: (row) => row.transactionId },
  { name: 'seq', type: 'smallint', value: ({ event }) => event.seq },
  { name: 'partner_id', type: 'int', value: (row) => row.partnerId },
  { name: 'kind', type: 'text', value: ({ event }) => event.kind },
  { name: 'status', type: 'text', value: ({ event }) => event.status },
  { name: 'result', type: 'text', value: ({ event }) => event.result },
  { name: 'reason', type: 'text', value: ({ event }) => event.reason },
  { name: 'amount', type: 'bigint', value: ({ event }) => event.amount },
  { name: 'external_id', type: 'text', value: ({ event }) => event.externalId },
  { name: 'occurred_at', type: 'timestamptz', value: ({ event }) => event.occurredAt },
  { name: 'request_id', type: 'text', value: (row) => row.requestId },
  { name: 'actor', type: 'text', value: (row) => row.actor },
  { name: 'answer', type: 'text', value: (row) => row.answer },
  { name: 'trace', type: 'text', value: (row) => row.trace },
]);

const transfers = stampedInsert<PostedTransfer>('ledger_transfers', 'created_at', [
  { name: 'transaction_id', type: 'uuid', value: (row) => row.transactionId },
  { name: 'event_seq', type: 'smallint', value: (row) => row.eventSeq },
  { name: 'seq', type: 'smallint', value: (row) => row.seq },
  { name: 'partner_id', type: 'int', value: (row) => row.partnerId },
  { name: 'debit_account', type: 'bigint', value: (row) => row.debitAccount },
  { name: 'credit_account', type: 'bigint', value: (row) => row.creditAccount },
  { name: 'amount', type: 'bigint', value: (row) => row.amount },
  { name: 'currency', type: 'text', value: (row) => row.currency },
  { name: 'state', type: 'text', value: (row) => row.state },
  { name: 'of_event_seq', type: 'smallint', value: (row) => row.ofEventSeq },
  { name: 'of_seq', type: 'smallint', value: (row) => row.ofSeq },
  { name: 'debit_after', type: 'bigint', value: (row) => row.debitAfter },
  { name: 'credit_after', type: 'bigint', value: (row) => row.creditAfter },
]);

const keys = bulkInsert<KeyRow>('network_keys', [
  { name: 'nk', type: 'uuid', value: (row) => row.nk },
  { name: 'transaction_id', type: 'uuid', value: (row) => row.transactionId },
  { name: 'seq', type: 'smallint', value: (row) => row.seq },
  { name: 'fingerprint', type: 'int', value: (row) => row.fingerprint },
]);

const outbox = stampedInsert<OutboxRow>('outbox', 'created_at', [
  { name: 'partner_id', type: 'int', value: (row) => row.partnerId },
  { name: 'programme_id', type: 'int', value: (row) => row.programmeId },
  { name: 'destination', type: 'text', value: (row) => row.destination },
  { name: 'connection_id', type: 'int', value: (row) => row.connectionId },
  { name: 'kind', type: 'text', value: (row) => row.kind },
  { name: 'transaction_id', type: 'uuid', value: (row) => row.transactionId },
  { name: 'event_seq', type: 'smallint', value: (row) => row.eventSeq },
  { name: 'subject_id', type: 'text', value: (row) => row.subjectId },
  { name: 'order_key', type: 'text', value: (row) => row.orderKey },
  { name: 'data', type: 'text', cast: 'jsonb', value: (row) => row.data },
]);

const valueColumns: readonly Column<GuardedAccount>[] = [
  { name: 'posted', type: 'bigint', value: (row) => row.posted },
  { name: 'held', type: 'bigint', value: (row) => row.held },
  { name: 'version', type: 'bigint', value: (row) => row.version },
  { name: 'forced_since', type: 'timestamptz', value: (row) => row.forcedSince?.toISOString() ?? null },
];

const balances = bulkUpdate<GuardedAccount>('update balances', 'balances', [
  { name: 'balance_id', type: 'uuid', value: (row) => row.id },
  ...valueColumns,
]);

const partnerBalances = bulkUpdate<GuardedAccount>('update partner balances', 'partner_balances', [
  { name: 'partner_balance_id', type: 'uuid', value: (row) => row.id },
  ...valueColumns,
]);

const countedColumns: readonly Column<Counted>[] = [
  {
    name: 'consumed',
    type: 'text',
    cast: 'bigint[]',
    value: ({ consumption }) => arrayText(consumption.consumed),
  },
  { name: 'consumed_on', type: 'date', value: ({ consumption }) => consumption.on },
];

const cardStates = bulkUpdate<LoadedCard>('update card states', 'card_states', [
  { name: 'processor_card_id', type: 'text', value: ({ row }) => row.processor_card_id },
  { name: 'pin_tries_left', type: 'smallint', value: (card) => card.pinTriesLeft },
  { name: 'cvc_tries_left', type: 'smallint', value: (card) => card.cvcTriesLeft },
  { name: 'locks', type: 'text', cast: 'smallint[]', value: (card) => arrayText(card.locks) },
  ...countedColumns.map((column) => ({
    ...column,
    value: ({ counted }: LoadedCard) => column.value(counted),
  })),
  { name: 'newest_fingerprint', type: 'int', value: ({ newest }) => newest?.fingerprint ?? null },
  { name: 'newest_at', type: 'timestamptz', value: ({ newest }) => timeOf(newest?.atMs ?? null) },
]);

interface CountedCustomer {
  readonly customerId: number;
  readonly counted: Counted;
}

const customerLimits = bulkUpdate<CountedCustomer>('update customer limits', 'customer_limits', [
  { name: 'customer_id', type: 'bigint', value: ({ customerId }) => customerId },
  ...countedColumns.map((column) => ({
    ...column,
    value: ({ counted }: CountedCustomer) => column.value(counted),
  })),
]);

const exceptions = stampedInsert<ExceptionRow>('exceptions', 'created_at', [
  { name: 'exception_id', type: 'uuid', value: (row) => row.id },
  { name: 'partner_id', type: 'int', value: (row) => row.partnerId },
  { name: 'kind', type: 'text', value: ({ exception }) => exception.kind },
  { name: 'severity', type: 'text', value: ({ exception }) => severityOf(exception.kind) },
  {
    name: 'state',
    type: 'text',
    value: ({ exception }) => (severityOf(exception.kind) === 'INFO' ? 'RESOLVED' : 'OPEN'),
  },
  { name: 'transaction_id', type: 'uuid', value: (row) => row.transactionId },
  { name: 'record_id', type: 'text', value: (row) => row.recordId },
  { name: 'values', type: 'text', cast: 'jsonb', value: ({ exception }) => JSON.stringify(exception.values) },
]);

const tombstones = stampedInsert<TombstoneRow>('reversal_tombstones', 'created_at', [
  { name: 'tombstone_id', type: 'uuid', value: (row) => row.id },
  { name: 'partner_id', type: 'int', value: ({ card }) => card.row.partner_id },
  { name: 'card_id', type: 'bigint', value: ({ card }) => card.row.card_id },
  { name: 'original_stan', type: 'text', value: ({ tombstone }) => tombstone.originalStan },
  { name: 'original_local_at', type: 'text', value: ({ tombstone }) => tombstone.originalLocalAt },
  { name: 'network_reference', type: 'text', value: ({ tombstone }) => tombstone.networkReference },
  { name: 'external_id', type: 'text', value: ({ tombstone }) => tombstone.externalId },
  { name: 'amount', type: 'bigint', value: ({ tombstone }) => tombstone.amount },
  { name: 'remaining_amount', type: 'bigint', value: ({ tombstone }) => tombstone.remainingAmount },
]);

const usedTombstones = bulkUpdate<WriteSet['usedTombstones'][number]>(
  'use tombstones',
  'reversal_tombstones',
  [
    { name: 'tombstone_id', type: 'uuid', value: (row) => row.id },
    { name: 'used_by', type: 'uuid', value: (row) => row.usedBy },
  ],
);

type CardLock = WriteSet['cardLocks'][number];

const cardLocks = bulkInsert<CardLock>(
  'card_locks',
  [
    { name: 'lock_id', type: 'uuid', value: (row) => row.id },
    { name: 'card_id', type: 'bigint', value: ({ card }) => card.row.card_id },
    { name: 'partner_id', type: 'int', value: ({ card }) => card.row.partner_id },
    { name: 'code', type: 'smallint', value: (row) => row.code },
    { name: 'placed_by', type: 'text', value: () => 'system' },
  ],
  'on conflict do nothing',
);

const instructions = bulkInsert<CardLock>('processor_instructions', [
  { name: 'card_id', type: 'bigint', value: ({ card }) => card.row.card_id },
  { name: 'partner_id', type: 'int', value: ({ card }) => card.row.partner_id },
  { name: 'kind', type: 'text', value: () => 'LOCK' },
  { name: 'codes', type: 'text', cast: 'smallint[]', value: (row) => arrayText([row.code]) },
]);

/** The commit was sent and no answer came: what was written may stand or not. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
}

/**
 * S8: one statement a table, with all its values: they are made before anything is sent, because a fault
 * halfway must not leave half a batch to the commit.
 */
export function writesOf(copy: WorkingCopy, set: WriteSet): Query[] {
  const queries: Query[] = [];
  const write = <Row>(bulk: Bulk<Row>, rows: readonly Row[]): void => {
    if (rows.length > 0) queries.push(bulkQuery(bulk, rows, set.now));
  };
  const made = new Set(set.created.map((row) => row.id));
  const changed = [...set.folds].filter(([id]) => !made.has(id));
  write(keys, set.keys);
  write(
    transactions,
    set.created.map((row) => ({ ...row, fold: foldOf(set, row.id) })),
  );
  write(
    changedTransactions,
    changed.map(([id, fold]) => ({ id, fold, now: set.now })),
  );
  write(events, set.events);
  write(transfers, set.transfers);
  write(outbox, set.outbox);
  write(balances, [...copy.balances.values()].filter(isChanged));
  write(partnerBalances, [...copy.partnerBalances.values()].filter(isChanged));
  const cards = [...copy.cards.values()];
  write(
    cardStates,
    cards.filter((card) => card.changed || card.counted.changed),
  );
  write(customerLimits, changedCustomers(cards));
  write(exceptions, set.exceptions);
  write(unaskedTransactions, set.unaskedTransactions);
  write(tombstones, set.tombstones);
  write(usedTombstones, set.usedTombstones);
  write(cardLocks, set.cardLocks);
  write(instructions, set.cardLocks);
  return queries;
}

/**
 * S8 and S9: the statements and the commit, sent together. Throws the database's error when nothing stands,
 * `CommitUnknown` when the connection broke before the commit was answered.
 */
export async function writeAndCommit(client: pg.ClientBase, queries: readonly Query[]): Promise<void> {
  try {
    const written = queries.length === 0 ? [] : [client.query(mergeQueries(queries))];
    await allOf([...written, client.query('commit')]);
  } catch (error) {
    if (isFromServer(error)) throw error;
    throw new CommitUnknown('the connection was lost around the commit', { cause: error });
  }
}

/** Each customer once, however many cards of theirs were used. */
const changedCustomers = (cards: readonly LoadedCard[]): CountedCustomer[] => {
  const changed = new Map<number, CountedCustomer>();
  for (const { row, customer: counted } of cards) {
    const { customer_id: customerId } = row;
    if (customerId !== null && counted?.changed === true) changed.set(customerId, { customerId, counted });
  }
  return [...changed.values()];
};

const isChanged = (one: { readonly changed: boolean }): boolean => one.changed;

function foldOf(set: WriteSet, id: string): Fold {
  const fold = set.folds.get(id);
  if (fold === undefined) throw new Error('a transaction was made without its fold');
  return fold;
}

/** An error that PostgreSQL itself reported ended the transaction; anything else says nothing about it. */
const isFromServer = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && 'code' in error && !String(error.code).startsWith('57P');
