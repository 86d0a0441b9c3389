import { alter } from './faults/alter.ts';
import type { Disturbance } from './faults/disturbance.ts';
import type { Faults } from './faults/faults.ts';
import { garbageOf } from './faults/garbage.ts';
import type { Shuffler } from './faults/shuffler.ts';
import type { Platform } from './platform.ts';
import type { Cards, ProcessorCard } from './store/cards.ts';
import type { MessageLog } from './store/messages.ts';
import type { Outbound } from './wire/message.ts';
import type { Exchange, Post } from './wire/post.ts';

interface Parts {
  readonly platform: Platform;
  readonly faults: Faults;
  readonly shuffler: Shuffler;
  readonly cards: Cards;
  readonly messages: MessageLog;
  deadlineMsOf(outbound: Outbound): number;
  wait(ms: number): Promise<void>;
  /** False once the simulator ends: its log is closed then. */
  isRunning(): boolean;
  now(): Date;
}

/** Brings a message to the platform once, as the faults that hit it want. */
export type Deliver = (outbound: Outbound, attempt: number) => Promise<Exchange>;

/** The way of one message: faults, wire, log. */
export function createDelivery(parts: Parts): Deliver {
  return async (outbound, attempt) => {
    const fault = parts.faults.disturb('toPlatform', outbound.message, cardOf(parts.cards, outbound));
    const body = fault.alterations.reduce(
      (altered, { field, value }) => alter(altered, field, value),
      outbound.body,
    );
    const deadlineMs = parts.deadlineMsOf(outbound);
    const { path, idempotencyKey } = outbound;
    const post = { path, idempotencyKey, text: JSON.stringify(body), deadlineMs };
    const exchangeOnce = async (kinds: readonly string[], run: (post: Post) => Promise<Exchange>) => {
      const at = parts.now().toISOString();
      const exchange = await run({ ...post, requestId: crypto.randomUUID() });
      if (parts.isRunning()) log(parts.messages, { outbound, body, attempt, at, kinds, exchange });
      return exchange;
    };
    if (fault.delayMs > 0) await parts.wait(fault.delayMs);
    const copies = Array.from({ length: fault.duplicates.times }, async (_, index) => {
      await parts.wait(fault.duplicates.gapMs * (index + 1));
      await exchangeOnce(['duplicate'], (copy) => parts.platform.post(copy));
    });
    const exchange = await exchangeOnce(fault.kinds, (first) => held(parts, fault, first));
    await Promise.all(copies);
    return exchange;
  };
}

/** Sends in its turn, and gives up at the deadline although the message or its answer is still on the way. */
function held(parts: Parts, fault: Disturbance, post: Post): Promise<Exchange> {
  const { reorder, lateMs } = fault;
  if (reorder === null && lateMs === null) return disturbed(parts.platform, fault, post);
  const startedAt = performance.now();
  const arrive = async (): Promise<Exchange> => {
    const next = reorder === null ? null : await parts.shuffler.enter(reorder.window, reorder.waitMs);
    try {
      const exchange = await disturbed(parts.platform, fault, post);
      const leftMs = (lateMs ?? 0) - (performance.now() - startedAt);
      if (leftMs > 0) await parts.wait(leftMs);
      return { ...exchange, latencyMs: Math.round(performance.now() - startedAt) };
    } finally {
      next?.();
    }
  };
  const giveUp = async (): Promise<Exchange> => {
    await parts.wait(post.deadlineMs);
    return { outcome: 'unknown', latencyMs: Math.round(performance.now() - startedAt) };
  };
  return Promise.race([arrive(), giveUp()]);
}

async function disturbed(platform: Platform, fault: Disturbance, post: Post): Promise<Exchange> {
  const { status, drop, reset, garbage } = fault;
  if (status !== null) {
    const body = { title: 'SIMULATED_FAULT', detail: 'Made by a fault of the simulator; nothing was sent.' };
    return { outcome: 'answered', status: status.code, body, latencyMs: 0 };
  }
  // Whoever sent it cannot tell a lost message from a lost answer.
  if (drop === 'request') return { outcome: 'unknown', latencyMs: 0 };
  if (reset !== null) return platform.postAndCut(post, reset);
  const exchange = await (garbage === null
    ? platform.post(post)
    : platform.postGarbage(post, garbageOf(garbage, post.text)));
  return drop === 'answer' ? { outcome: 'unknown', latencyMs: exchange.latencyMs } : exchange;
}

interface Sent {
  readonly outbound: Outbound;
  readonly body: unknown;
  readonly attempt: number;
  readonly at: string;
  readonly kinds: readonly string[];
  readonly exchange: Exchange;
}

function log(messages: MessageLog, { outbound, body, attempt, at, kinds, exchange }: Sent): void {
  const answered = exchange.outcome === 'answered';
  messages.add({
    traceId: outbound.traceId,
    direction: 'toPlatform',
    message: outbound.message,
    path: outbound.path,
    at,
    attempt,
    fault: kinds.length === 0 ? null : kinds.join(','),
    request: body,
    status: answered ? exchange.status : null,
    response: answered ? exchange.body : null,
    latencyMs: exchange.latencyMs,
  });
}

function cardOf(cards: Cards, outbound: Outbound): ProcessorCard | null {
  const id = outbound.body['processorCardId'];
  return typeof id === 'string' ? cards.byId(id) : null;
}
