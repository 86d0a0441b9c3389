import { compactTrace, type LaneFacts } from '../../domain/decision-trace.ts';
import type { Effects, EventEffect, ExceptionEffect, NewTransaction } from '../../domain/decision.ts';
import { PARTNER_OPERATIONS } from '../../domain/event.ts';
import { notifiedReason } from '../../domain/card-lock.ts';
import type { Fold } from '../../domain/transaction.ts';
import { newIdAt } from '../../db/ids.ts';
import type { Item } from './commands.ts';
import type { Applied, LoadedCard, PostedTransfer } from './working-copy.ts';

export interface TransactionRow {
  readonly id: string;
  readonly card: LoadedCard;
  readonly created: NewTransaction;
}

export interface EventRow {
  readonly transactionId: string;
  readonly partnerId: number;
  readonly event: EventEffect;
  readonly requestId: string;
  readonly actor: string;
  readonly answer: string | null;
  readonly trace: string;
}

export interface KeyRow {
  readonly nk: string;
  readonly transactionId: string | null;
  readonly seq: number | null;
  readonly fingerprint: number;
}

export interface OutboxRow {
  readonly partnerId: number;
  readonly programmeId: number;
  readonly destination: 'partner' | 'workflow';
  readonly connectionId: number | null;
  readonly kind: string;
  readonly transactionId: string | null;
  readonly eventSeq: number | null;
  readonly subjectId: string | null;
  readonly orderKey: string;
  readonly data: string | null;
}

export interface ExceptionRow {
  readonly id: string;
  readonly partnerId: number | null;
  readonly exception: ExceptionEffect;
  readonly transactionId: string | null;
  readonly recordId: string | null;
}

/** What was booked without being asked for, which may still happen (authorization 11). */
export interface UnaskedTransaction {
  readonly networkReference: string;
  readonly transactionId: string;
  readonly partnerId: number;
}

export interface TombstoneRow {
  readonly id: string;
  readonly card: LoadedCard;
  readonly tombstone: NonNullable<Effects['tombstone']>;
}

/** Everything a batch writes, table by table; each becomes one statement. */
export interface WriteSet {
  readonly now: Date;
  readonly created: TransactionRow[];
  /** Newest fold of every transaction that this batch makes or changes. */
  readonly folds: Map<string, Fold>;
  readonly events: EventRow[];
  readonly transfers: PostedTransfer[];
  readonly keys: KeyRow[];
  readonly outbox: OutboxRow[];
  readonly exceptions: ExceptionRow[];
  readonly unaskedTransactions: UnaskedTransaction[];
  readonly tombstones: TombstoneRow[];
  readonly usedTombstones: { readonly id: string; readonly usedBy: string }[];
  /** A PIN or CVC2 was checked: its counter is in this batch. */
  tried: boolean;
  readonly cardLocks: { readonly id: string; readonly card: LoadedCard; readonly code: number }[];
}

/** A write set with nothing in it. */
export const emptyWriteSet = (now: Date): WriteSet => ({
  now,
  created: [],
  folds: new Map(),
  events: [],
  transfers: [],
  keys: [],
  outbox: [],
  exceptions: [],
  unaskedTransactions: [],
  tombstones: [],
  usedTombstones: [],
  tried: false,
  cardLocks: [],
});

/** Adds one decision. `answer` is the text that is given, and given again to a repeat. */
export function collect(
  set: WriteSet,
  item: Item,
  card: LoadedCard | null,
  effects: Effects,
  answer: string,
  applied: Applied,
  lane: Omit<LaneFacts, 'queueMs'> & { readonly startedAtMs: number },
): void {
  const { transaction, events } = effects;
  const transactionId = transaction?.id ?? null;
  for (const { nk, fingerprint } of item.keys) {
    set.keys.push({ nk, fingerprint, transactionId, seq: events[0]?.seq ?? null });
  }
  for (const exception of effects.exceptions) {
    const recordId = item.kind === 'presentment' ? item.command.recordId : null;
    const partnerId = card?.row.partner_id ?? null;
    set.exceptions.push({ id: newIdAt(set.now), partnerId, exception, transactionId, recordId });
  }
  if (transaction === null || card === null) return;
  const { id, created } = transaction;
  if (created !== null) set.created.push({ id, card, created });
  const networkReference = created?.networkReference ?? null;
  if (networkReference !== null && isUnasked(item, events)) {
    set.unaskedTransactions.push({ networkReference, transactionId: id, partnerId: card.row.partner_id });
  }
  set.folds.set(id, transaction.fold);
  set.transfers.push(...applied.transfers);
  const queueMs = Math.max(0, lane.startedAtMs - item.call.receivedAtMs);
  events.forEach((event, at) => {
    set.events.push({
      transactionId: id,
      partnerId: card.row.partner_id,
      event,
      requestId: item.call.requestId,
      actor: item.actor,
      answer: at === 0 ? answer : null,
      trace: compactTrace(
        event.trace,
        { lane: lane.lane, batchSize: lane.batchSize, queueMs },
        at === 0 ? applied.consumed : null,
      ),
    });
    tellPartner(set, card, id, event);
  });
  if (effects.tries !== null) set.tried = true;
  if (effects.tombstone !== null) {
    set.tombstones.push({ id: newIdAt(set.now), card, tombstone: effects.tombstone });
  }
  for (const used of effects.usedTombstoneIds) set.usedTombstones.push({ id: used, usedBy: id });
  if (effects.lockCode !== null) lockCard(set, card, effects.lockCode);
}

const isUnasked = (item: Item, [first]: Effects['events']): boolean =>
  item.kind === 'presentment'
    ? first?.kind === 'CLEARING'
    : item.kind === 'authorization' && item.command.advice?.result === 'APPROVED';

/**
 * One row for each subscriber of the programme; inquiries, and reversals with nothing left to give back, move
 * nothing and are not told.
 */
function tellPartner(set: WriteSet, card: LoadedCard, transactionId: string, event: EventEffect): void {
  const route = PARTNER_OPERATIONS['transaction.changed'];
  const connectionId = card.programme.notifications[route.switch];
  if (connectionId === undefined || event.kind === 'BALANCE_INQUIRY' || event.amount === 0) return;
  set.outbox.push({
    partnerId: card.row.partner_id,
    programmeId: card.row.programme_id,
    destination: 'partner',
    connectionId,
    kind: route.operation,
    transactionId,
    eventSeq: event.seq,
    subjectId: null,
    orderKey: transactionId,
    data: null,
  });
}

/** A wrong PIN too many locks the card: the partner and the processor are told (cards 4.5). */
function lockCard(set: WriteSet, card: LoadedCard, code: number): void {
  const { card_id: cardId, partner_id: partnerId, programme_id: programmeId } = card.row;
  set.cardLocks.push({ id: newIdAt(set.now), card, code });
  const shared = { partnerId, programmeId, transactionId: null, eventSeq: null };
  const route = PARTNER_OPERATIONS['card.locked'];
  const connectionId = card.programme.notifications[route.switch];
  if (connectionId !== undefined) {
    set.outbox.push({
      ...shared,
      destination: 'partner',
      connectionId,
      kind: route.operation,
      subjectId: String(cardId),
      orderKey: `card:${cardId}`,
      data: JSON.stringify({ reason: notifiedReason(code), at: set.now.toISOString() }),
    });
  }
  const workflowId = `processor-instruction:${cardId}`;
  set.outbox.push({
    ...shared,
    destination: 'workflow',
    connectionId: null,
    kind: 'processor-instruction',
    subjectId: workflowId,
    orderKey: workflowId,
    data: JSON.stringify({ cardId }),
  });
}
