import type { Logger } from 'pino';
import type { Draws } from './draws.ts';
import type { Disturbance, Faults } from './faults.ts';
import type { Exchange, Platform } from './platform.ts';
import type { Cards, ProcessorCard } from './store/cards.ts';
import type { MessageLog } from './store/messages.ts';
import type { Repeat, Repeats } from './store/repeats.ts';
import type { Outbound } from './wire/message.ts';

/** Deadlines and repeats of the processor (spec 3.6). */
export interface SenderTimes {
  readonly authorizationMs: number;
  readonly otherMs: number;
  readonly firstRepeatMs: number;
  readonly longestRepeatMs: number;
}

export const DEFAULT_TIMES: SenderTimes = {
  authorizationMs: 2_500,
  otherMs: 12_000,
  firstRepeatMs: 1_000,
  longestRepeatMs: 300_000,
};

export interface Sender {
  /** Sends once and gives up at the deadline of the message. */
  send(outbound: Outbound): Promise<Exchange>;
  /** Sends, answers with the first outcome, and goes on repeating the same bytes until 200. */
  sendUntilAccepted(outbound: Outbound): Promise<Exchange>;
  /** Takes up the repeats that an earlier run left. */
  resume(): void;
  stop(): void;
}

interface Parts {
  readonly platform: Platform;
  readonly faults: Faults;
  readonly cards: Cards;
  readonly messages: MessageLog;
  readonly repeats: Repeats;
  readonly draws: Draws;
  readonly logger: Logger;
  readonly times: SenderTimes;
  now(): Date;
}

/** The way of every message to the platform: faults, wire, log, repeats. */
export function createSender(parts: Parts): Sender {
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  async function attempt(outbound: Outbound, number: number): Promise<Exchange> {
    const disturbance = parts.faults.disturb('toPlatform', outbound.message, cardOf(parts.cards, outbound));
    const deadlineMs =
      outbound.message === 'authorization' ? parts.times.authorizationMs : parts.times.otherMs;
    const post = {
      path: outbound.path,
      text: JSON.stringify(outbound.body),
      idempotencyKey: outbound.idempotencyKey,
      deadlineMs,
    };
    const exchangeOnce = async (kinds: readonly string[], run: (requestId: string) => Promise<Exchange>) => {
      const at = parts.now().toISOString();
      const exchange = await run(crypto.randomUUID());
      if (!stopped) log(outbound, number, at, kinds, exchange);
      return exchange;
    };
    if (disturbance.delayMs > 0) await wait(disturbance.delayMs);
    const copies = Array.from({ length: disturbance.duplicates.times }, async (_, index) => {
      await wait(disturbance.duplicates.gapMs * (index + 1));
      await exchangeOnce(['duplicate'], (requestId) => parts.platform.post({ ...post, requestId }));
    });
    const exchange = await exchangeOnce(disturbance.kinds, (requestId) =>
      disturbed(disturbance, parts.platform, { ...post, requestId }),
    );
    await Promise.all(copies);
    return exchange;
  }

  function log(
    outbound: Outbound,
    number: number,
    at: string,
    kinds: readonly string[],
    exchange: Exchange,
  ): void {
    const answered = exchange.outcome === 'answered';
    parts.messages.add({
      traceId: outbound.traceId,
      direction: 'toPlatform',
      message: outbound.message,
      path: outbound.path,
      at,
      attempt: number,
      fault: kinds.length === 0 ? null : kinds.join(','),
      request: outbound.body,
      status: answered ? exchange.status : null,
      response: answered ? exchange.body : null,
      latencyMs: exchange.latencyMs,
    });
    parts.logger.debug(
      { traceId: outbound.traceId, message: outbound.message, attempt: number, outcome: exchange.outcome },
      'sent to the platform',
    );
  }

  function plan(repeat: Repeat): void {
    const { firstRepeatMs, longestRepeatMs } = parts.times;
    const delayMs = Math.min(firstRepeatMs * 2 ** (repeat.attempt - 1), longestRepeatMs);
    void wait(delayMs)
      .then(() => again(repeat))
      .catch((error: unknown) => parts.logger.error({ err: error }, 'a repeat failed'));
  }

  async function again(repeat: Repeat): Promise<void> {
    if (stopped || !parts.repeats.exists(repeat.sequence)) return;
    const next = { ...repeat, attempt: repeat.attempt + 1 };
    const exchange = await attempt(repeat.outbound, next.attempt);
    if (stopped) return;
    if (isAccepted(exchange)) return parts.repeats.remove(repeat.sequence);
    parts.repeats.setAttempt(repeat.sequence, next.attempt);
    plan(next);
  }

  return {
    send: (outbound) => attempt(outbound, 1),
    sendUntilAccepted: async (outbound) => {
      // Kept before the first attempt: a processor that dies in between still repeats it.
      const repeat = parts.repeats.add(outbound);
      const exchange = await attempt(outbound, 1);
      if (stopped) return exchange;
      if (isAccepted(exchange)) parts.repeats.remove(repeat.sequence);
      else plan(repeat);
      return exchange;
    },
    resume: () => parts.repeats.all().forEach((repeat) => plan({ ...repeat, attempt: 1 })),
    stop: () => {
      stopped = true;
      timers.forEach((timer) => clearTimeout(timer));
    },
  };
}

const isAccepted = (exchange: Exchange): boolean =>
  exchange.outcome === 'answered' && exchange.status === 200;

function cardOf(cards: Cards, outbound: Outbound): ProcessorCard | null {
  const id = outbound.body['processorCardId'];
  return typeof id === 'string' ? cards.byId(id) : null;
}

async function disturbed(
  disturbance: Disturbance,
  platform: Platform,
  post: Parameters<Platform['post']>[0],
): Promise<Exchange> {
  const { status, drop, reset } = disturbance;
  if (status !== null) {
    const body = { title: 'SIMULATED_FAULT', detail: 'Made by a fault of the simulator; nothing was sent.' };
    return { outcome: 'answered', status: status.code, body, latencyMs: 0 };
  }
  // Whoever sent it cannot tell a lost message from a lost answer.
  if (drop === 'request') return { outcome: 'unknown', latencyMs: 0 };
  if (reset !== null) return platform.postAndCut(post, reset);
  const exchange = await platform.post(post);
  return drop === 'answer' ? { outcome: 'unknown', latencyMs: exchange.latencyMs } : exchange;
}
