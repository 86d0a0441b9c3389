/** Deliveries to partners: how an attempt ends and what follows from it (partner-integrations 7, 12, 13). */

/** How one attempt ended. */
export const DELIVERY_OUTCOMES = [
  'ACCEPTED',
  'REFUSED',
  'HTTP_ERROR',
  'TIMEOUT',
  'CONNECT_FAILED',
  'TLS_FAILED',
  'RESET',
  'MALFORMED',
  'BLOCKED_ADDRESS',
  'NO_KEY',
] as const;
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Delay before resend n of a notice; from the eighth on the last one holds (7.2). */
const NOTICE_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
];
const JITTER = 0.2;
const MOST_RETRY_AFTER_MS = HOUR_MS;

/** The legacy transaction notifier documents a limit of its own (11.4). */
const MOST_LEGACY_RESENDS = 5;

/** Resends that an operation gets on a connection that allows `resends`. */
export const resendsOf = (operation: string, resends: number): number =>
  operation === 'transaction' ? Math.min(resends, MOST_LEGACY_RESENDS) : resends;

/** What is known when an attempt at a notice has ended. */
export interface NoticeAttempt {
  readonly outcome: DeliveryOutcome;
  /** This attempt's number, from 1. */
  readonly attempt: number;
  /** Resends that the delivery may have. */
  readonly resends: number;
  /** Delays of the programme, which replace those of the chapter. */
  readonly delaysMs?: readonly number[] | undefined;
  /** Pause that the partner asked for. */
  readonly retryAfterMs: number | null;
  /** From 0 to 1; spreads the delay over 20 % to either side. */
  readonly chance: number;
}

export type NoticeFate =
  | { readonly status: 'DELIVERED' }
  | { readonly status: 'RETRYING'; readonly delayMs: number }
  | { readonly status: 'DEAD' };

/** What becomes of a notice after an attempt: told, to be sent again after a delay, or given up. */
export function afterNoticeAttempt(of: NoticeAttempt): NoticeFate {
  if (of.outcome === 'ACCEPTED') return { status: 'DELIVERED' };
  if (of.attempt > of.resends) return { status: 'DEAD' };
  const delays = of.delaysMs !== undefined && of.delaysMs.length > 0 ? of.delaysMs : NOTICE_DELAYS_MS;
  const delayMs = delays[Math.min(of.attempt, delays.length) - 1] ?? HOUR_MS;
  const spreadMs = Math.round(delayMs * (1 - JITTER + 2 * JITTER * of.chance));
  const askedMs = Math.min(of.retryAfterMs ?? 0, MOST_RETRY_AFTER_MS);
  return { status: 'RETRYING', delayMs: Math.max(spreadMs, askedMs) };
}
