import { type Refusal, tooManyRequests } from './errors.ts';

/** How often somebody may do something (channels 14): so many at once, and one more after each interval. */
export interface RateLimit {
  readonly burst: number;
  readonly intervalMs: number;
}

/** `times` in `seconds`, all of them at once if wanted. */
export const allow = (times: number, seconds: number): RateLimit => ({
  burst: times,
  intervalMs: (seconds * 1_000) / times,
});

/** `perSecond`, and up to `burst` at once. */
export const allowPerSecond = (perSecond: number, burst: number): RateLimit => ({
  burst,
  intervalMs: 1_000 / perSecond,
});

/** What became of one token that was asked for. */
export interface Taken {
  readonly taken: boolean;
  /** All there is to know of a bucket: when it will be full again. One in the past is as good as none. */
  readonly fullAtMs: number;
  readonly remaining: number;
  /** Until the bucket is full again. */
  readonly resetSeconds: number;
  /** Until there is a token; 0 when there was one. */
  readonly waitSeconds: number;
}

/** Takes a token from a bucket that is full at `fullAtMs`, 0 for a fresh one. */
export function takeToken(fullAtMs: number, { burst, intervalMs }: RateLimit, nowMs: number): Taken {
  // A clock that was set back, or a limit that was narrowed, leaves a bucket empty but never less than that.
  const missingMs = Math.min(Math.max(0, fullAtMs - nowMs), burst * intervalMs);
  const waitMs = missingMs - (burst - 1) * intervalMs;
  const taken = waitMs <= TOLERANCE_MS;
  const laterMs = taken ? missingMs + intervalMs : missingMs;
  return {
    taken,
    fullAtMs: nowMs + laterMs,
    remaining: Math.max(0, Math.floor(burst - (laterMs - TOLERANCE_MS) / intervalMs)),
    resetSeconds: Math.ceil(laterMs / 1_000),
    waitSeconds: taken ? 0 : Math.ceil(waitMs / 1_000),
  };
}

/** Intervals such as a third of a second are not exact in binary, nor are times of a database in milliseconds. */
const TOLERANCE_MS = 0.001;

/** Refuses a token that was not there. */
export const refuseTaken = (rated: Rated, { waitSeconds, resetSeconds }: Taken): Refusal =>
  tooManyRequests(
    'Too many requests. Wait before the next one.',
    { row: rated.row, limit: rated.limit.burst, resetSeconds },
    waitSeconds,
  );

/** Who is counted, and how far they may go. */
export interface Rated {
  /** Row of channels 14, as metrics name it. */
  readonly row: string;
  /** Whose bucket it is, within the row. */
  readonly who: string;
  readonly limit: RateLimit;
}

const USER = allowPerSecond(10, 30);
const BACK_OFFICE = allowPerSecond(20, 60);
const ADDRESS_READS = allow(60, 60);
const ADDRESS_WRITES = allow(10, 60);
const FULL_CARD_DATA = allow(10, 3_600);
const CARDS_CREATED = allow(10, 3_600);

/** The rows of channels 14 that are buckets; codes, verifications and sign-ins count in windows of their own. */
export const rateOf = {
  /** `perSecond` is the partner's own setting `partnerRate`. */
  partner: (who: string, perSecond: number): Rated => ({
    row: 'partner',
    who,
    limit: allowPerSecond(perSecond, 2 * perSecond),
  }),
  user: (customerId: number): Rated => ({ row: 'user', who: String(customerId), limit: USER }),
  application: (applicationId: string): Rated => ({ row: 'application', who: applicationId, limit: USER }),
  operator: (operatorId: string): Rated => ({ row: 'operator', who: operatorId, limit: BACK_OFFICE }),
  provider: (code: string): Rated => ({ row: 'provider', who: code, limit: BACK_OFFICE }),
  address: (who: string, reads: boolean): Rated =>
    reads
      ? { row: 'address-reads', who, limit: ADDRESS_READS }
      : { row: 'address-writes', who, limit: ADDRESS_WRITES },
  fullCardData: (cardId: number): Rated => ({
    row: 'full-card-data',
    who: String(cardId),
    limit: FULL_CARD_DATA,
  }),
  cardsCreated: (customerId: number): Rated => ({
    row: 'cards-created',
    who: String(customerId),
    limit: CARDS_CREATED,
  }),
} as const;
