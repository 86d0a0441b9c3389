import type { Logger } from 'pino';
import { createDelivery } from './delivery.ts';
import type { Draws } from './draws.ts';
import type { Faults } from './faults/faults.ts';
import { createShuffler } from './faults/shuffler.ts';
import type { Platform } from './platform.ts';
import type { Cards } from './store/cards.ts';
import type { MessageLog } from './store/messages.ts';
import type { Repeat, Repeats } from './store/repeats.ts';
import type { Outbound } from './wire/message.ts';
import { isAtTerminal } from './wire/paths.ts';
import type { Exchange } from './wire/post.ts';

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
  /** Likewise for several: each goes out when the first attempt of the one before it is over. */
  sendInOrder(outbounds: readonly Outbound[]): Promise<void>;
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

/** The way of every message to the platform, with its repeats. */
export function createSender(parts: Parts): Sender {
  const timers = new Set<NodeJS.Timeout>();
  const shuffler = createShuffler(parts.draws);
  let stopped = false;

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  const deliver = createDelivery({
    ...parts,
    shuffler,
    wait,
    now: () => parts.now(),
    deadlineMsOf: ({ message }) =>
      isAtTerminal(message) ? parts.times.authorizationMs : parts.times.otherMs,
    isRunning: () => !stopped,
  });

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
    const exchange = await deliver(repeat.outbound, next.attempt);
    if (stopped) return;
    if (isSettled(repeat.outbound, exchange)) return parts.repeats.remove(repeat.sequence);
    parts.repeats.setAttempt(repeat.sequence, next.attempt);
    plan(next);
  }

  async function firstAttempt(repeat: Repeat): Promise<Exchange> {
    const exchange = await deliver(repeat.outbound, 1);
    if (stopped) return exchange;
    if (isSettled(repeat.outbound, exchange)) parts.repeats.remove(repeat.sequence);
    else plan(repeat);
    return exchange;
  }

  return {
    send: (outbound) => deliver(outbound, 1),
    // Kept before the first attempt: a processor that dies in between still repeats it.
    sendUntilAccepted: (outbound) => firstAttempt(parts.repeats.add(outbound)),
    sendInOrder: async (outbounds) => {
      const repeats = outbounds.map((outbound) => parts.repeats.add(outbound));
      for (const repeat of repeats) await firstAttempt(repeat);
    },
    resume: () => parts.repeats.all().forEach((repeat) => plan({ ...repeat, attempt: 1 })),
    stop: () => {
      stopped = true;
      shuffler.stop();
      timers.forEach((timer) => clearTimeout(timer));
    },
  };
}

/** Taken, or refused so that no repeat can help: another file under an announced id (spec 4.2). */
function isSettled({ message }: Outbound, exchange: Exchange): boolean {
  if (exchange.outcome !== 'answered') return false;
  return message === 'clearingFile' ? [200, 202, 422].includes(exchange.status) : exchange.status === 200;
}
