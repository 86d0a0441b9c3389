import type { ProgrammeView } from './authorization-view.ts';
import { type Effects, type ExceptionEffect, NO_EFFECTS, type Outcome } from './decision.ts';
import { entryOf } from './ledger.ts';
import { subtract } from './money.ts';
import { advance, isAnnounced, isOpen, type Lifecycle, type Movement, wireStatus } from './transaction.ts';

/** Ends a hold without the network: its time is over, or an operator says so (authorization 12, money 5). */
export interface ReleaseCommand {
  readonly cause: 'expiry' | 'manual';
  /** Minor units to give back; null = everything. */
  readonly amount: number | null;
  /** Of an operator; null for the clock. */
  readonly note: string | null;
}

export interface ReleaseView {
  readonly programme: Pick<ProgrammeView, 'version' | 'funding'>;
  readonly productVersion: number;
  /** Null when it is not there, or not this card's. */
  readonly lifecycle: Lifecycle | null;
}

/** `NOTHING_HELD`: it was cleared or reversed meanwhile, or is not due. */
export type ReleaseResult =
  | { readonly result: 'RELEASED'; readonly amount: number; readonly state: Lifecycle['state'] }
  | { readonly result: 'NOTHING_HELD' };

/** Decides a release (row 3): what is held goes back, an announced credit ends. A lost race changes nothing. */
export function decideRelease(
  view: ReleaseView,
  command: ReleaseCommand,
  nowMs: number,
): Outcome<ReleaseResult> {
  const { lifecycle } = view;
  const due = command.cause === 'manual' || (lifecycle?.expiresAtMs ?? Infinity) <= nowMs;
  if (lifecycle === null || !due) return NOTHING;
  if (isAnnounced(lifecycle)) return command.cause === 'expiry' ? endCredit(view, lifecycle) : NOTHING;
  if (!isOpen(lifecycle)) return NOTHING;
  const amount = Math.min(command.amount ?? lifecycle.held, lifecycle.held);
  if (amount <= 0) return NOTHING;
  const cause = command.cause === 'expiry' ? 'expiry' : 'reversal';
  const transfers = entryOf(
    'release',
    view.programme.funding === 'credit' ? 'A' : 'B',
    amount,
    lifecycle.holds,
  );
  const movement: Movement = { kind: 'release', amount, cause, atMs: nowMs };
  return released(view, lifecycle, movement, { amount, cause, transfers, exceptions: [] }, nowMs);
}

const NOTHING: Outcome<ReleaseResult> = { answer: { result: 'NOTHING_HELD' }, effects: NO_EFFECTS };

/** An announced refund is over; an incoming payment keeps its money, and somebody looks for its record. */
function endCredit(view: ReleaseView, lifecycle: Lifecycle): Outcome<ReleaseResult> {
  const amount = subtract(lifecycle.authorized, lifecycle.reversed);
  const posted = lifecycle.adjustmentKind === 'money_send';
  const movement: Movement = posted ? { kind: 'overdue' } : { kind: 'withdraw', amount, cause: 'expiry' };
  const exceptions: ExceptionEffect[] = posted ? [{ kind: 'CREDIT_NOT_CLEARED', values: { amount } }] : [];
  const event = { amount: posted ? 0 : amount, cause: 'expiry', transfers: [], exceptions } as const;
  return released(view, lifecycle, movement, event, lifecycle.expiresAtMs ?? 0);
}

interface Released {
  readonly amount: number;
  readonly cause: 'expiry' | 'reversal';
  readonly transfers: Effects['events'][number]['transfers'];
  readonly exceptions: readonly ExceptionEffect[];
}

function released(
  { programme, productVersion }: ReleaseView,
  lifecycle: Lifecycle,
  movement: Movement,
  { amount, cause, transfers, exceptions }: Released,
  atMs: number,
): Outcome<ReleaseResult> {
  const fold = advance(lifecycle, movement);
  return {
    answer: { result: 'RELEASED', amount, state: fold.state },
    effects: {
      ...NO_EFFECTS,
      transaction: { id: lifecycle.id, created: null, fold },
      events: [
        {
          seq: fold.eventCount,
          kind: cause === 'expiry' ? 'EXPIRY' : 'REVERSAL',
          status: wireStatus(fold.state),
          result: 'APPROVED',
          reason: cause === 'expiry' ? null : 'MANUAL',
          amount,
          externalId: null,
          occurredAt: new Date(atMs).toISOString(),
          transfers,
          trace: { programmeVersion: programme.version, productVersion, refusedBy: null, flags: [] },
        },
      ],
      exceptions,
    },
  };
}
