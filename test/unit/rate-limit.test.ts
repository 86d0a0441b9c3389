import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressRanges, networkOf } from '../../api/address-list.ts';
import { addressIn } from '../../api/exchange.ts';
import { createRateLimits } from '../../api/rate-limits.ts';
import { rateHeaders } from '../../api/rate-standing.ts';
import { newFacts } from '../../api/request-facts.ts';
import { Refusal } from '../../domain/errors.ts';
import { allow, allowPerSecond, rateOf, type RateLimit, takeToken } from '../../domain/rate-limit.ts';

/** The bucket as everybody draws it: tokens that drip in. */
function drawnBucket({ burst, intervalMs }: RateLimit): (nowMs: number) => boolean {
  let tokens = burst;
  let atMs = 0;
  return (nowMs) => {
    tokens = Math.min(burst, tokens + (nowMs - atMs) / intervalMs);
    atMs = nowMs;
    if (tokens < 1 - 1e-6) return false;
    tokens -= 1;
    return true;
  };
}

describe('a token bucket', () => {
  it('gives what a drawn bucket gives, whatever the times', () => {
    const limits = fc.constantFrom(allow(10, 60), allow(60, 60), allowPerSecond(100, 200), allow(3, 900));
    fc.assert(
      fc.property(limits, fc.array(fc.nat(20_000), { maxLength: 200 }), (limit, steps) => {
        const drawn = drawnBucket(limit);
        let nowMs = 1_000_000;
        let fullAtMs = 0;
        drawn(nowMs);
        fullAtMs = takeToken(fullAtMs, limit, nowMs).fullAtMs;
        for (const step of steps) {
          nowMs += step;
          const took = takeToken(fullAtMs, limit, nowMs);
          fullAtMs = took.fullAtMs;
          expect(took.taken).toBe(drawn(nowMs));
        }
      }),
    );
  });

  it('gives a token after the wait that it tells, and not a second before', () => {
    const limit = allow(10, 60);
    let fullAtMs = 0;
    for (let at = 0; at < 10; at += 1) fullAtMs = takeToken(fullAtMs, limit, 0).fullAtMs;
    const refused = takeToken(fullAtMs, limit, 0);
    expect(refused).toMatchObject({ taken: false, remaining: 0, waitSeconds: 6, resetSeconds: 60 });
    expect(takeToken(fullAtMs, limit, 5_000).taken).toBe(false);
    expect(takeToken(fullAtMs, limit, 6_000)).toMatchObject({ taken: true, remaining: 0 });
    expect(takeToken(fullAtMs, limit, 60_000)).toMatchObject({ taken: true, remaining: 9, resetSeconds: 6 });
  });

  it('stays empty, but no emptier, when the clock goes back or the limit is narrowed', () => {
    const took = takeToken(1_000_000_000, allow(10, 60), 0);
    expect(took).toMatchObject({ taken: false, waitSeconds: 6 });
    expect(takeToken(took.fullAtMs, allow(10, 60), 6_000).taken).toBe(true);
  });
});

describe('buckets in memory', () => {
  const take = (rates: ReturnType<typeof createRateLimits>, who: string) => {
    const facts = newFacts('r');
    try {
      rates.take(rateOf.address(who, false), facts);
      return { facts, refusal: null };
    } catch (error) {
      if (error instanceof Refusal) return { facts, refusal: error };
      throw error;
    }
  };

  it('are counted apart, and told with the answer', () => {
    const rates = createRateLimits({ nowMs: () => 0, exempt: [] });
    for (let at = 0; at < 10; at += 1) expect(take(rates, 'a').refusal).toBeNull();
    const { facts, refusal } = take(rates, 'a');
    expect(refusal?.code).toBe('TOO_MANY_REQUESTS');
    expect(refusal?.options.retryAfterSeconds).toBe(6);
    expect(rateHeaders(facts.rate)).toEqual({
      'RateLimit-Limit': '10',
      'RateLimit-Remaining': '0',
      'RateLimit-Reset': '60',
    });
    expect(take(rates, 'b').refusal).toBeNull();
  });

  it('are never more than allowed; who was not there for longest is forgotten', () => {
    const rates = createRateLimits({ nowMs: () => 0, exempt: [], mostBuckets: 3 });
    const empty = (who: string) => {
      for (let at = 0; at < 10; at += 1) take(rates, who);
    };
    empty('a');
    empty('b');
    empty('c');
    expect(take(rates, 'a').refusal).not.toBeNull();
    take(rates, 'd');
    expect(take(rates, 'a').refusal).not.toBeNull();
    expect(take(rates, 'b').refusal).toBeNull();
  });

  it('count no address that is exempt', () => {
    const rates = createRateLimits({ nowMs: () => 0, exempt: ['127.0.0.0/8', '::1'] });
    expect(['127.0.0.9', '::1', null].map(rates.countedAddress)).toEqual([null, null, null]);
    expect(rates.countedAddress('192.0.2.1')).toBe('192.0.2.1');
  });
});

describe('whose address it is', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::', 'fe80:0:0:0'],
  ])('%s belongs to %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });

  const from = (peer: string, forwarded?: string) =>
    addressIn(
      {
        socket: { remoteAddress: peer },
        headers: { 'x-forwarded-for': forwarded },
      } as never as IncomingMessage,
      addressRanges(['10.0.0.0/8']),
    );

  it.each([
    ['a peer that is no proxy', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['a proxy', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['a proxy that a caller lied to', '10.0.0.1', '203.0.113.1, 198.51.100.7', '198.51.100.7'],
    ['two proxies', '10.0.0.1', '203.0.113.1, 198.51.100.7, 10.0.0.2', '198.51.100.7'],
    ['a proxy that tells nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['a proxy that tells no address', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['IPv4 in IPv6', '::ffff:10.0.0.1', '::ffff:198.51.100.7', '198.51.100.7'],
  ])('%s', (_name, peer, forwarded, expected) => {
    expect(from(peer, forwarded)).toBe(expected);
  });
});
