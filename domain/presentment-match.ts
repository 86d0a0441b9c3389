import { subtract } from './money.ts';
import type { PresentmentCommand } from './presentment-record.ts';
import { isAnnounced, type Lifecycle, processingStatusOf } from './transaction.ts';

const DAY_MS = 86_400_000;
/** How long after its authorization a record may come (authorization 13). */
export const CLEARING_DAYS = 60;
export const REFUND_DAYS = 180;
export const MERCHANT_DAYS = 7;
const TOLERANCE = 0.2;

export interface Match {
  readonly lifecycle: Lifecycle | null;
  /** Tier that found it, 0 when none did. */
  readonly tier: number;
  /** Several were found and no amount told them apart. */
  readonly ambiguous: boolean;
}

const NO_MATCH: Match = { lifecycle: null, tier: 0, ambiguous: false };

type Tier = (record: PresentmentCommand, one: Lifecycle, nowMs: number) => boolean;

const byNetworkReference: Tier = (record, one) =>
  record.networkReference !== null && one.networkReference === record.networkReference;

const byExternalReference: Tier = (record, one) =>
  record.referenceExternalId !== null && one.externalId === record.referenceExternalId;

const byCode: Tier = (record, one) =>
  record.rrn !== null &&
  record.approvalCode !== null &&
  one.rrn === record.rrn &&
  one.approvalCode === record.approvalCode;

/** What may be presented: the authorized total, with what was added and without what was given back. */
const totalOf = (one: Lifecycle): number =>
  one.authorized > 0 ? subtract(one.authorized, one.reversed) : one.amount;

const isYounger = (one: Lifecycle, days: number, nowMs: number): boolean =>
  one.createdAtMs >= nowMs - days * DAY_MS;

/** Tiers of a purchase or cash record, first with candidates wins (authorization 13). */
const CLEARING_TIERS: readonly Tier[] = [
  byNetworkReference,
  byExternalReference,
  byCode,
  (record, one) =>
    record.approvalCode !== null &&
    one.approvalCode === record.approvalCode &&
    Math.abs(totalOf(one) - record.amount) <= totalOf(one) * TOLERANCE,
  (record, one, nowMs) =>
    record.merchantIdentifier !== null &&
    one.merchantIdentifier === record.merchantIdentifier &&
    totalOf(one) === record.amount &&
    isYounger(one, MERCHANT_DAYS, nowMs),
];

const ANNOUNCED_TIERS: readonly Tier[] = [byNetworkReference, byExternalReference, byCode];

const REFUND_TIERS: readonly Tier[] = [
  byNetworkReference,
  byExternalReference,
  (record, one) =>
    record.merchantIdentifier !== null &&
    one.merchantIdentifier === record.merchantIdentifier &&
    // A force post was never authorized.
    record.amount <= Math.max(one.authorized, one.cleared),
];

/** The transaction that a purchase or cash record clears. */
export function clearedBy(
  record: PresentmentCommand,
  candidates: readonly Lifecycle[],
  nowMs: number,
): Match {
  const possible = candidates.filter((one) => isDebit(one) && isYounger(one, CLEARING_DAYS, nowMs));
  return first(CLEARING_TIERS, record, possible, nowMs, (one) => one.held === record.amount);
}

/** The purchase that a refund belongs to; one that never moved money has no refund. */
export function refundedBy(
  record: PresentmentCommand,
  candidates: readonly Lifecycle[],
  nowMs: number,
): Match {
  const possible = candidates.filter(
    (one) => isDebit(one) && isYounger(one, REFUND_DAYS, nowMs) && one.authorized + one.cleared > 0,
  );
  return first(REFUND_TIERS, record, possible, nowMs, (one) => one.cleared === record.amount);
}

/** The announced credit of this kind that a record belongs to. */
export function announcedBy(
  record: PresentmentCommand,
  adjustmentKind: 'refund' | 'money_send',
  candidates: readonly Lifecycle[],
  nowMs: number,
): Match {
  const possible = candidates.filter(
    (one) =>
      isAnnounced(one) && one.adjustmentKind === adjustmentKind && isYounger(one, CLEARING_DAYS, nowMs),
  );
  return first(ANNOUNCED_TIERS, record, possible, nowMs, (one) => one.authorized === record.amount);
}

const isDebit = (one: Lifecycle): boolean => one.category === 'DEBIT' && one.type !== 'balance_inquiry';

/** A refused attempt often shares its references with what was approved; of several approved the amount decides. */
function approvedOf(found: readonly Lifecycle[], fits: (one: Lifecycle) => boolean): readonly Lifecycle[] {
  const approved = found.filter((one) => processingStatusOf(one.state) === 'SUCCESS');
  return approved.length === 1 ? approved : found.filter(fits);
}

function first(
  tiers: readonly Tier[],
  record: PresentmentCommand,
  candidates: readonly Lifecycle[],
  nowMs: number,
  fits: (one: Lifecycle) => boolean,
): Match {
  for (const [at, tier] of tiers.entries()) {
    const found = candidates.filter((one) => tier(record, one, nowMs));
    if (found.length === 0) continue;
    const fitting = found.length === 1 ? found : approvedOf(found, fits);
    const [lifecycle] = fitting;
    if (fitting.length === 1 && lifecycle !== undefined) return { lifecycle, tier: at + 1, ambiguous: false };
    return { lifecycle: null, tier: at + 1, ambiguous: true };
  }
  return NO_MATCH;
}
