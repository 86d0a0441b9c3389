import type { ProgrammeView } from './authorization-view.ts';
import {
  type ExceptionEffect,
  type ExceptionKind,
  type NewTransaction,
  NO_EFFECTS,
  type Outcome,
  severityOf,
} from './decision.ts';
import { assertNever } from './errors.ts';
import { expiryAfterPart } from './hold.ts';
import {
  availableOf,
  entryOf,
  type FundingKind,
  type PostingEvent,
  type Transfer,
  valueAfterAll,
} from './ledger.ts';
import { subtract } from './money.ts';
import { announcedBy, clearedBy, refundedBy } from './presentment-match.ts';
import type { PresentmentCommand, RecordResult } from './presentment-record.ts';
import {
  advance,
  type BalanceView,
  EMPTY_FOLD,
  type EventKind,
  type Fold,
  isOpen,
  type Lifecycle,
  type Movement,
  settledBy,
  wireStatus,
} from './transaction.ts';

export interface PresentmentView {
  readonly programme: Pick<ProgrammeView, 'version' | 'funding' | 'balanceHolder'>;
  readonly productVersion: number;
  readonly balance: BalanceView | null;
  readonly candidates: readonly Lifecycle[];
}

const OVER_CLEARING_RATIO = 0.2;
const OVER_CLEARING_MINOR_UNITS = 100;

/**
 * Decides one clearing record (authorization 13). Records are never refused: they post, or are quarantined
 * when no posting can be made of them. `view` is null for an unknown card.
 */
export function decideClearing(
  view: PresentmentView | null,
  record: PresentmentCommand,
  nowMs: number,
  transactionId: string,
): Outcome<RecordResult> {
  if (view === null) return quarantined(record, unknownCard(record));
  const { balance, programme } = view;
  if (balance === null || programme.balanceHolder === 'external') {
    return quarantined(record, invalidRecord('BALANCE_NOT_HELD_HERE'));
  }
  const amount = amountIn(balance.currency, record);
  if (amount === null) return quarantined(record, invalidRecord('CURRENCY'));
  const scene: Scene = {
    view,
    balance,
    record: { ...record, amount, currency: balance.currency },
    network: record,
    kind: programme.funding === 'credit' ? 'A' : 'B',
    nowMs,
    transactionId,
  };
  switch (record.recordType) {
    case 'PURCHASE':
    case 'CASH':
      return clearing(scene);
    case 'REFUND':
      return refund(scene);
    case 'CREDIT':
      return incomingPayment(scene);
    case 'REFUND_REVERSAL':
    case 'SECOND_PRESENTMENT':
      return takenBack(scene);
    case 'CHARGEBACK':
      return chargeback(scene);
    default:
      return assertNever(record.recordType);
  }
}

/** Nobody's programme can be named, so nothing is booked yet: the record is kept for whoever finds its card. */
function unknownCard(record: PresentmentCommand): ExceptionEffect {
  const { recordType, amount, currency, externalId, networkReference, transactionDate } = record;
  const reference = networkReference === null ? {} : { networkReferenceId: networkReference };
  const values = {
    recordType,
    amount,
    currency,
    externalTransactionId: externalId,
    transactionDate,
    ...reference,
  };
  return { kind: 'UNKNOWN_CARD', values };
}

/** What the cases share. `record` speaks of the balance's currency, `network` is as it came. */
interface Scene {
  readonly view: PresentmentView;
  readonly balance: BalanceView;
  readonly record: PresentmentCommand;
  readonly network: PresentmentCommand;
  readonly kind: FundingKind;
  readonly nowMs: number;
  readonly transactionId: string;
}

function amountIn(currency: string, record: PresentmentCommand): number | null {
  const amount = record.currency === currency ? record.amount : null;
  const usable = amount ?? (record.originalCurrency === currency ? record.originalAmount : null);
  return usable !== null && usable > 0 ? usable : null;
}

function clearing(scene: Scene): Outcome<RecordResult> {
  const { record, view, nowMs } = scene;
  const { lifecycle, tier, ambiguous } = clearedBy(record, view.candidates, nowMs);
  const type = record.recordType === 'CASH' ? 'atm' : 'pos';
  const purchase = { type, category: 'DEBIT', adjustmentKind: null } as const;
  if (lifecycle === null) {
    const kind = ambiguous ? 'AMBIGUOUS_MATCH' : 'FORCE_POST';
    return newTransaction(scene, 'forcePost', 'CLEARING', purchase, [{ kind, values: {} }]);
  }
  const flags = [`TIER_${tier}`];
  switch (lifecycle.state) {
    case 'AUTHORIZED':
    case 'PARTLY_CLEARED':
      return isOpen(lifecycle) ? clearHold(scene, lifecycle, flags) : clearLate(scene, lifecycle, flags);
    case 'EXPIRED':
    case 'REVERSED':
    case 'CLEARED':
      return clearLate(scene, lifecycle, flags);
    case 'DECLINED':
    case 'INVALID': {
      const exception: ExceptionEffect = {
        kind: 'CLEARING_AFTER_DECLINE',
        values: { relatedId: lifecycle.id },
      };
      const related = { ...purchase, relatedId: lifecycle.id };
      return newTransaction(scene, 'forcePost', 'CLEARING', related, [exception], flags);
    }
    case 'PENDING_PARTNER':
      return quarantined(record, invalidRecord('DECISION_PENDING'));
    default:
      return assertNever(lifecycle.state);
  }
}

function clearHold(scene: Scene, lifecycle: Lifecycle, flags: readonly string[]): Outcome<RecordResult> {
  const { record, nowMs } = scene;
  const { amount, final } = record;
  const rest = lifecycle.held;
  const excess = Math.max(0, subtract(amount, rest));
  const event: PostingEvent =
    excess > 0 ? 'clearingAboveHold' : amount < rest && final ? 'clearingBelowHold' : 'clearing';
  const movement: Movement = {
    kind: 'clear',
    amount,
    final,
    atMs: nowMs,
    expiresAtMs: expiryAfterPart(lifecycle.expiresAtMs, nowMs),
  };
  const over = excess > rest * OVER_CLEARING_RATIO && excess > OVER_CLEARING_MINOR_UNITS;
  const exceptions: ExceptionEffect[] = over
    ? [{ kind: 'OVER_CLEARING', values: { held: rest, cleared: amount } }]
    : [];
  return laterEvent(scene, lifecycle, event, 'CLEARING', movement, { exceptions, flags, forced: excess > 0 });
}

function clearLate(scene: Scene, lifecycle: Lifecycle, flags: readonly string[]): Outcome<RecordResult> {
  const { record, nowMs } = scene;
  const kinds: Partial<Record<Lifecycle['state'], ExceptionKind>> = {
    EXPIRED: 'LATE_CLEARING',
    REVERSED: 'CLEARING_AFTER_REVERSAL',
  };
  const movement: Movement = {
    kind: 'clear',
    amount: record.amount,
    final: true,
    atMs: nowMs,
    expiresAtMs: null,
  };
  const exceptions = [{ kind: kinds[lifecycle.state] ?? ('EXTRA_CLEARING' as const), values: {} }];
  const flag = lifecycle.state === 'CLEARED' ? null : 'late';
  return laterEvent(scene, lifecycle, 'forcePost', 'CLEARING', movement, {
    exceptions,
    flags,
    flag,
    forced: true,
  });
}

/** The record of a payment that was posted when it was announced, or that nobody announced (row 11). */
function incomingPayment(scene: Scene): Outcome<RecordResult> {
  const { record, view, nowMs } = scene;
  const { lifecycle, tier } = announcedBy(record, 'money_send', view.candidates, nowMs);
  if (lifecycle === null) return newTransaction(scene, 'refund', 'REFUND', credit('money_send'), []);
  const authorized = subtract(lifecycle.authorized, lifecycle.reversed);
  const differs: ExceptionEffect[] =
    authorized === record.amount
      ? []
      : [{ kind: 'AMBIGUOUS_MATCH', values: { posted: authorized, cleared: record.amount } }];
  const movement: Movement = { kind: 'post', amount: authorized, atMs: nowMs };
  return laterEvent(scene, lifecycle, null, 'CLEARING', movement, {
    exceptions: differs,
    flags: [`TIER_${tier}`],
    forced: false,
  });
}

/** A refund reversal or a second presentment: the holder pays again, whatever is there (row 8). */
function takenBack(scene: Scene): Outcome<RecordResult> {
  const { record, view, nowMs } = scene;
  const kind = record.recordType === 'SECOND_PRESENTMENT' ? 'SECOND_PRESENTMENT' : 'REFUND_REVERSAL';
  const exceptions: ExceptionEffect[] = [{ kind: 'SECOND_PRESENTMENT', values: { record: kind } }];
  const { lifecycle, tier } = refundedBy(record, view.candidates, nowMs);
  if (lifecycle === null) {
    const adjustmentKind = kind === 'SECOND_PRESENTMENT' ? 'second_presentment' : 'refund_reversal';
    const what = { type: 'adjustment', category: 'DEBIT', adjustmentKind } as const;
    return newTransaction(scene, 'forcePost', kind, what, exceptions);
  }
  const movement: Movement = { kind: 'takeBack', amount: record.amount };
  return laterEvent(scene, lifecycle, 'forcePost', kind, movement, {
    exceptions,
    flags: [`TIER_${tier}`],
    forced: true,
  });
}

/** The network gives the money back: to the holder, or to whoever gave it to the holder meanwhile (rows 11, 13). */
function chargeback(scene: Scene): Outcome<RecordResult> {
  const { record, view, nowMs } = scene;
  const { lifecycle, tier } = refundedBy(record, view.candidates, nowMs);
  if (lifecycle === null) {
    const exceptions: ExceptionEffect[] = [{ kind: 'UNLINKED_REFUND', values: {} }];
    return newTransaction(scene, 'refund', 'CHARGEBACK', credit('chargeback'), exceptions);
  }
  const provisional = lifecycle.flags.includes(PROVISIONAL) && !lifecycle.flags.includes(SETTLED);
  const movement: Movement = { kind: 'refund', amount: record.amount };
  return laterEvent(
    scene,
    lifecycle,
    provisional ? 'chargebackAfterProvisional' : 'refund',
    'CHARGEBACK',
    movement,
    {
      exceptions: exceedsCleared(lifecycle, record.amount),
      flags: [`TIER_${tier}`],
      flag: provisional ? SETTLED : null,
      forced: false,
    },
  );
}

/** Flags of a purchase whose holder was credited before the network paid, and whose network has paid since. */
export const PROVISIONAL = 'provisionalCredit';
const SETTLED = 'provisionalSettled';

const exceedsCleared = (lifecycle: Lifecycle, amount: number): ExceptionEffect[] =>
  lifecycle.refunded + amount > lifecycle.cleared + lifecycle.held
    ? [{ kind: 'REFUND_EXCEEDS', values: { cleared: lifecycle.cleared } }]
    : [];

function refund(scene: Scene): Outcome<RecordResult> {
  const { record, view, nowMs } = scene;
  const announced = announcedBy(record, 'refund', view.candidates, nowMs);
  if (announced.lifecycle !== null) {
    const movement: Movement = { kind: 'post', amount: record.amount, atMs: nowMs };
    const facts = { exceptions: [], flags: [`TIER_${announced.tier}`], forced: false };
    return laterEvent(scene, announced.lifecycle, 'refund', 'REFUND', movement, facts);
  }
  const { lifecycle, tier } = refundedBy(record, view.candidates, nowMs);
  if (lifecycle === null) {
    return newTransaction(scene, 'refund', 'REFUND', credit('refund'), [
      { kind: 'UNLINKED_REFUND', values: {} },
    ]);
  }
  const early: ExceptionEffect[] = isOpen(lifecycle) ? [{ kind: 'REFUND_BEFORE_CLEARING', values: {} }] : [];
  const exceptions = [...early, ...exceedsCleared(lifecycle, record.amount)];
  const movement: Movement = { kind: 'refund', amount: record.amount };
  return laterEvent(scene, lifecycle, 'refund', 'REFUND', movement, {
    exceptions,
    flags: [`TIER_${tier}`],
    forced: false,
  });
}

const credit = (adjustmentKind: string) =>
  ({ type: 'adjustment', category: 'CREDIT', adjustmentKind }) as const;

interface EventFacts {
  readonly exceptions: readonly ExceptionEffect[];
  readonly flags: readonly string[];
  readonly flag?: string | null;
  readonly forced: boolean;
}

function laterEvent(
  scene: Scene,
  lifecycle: Lifecycle,
  event: PostingEvent | null,
  kind: EventKind,
  movement: Movement,
  facts: EventFacts,
): Outcome<RecordResult> {
  const fold = advance(lifecycle, movement, facts.flag ?? null);
  const { record } = scene;
  const transfers = event === null ? [] : entryOf(event, scene.kind, record.amount, lifecycle.holds);
  return posted(scene, lifecycle.id, null, fold, kind, transfers, facts);
}

function newTransaction(
  scene: Scene,
  event: PostingEvent,
  kind: EventKind,
  what: Pick<NewTransaction, 'type' | 'category' | 'adjustmentKind'> & { readonly relatedId?: string },
  exceptions: readonly ExceptionEffect[],
  flags: readonly string[] = [],
): Outcome<RecordResult> {
  const { record, network, balance, nowMs, transactionId } = scene;
  const fold = advance(EMPTY_FOLD, { kind: 'post', amount: record.amount, atMs: nowMs });
  const transfers = entryOf(event, scene.kind, record.amount);
  const foreign = network.originalCurrency !== null && network.originalCurrency !== balance.currency;
  const created: NewTransaction = {
    relatedId: null,
    ...what,
    externalId: record.externalId,
    referenceExternalId: record.referenceExternalId,
    networkReference: record.networkReference,
    rrn: record.rrn,
    stan: null,
    localAt: null,
    approvalCode: record.approvalCode,
    amount: record.amount,
    currency: balance.currency,
    originalAmount: foreign ? network.originalAmount : null,
    originalCurrency: foreign ? network.originalCurrency : null,
    result: 'APPROVED',
    reason: null,
    decidedBy: 'NETWORK',
    description: record.description,
    occurredAt: `${record.transactionDate}T00:00:00.000Z`,
    transactionData: record.transactionData,
    balanceBefore: availableOf(balance),
    balanceAfter: availableOf(valueAfterAll(balance, 'U', transfers)),
  };
  const forced = event === 'forcePost';
  return posted(scene, transactionId, created, fold, kind, transfers, { exceptions, flags, forced });
}

function posted(
  scene: Scene,
  id: string,
  created: NewTransaction | null,
  fold: Fold,
  kind: EventKind,
  transfers: readonly Transfer[],
  facts: EventFacts,
): Outcome<RecordResult> {
  const { balance, record, network, view, nowMs } = scene;
  const interchange = interchangeOf(scene, transfers.length + 1);
  const settlement = {
    interchangeAmount: network.interchangeAmount,
    interchangeCurrency: network.interchangeAmount === null ? null : interchangeCurrencyOf(scene),
    arn: network.arn,
  };
  const exceptions = [...facts.exceptions, ...interchange.exceptions];
  if (balance.state === 'CLOSED') exceptions.push({ kind: 'CLOSED_BALANCE', values: {} });
  const available = availableOf(valueAfterAll(balance, 'U', transfers));
  if (available < 0) exceptions.push({ kind: 'NEGATIVE_BALANCE', values: { available } });
  const first = exceptions.find((one) => severityOf(one.kind) !== 'INFO') ?? exceptions[0];
  return {
    answer: { recordId: record.recordId, result: 'POSTED', id, exception: first?.kind ?? null },
    effects: {
      ...NO_EFFECTS,
      transaction: { id, created, fold: settledBy(fold, settlement) },
      events: [
        {
          seq: fold.eventCount,
          kind,
          status: wireStatus(fold.state),
          result: 'APPROVED',
          reason: null,
          amount: created === null ? record.amount : null,
          externalId: created === null ? record.externalId : null,
          occurredAt: created === null ? new Date(nowMs).toISOString() : null,
          transfers: [...transfers, ...interchange.transfers],
          trace: {
            programmeVersion: view.programme.version,
            productVersion: view.productVersion,
            refusedBy: null,
            flags: facts.flags,
          },
        },
      ],
      forced: facts.forced,
      exceptions,
    },
  };
}

/** Row #15: what the company earns or pays; one in another currency cannot be posted with this record. */
function interchangeOf(scene: Scene, firstSeq: number) {
  const { interchangeAmount } = scene.network;
  const none: { transfers: Transfer[]; exceptions: ExceptionEffect[] } = { transfers: [], exceptions: [] };
  if (interchangeAmount === null || interchangeAmount === 0) return none;
  if (interchangeCurrencyOf(scene) !== scene.balance.currency) {
    return { ...none, exceptions: [invalidRecord('INTERCHANGE_CURRENCY')] };
  }
  const event = interchangeAmount > 0 ? 'interchangeCredit' : 'interchangeDebit';
  return { ...none, transfers: entryOf(event, scene.kind, Math.abs(interchangeAmount), [], firstSeq) };
}

/** Null on the wire means the currency of the balance. */
const interchangeCurrencyOf = ({ network, balance }: Scene): string =>
  network.interchangeCurrency ?? balance.currency;

const invalidRecord = (reason: string): ExceptionEffect => ({ kind: 'RECORD_INVALID', values: { reason } });

/** A record that broke off in our hands: set aside, so that it keeps nothing else from being posted. */
export const quarantineAsFault = (record: PresentmentCommand): Outcome<RecordResult> =>
  quarantined(record, invalidRecord('INTERNAL'));

function quarantined(record: PresentmentCommand, exception: ExceptionEffect): Outcome<RecordResult> {
  return {
    answer: { recordId: record.recordId, result: 'QUARANTINED', id: null, exception: exception.kind },
    effects: { ...NO_EFFECTS, exceptions: [exception] },
  };
}
