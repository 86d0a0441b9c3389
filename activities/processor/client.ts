import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { z } from 'zod';
import { foundCardsSchema, type GeneratedCard, generatedCardSchema, refusalSchema } from './schemas.ts';

export interface ProcessorClientOptions {
  /** Base address; calls go to `{url}/v1/...`. */
  readonly url: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface CallOptions {
  readonly idempotencyKey: string;
  /** For the call with its one repeat. */
  readonly deadlineMs: number;
}

export interface VirtualCardOrder {
  /** 32 hexadecimal characters. */
  readonly reference: string;
  readonly externalCardId: string;
  readonly productId: string;
  readonly currency: string;
  readonly expiryMonths: number;
  readonly cardholder: { readonly name: string; readonly country: string };
}

/** UNKNOWN: it may have happened. Repeat with the same key, or look with `findCards`; never order anew. */
export type VirtualCardOutcome =
  | { readonly outcome: 'GENERATED'; readonly card: GeneratedCard }
  | { readonly outcome: 'REFUSED'; readonly title: string }
  | { readonly outcome: 'UNKNOWN' };

export type InstructionOutcome =
  | { readonly outcome: 'DONE' }
  | { readonly outcome: 'REFUSED'; readonly title: string }
  | { readonly outcome: 'UNKNOWN' };

/** The processor's side of processor.md 2, as far as we call it. Outcomes are values; only defects throw. */
export interface ProcessorClient {
  generateVirtualCard(order: VirtualCardOrder, options: CallOptions): Promise<VirtualCardOutcome>;
  /** Cards made under a reference of ours; null when the processor did not answer. */
  findCards(reference: string, deadlineMs: number): Promise<readonly GeneratedCard[] | null>;
  lock(
    processorCardId: string,
    lock: { code: number; at: string },
    options: CallOptions,
  ): Promise<InstructionOutcome>;
  unlock(
    processorCardId: string,
    unlock: { codes: readonly number[]; pinUnblock: boolean },
    options: CallOptions,
  ): Promise<InstructionOutcome>;
  isUp(deadlineMs: number): Promise<boolean>;
  close(): Promise<void>;
}

const ANSWER_BYTES = 64 * 1024;
const REPEAT_NEEDS_MS = 2_000;

/** A client over mTLS that trusts the processor's authority and no other. */
export function createProcessorClient(options: ProcessorClientOptions): ProcessorClient {
  const agent = new Agent({
    connect: {
      ca: readFileSync(options.caFile),
      cert: readFileSync(options.certificateFile),
      key: readFileSync(options.keyFile),
      timeout: 2_000,
    },
    maxHeaderSize: 16 * 1024,
    connections: 16,
  });
  const call = (method: 'GET' | 'POST', path: string, deadlineMs: number, key?: string, body?: object) =>
    callWithRepeat(agent, { url: `${options.url}/v1${path}`, method, key, body }, deadlineMs);
  return {
    generateVirtualCard: async (order, { idempotencyKey, deadlineMs }) => {
      const answer = await call('POST', '/cards/virtual', deadlineMs, idempotencyKey, order);
      const card = answer?.status === 201 ? parsed(generatedCardSchema, answer) : null;
      if (card !== null) return { outcome: 'GENERATED', card };
      // Another key finished this reference before: the card exists and is looked up, never made twice.
      if (titleOf(answer) === 'ALREADY_DONE') {
        const [found] = (await findBy(call, order.reference, deadlineMs)) ?? [];
        return found === undefined ? { outcome: 'UNKNOWN' } : { outcome: 'GENERATED', card: found };
      }
      return refusedOrUnknown(answer);
    },
    findCards: (reference, deadlineMs) => findBy(call, reference, deadlineMs),
    lock: async (processorCardId, lock, { idempotencyKey, deadlineMs }) =>
      instruction(
        await call(
          'POST',
          `/cards/${encodeURIComponent(processorCardId)}/lock`,
          deadlineMs,
          idempotencyKey,
          lock,
        ),
      ),
    unlock: async (processorCardId, unlock, { idempotencyKey, deadlineMs }) =>
      instruction(
        await call(
          'POST',
          `/cards/${encodeURIComponent(processorCardId)}/unlock`,
          deadlineMs,
          idempotencyKey,
          unlock,
        ),
      ),
    isUp: async (deadlineMs) => (await call('GET', '/health', deadlineMs))?.status === 200,
    close: () => agent.close(),
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Caller = (
  method: 'GET' | 'POST',
  path: string,
  deadlineMs: number,
  key?: string,
  body?: object,
) => Promise<Answer | null>;

async function findBy(
  call: Caller,
  reference: string,
  deadlineMs: number,
): Promise<readonly GeneratedCard[] | null> {
  const answer = await call('GET', `/cards?reference=${encodeURIComponent(reference)}`, deadlineMs);
  return answer?.status === 200 ? (parsed(foundCardsSchema, answer)?.items ?? null) : null;
}

function instruction(answer: Answer | null): InstructionOutcome {
  if (answer?.status === 200 || titleOf(answer) === 'ALREADY_DONE') return { outcome: 'DONE' };
  return refusedOrUnknown(answer);
}

/** A well-formed 4xx is a refusal; 408, 425, 429, 5xx, silence and everything odd leave the outcome open. */
function refusedOrUnknown(
  answer: Answer | null,
): { outcome: 'REFUSED'; title: string } | { outcome: 'UNKNOWN' } {
  const title = titleOf(answer);
  const open =
    answer === null || answer.status < 400 || answer.status >= 500 || [408, 425, 429].includes(answer.status);
  return open || title === null ? { outcome: 'UNKNOWN' } : { outcome: 'REFUSED', title };
}

const titleOf = (answer: Answer | null): string | null =>
  answer === null || answer.status < 400 ? null : (parsed(refusalSchema, answer)?.title ?? null);

function parsed<T>(schema: z.ZodType<T>, answer: Answer): T | null {
  const result = schema.safeParse(answer.body);
  return result.success ? result.data : null;
}

interface Call {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly key: string | undefined;
  readonly body: object | undefined;
}

/** One call and, while two seconds remain, one repeat with the same key (processor.md 2). Null: no answer. */
async function callWithRepeat(agent: Agent, one: Call, deadlineMs: number): Promise<Answer | null> {
  const endsAtMs = performance.now() + deadlineMs;
  const first = await callOnce(agent, one, Math.max(deadlineMs - REPEAT_NEEDS_MS, deadlineMs / 2));
  const leftMs = endsAtMs - performance.now();
  if (first !== null && first.status < 500) return first;
  return leftMs < REPEAT_NEEDS_MS ? first : await callOnce(agent, one, leftMs);
}

async function callOnce(agent: Agent, one: Call, timeoutMs: number): Promise<Answer | null> {
  try {
    const answer = await request(one.url, {
      method: one.method,
      dispatcher: agent,
      signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
      headers: {
        Accept: 'application/json',
        ...(one.key === undefined ? {} : { 'X-Idempotency-Key': one.key }),
        ...(one.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(one.body === undefined ? {} : { body: JSON.stringify(one.body) }),
    });
    let bytes = 0;
    const chunks: Buffer[] = [];
    for await (const chunk of answer.body) {
      bytes += (chunk as Buffer).length;
      if (bytes > ANSWER_BYTES) return null;
      chunks.push(chunk as Buffer);
    }
    return { status: answer.statusCode, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch {
    return null;
  }
}
