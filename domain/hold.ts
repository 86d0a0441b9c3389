import type { LifecycleState } from './transaction.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;
const CASH_DAYS = 2;
const TRAVEL_DAYS = 31;
const PRE_AUTHORIZATION_DAYS = 30;

/** Car rental, lodging, cruise: merchants that present long after they have asked (money 5). */
const isTravel = (mcc: number): boolean =>
  (mcc >= 3351 && mcc <= 3999) || mcc === 7011 || mcc === 7512 || mcc === 4411;

export interface HoldFacts {
  readonly type: string;
  readonly mcc: string | null;
  readonly preAuthorization: boolean;
  /** Days of the programme in place of the usual seven. */
  readonly programmeDays: number | null;
}

/** Days that a hold lasts (money 5): the longest of what the type, the merchant and the message ask for. */
export function holdDays({ type, mcc, preAuthorization, programmeDays }: HoldFacts): number {
  const usual = type === 'atm' ? CASH_DAYS : (programmeDays ?? DEFAULT_DAYS);
  const travel = mcc !== null && isTravel(Number(mcc)) ? TRAVEL_DAYS : 0;
  return Math.max(usual, travel, preAuthorization ? PRE_AUTHORIZATION_DAYS : 0);
}

/** Milliseconds since the epoch at which a hold made at `nowMs` expires. */
export const holdExpiry = (nowMs: number, facts: HoldFacts): number => nowMs + holdDays(facts) * DAY_MS;

const CREDIT_DAYS = 30;

/** Milliseconds since the epoch until which the record of an announced credit may come (authorization 11). */
export const creditExpiry = (nowMs: number): number => nowMs + CREDIT_DAYS * DAY_MS;

/** Expiry after a clearing that is not final: never earlier than before, at least seven days on (money 5). */
export const expiryAfterPart = (expiresAtMs: number | null, nowMs: number): number =>
  Math.max(expiresAtMs ?? 0, nowMs + DEFAULT_DAYS * DAY_MS);

export const HOLD_STATES = ['OPEN', 'CONSUMED', 'RELEASED', 'EXPIRED'] as const;

/** What became of the money an authorization kept (money 4.3). */
export type HoldState = (typeof HOLD_STATES)[number];

/** State of the hold behind a transaction that has authorized an amount. */
export function holdStateOf(of: {
  readonly held: number;
  readonly cleared: number;
  readonly state: LifecycleState;
}): HoldState {
  if (of.held > 0) return 'OPEN';
  if (of.state === 'EXPIRED') return 'EXPIRED';
  return of.cleared > 0 ? 'CONSUMED' : 'RELEASED';
}
