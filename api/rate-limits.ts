import type { MiddlewareHandler } from 'hono';
import { type Rated, rateOf, refuseTaken, takeToken } from '../domain/rate-limit.ts';
import { addressRanges, networkOf } from './address-list.ts';
import { addressIn } from './exchange.ts';
import { factsOf, incomingOf, type RequestFacts } from './request-facts.ts';
import type { Services } from './services.ts';

/** Where somebody stands after a request, told with the answer (channels 14). */
export interface RateStanding {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** The token buckets of this process. */
export interface RateLimits {
  /** Takes a token for a request and notes the standing in its facts. Throws `TOO_MANY_REQUESTS`. */
  take(rated: Rated, facts: RequestFacts): void;
  /** The address to count a request without identity by; null for one that is not counted. */
  countedAddress(ip: string | null): string | null;
}

interface Options {
  /** A clock in milliseconds that never goes back. */
  readonly nowMs: () => number;
  /** Addresses and ranges that are not counted. */
  readonly exempt: readonly string[];
  readonly mostBuckets?: number;
}

const MOST_BUCKETS = 100_000;

/** Buckets in memory: as many as `mostBuckets`, after which the one that was not asked for longest is forgotten. */
export function createRateLimits({ nowMs, exempt, mostBuckets = MOST_BUCKETS }: Options): RateLimits {
  // In the order of their last use, as a Map keeps what was set last at its end.
  const buckets = new Map<string, number>();
  const isExempt = addressRanges(exempt);

  return {
    take: (rated, facts) => {
      const key = `${rated.row} ${rated.who}`;
      const took = takeToken(buckets.get(key) ?? 0, rated.limit, nowMs());
      buckets.delete(key);
      buckets.set(key, took.fullAtMs);
      if (buckets.size > mostBuckets) buckets.delete(buckets.keys().next().value as string);
      facts.rate = {
        limit: rated.limit.burst,
        remaining: took.remaining,
        resetSeconds: took.resetSeconds,
      };
      if (!took.taken) throw refuseTaken(rated, took);
    },
    countedAddress: (ip) => (ip === null || isExempt(ip) ? null : networkOf(ip)),
  };
}

/** Counts the reads of what is served past the channels: pages, files and lists for everybody. */
export const countReads =
  ({ rates, isTrustedProxy }: Pick<Services, 'rates' | 'isTrustedProxy'>): MiddlewareHandler =>
  async (context, next) => {
    const address = rates.countedAddress(addressIn(incomingOf(context.env), isTrustedProxy));
    if (address !== null) rates.take(rateOf.address(address, true), factsOf(context));
    await next();
  };

/** `RateLimit-*` of an answer; none where nothing was counted. */
export const rateHeaders = (standing: RateStanding | null): Readonly<Record<string, string>> =>
  standing === null
    ? {}
    : {
        'RateLimit-Limit': String(standing.limit),
        'RateLimit-Remaining': String(standing.remaining),
        'RateLimit-Reset': String(standing.resetSeconds),
      };
