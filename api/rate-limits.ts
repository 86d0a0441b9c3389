import type { MiddlewareHandler } from 'hono';
import { rateOf, refuseTaken, takeToken } from '../domain/rate-limit.ts';
import { addressRanges, networkOf } from './address-list.ts';
import { addressIn } from './exchange.ts';
import { factsOf, incomingOf } from './request-facts.ts';
import type { RateLimits, Services } from './services.ts';

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
