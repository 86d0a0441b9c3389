import { z } from 'zod';
import type { Draws } from './draws.ts';
import type { ProcessorCard } from './store/cards.ts';
import type { Direction } from './store/messages.ts';

export const CONTRACT_CALLS = [
  'generateVirtualCard',
  'findCards',
  'lock',
  'unlock',
  'resetCvv',
  'health',
  'publicKey',
] as const;
export type ContractCall = (typeof CONTRACT_CALLS)[number];

const PLATFORM_MESSAGES = ['authorization', 'reversal', 'clearing', 'refund', 'event'] as const;

const milliseconds = z.number().int().min(0).max(600_000);
const stage = z.enum(['request', 'answer']);
const when = {
  direction: z.enum(['toPlatform', 'fromPlatform']),
  message: z.enum([...PLATFORM_MESSAGES, ...CONTRACT_CALLS, '*']),
  probability: z.number().min(0).max(1).default(1),
  count: z.number().int().positive().nullable().default(null),
  match: z
    .strictObject({
      cardId: z.union([z.string(), z.number().int()]).optional(),
      processorCardId: z.string().optional(),
    })
    .default({}),
};

/** Body of a new fault (spec 6.3). */
export const faultBody = z.discriminatedUnion('kind', [
  z.strictObject({
    ...when,
    kind: z.literal('delay'),
    params: z.strictObject({ ms: milliseconds, jitterMs: milliseconds.default(0) }),
  }),
  z.strictObject({
    ...when,
    kind: z.literal('drop'),
    params: z.strictObject({ stage }).default({ stage: 'request' }),
  }),
  z.strictObject({
    ...when,
    kind: z.literal('duplicate'),
    params: z
      .strictObject({ times: z.number().int().min(1).max(100).default(1), gapMs: milliseconds.default(0) })
      .default({ times: 1, gapMs: 0 }),
  }),
  z.strictObject({
    ...when,
    kind: z.literal('status'),
    params: z.strictObject({
      code: z.number().int().min(400).max(599),
      retryAfter: z.number().int().min(0).optional(),
    }),
  }),
  z.strictObject({
    ...when,
    kind: z.literal('reset'),
    params: z.strictObject({ stage }).default({ stage: 'request' }),
  }),
]);

export type FaultBody = z.output<typeof faultBody>;
export type Fault = FaultBody & { readonly faultId: string; readonly hits: number };
export type FaultKind = Fault['kind'];

/** What the faults that hit one message ask for, put together. */
export interface Disturbance {
  readonly kinds: readonly FaultKind[];
  readonly delayMs: number;
  readonly drop: 'request' | 'answer' | null;
  readonly reset: 'request' | 'answer' | null;
  readonly status: { readonly code: number; readonly retryAfterSeconds: number | null } | null;
  readonly duplicates: { readonly times: number; readonly gapMs: number };
}

export interface Faults {
  add(body: FaultBody): Fault;
  list(): readonly Fault[];
  remove(faultId: string): boolean;
  clear(): void;
  /** Counts a hit on every fault that applies to this message and tells what they do. */
  disturb(direction: Direction, message: string, card: ProcessorCard | null): Disturbance;
}

/** Faults live in memory: a restart of the simulator ends them. Choices come from the seed. */
export function createFaults(draws: Draws): Faults {
  const active = new Map<string, FaultBody & { faultId: string; hits: number }>();
  let made = 0;
  return {
    add: (body) => {
      made += 1;
      const fault = { ...body, faultId: `f-${made}`, hits: 0 };
      active.set(fault.faultId, fault);
      return { ...fault };
    },
    list: () => [...active.values()].map((fault) => ({ ...fault })),
    remove: (faultId) => active.delete(faultId),
    clear: () => active.clear(),
    disturb: (direction, message, card) => {
      const hitting: Fault[] = [];
      let jitter = 0;
      for (const fault of active.values()) {
        if (!applies(fault, direction, message, card)) continue;
        const draw = draws.next('fault');
        if (draw.fraction('probability') >= fault.probability) continue;
        jitter = draw.fraction('jitter');
        fault.hits += 1;
        if (fault.count !== null && fault.hits >= fault.count) active.delete(fault.faultId);
        hitting.push(fault);
      }
      return together(hitting, jitter);
    },
  };
}

function applies(fault: Fault, direction: Direction, message: string, card: ProcessorCard | null): boolean {
  if (fault.direction !== direction || (fault.message !== '*' && fault.message !== message)) return false;
  const { cardId, processorCardId } = fault.match;
  if (cardId !== undefined && card?.externalCardId !== String(cardId)) return false;
  return processorCardId === undefined || card?.processorCardId === processorCardId;
}

function together(faults: readonly Fault[], jitter: number): Disturbance {
  const result = {
    kinds: faults.map((fault) => fault.kind),
    delayMs: 0,
    drop: null as Disturbance['drop'],
    reset: null as Disturbance['reset'],
    status: null as Disturbance['status'],
    duplicates: { times: 0, gapMs: 0 },
  };
  for (const fault of faults) {
    switch (fault.kind) {
      case 'delay':
        result.delayMs += fault.params.ms + Math.round(jitter * fault.params.jitterMs);
        break;
      case 'drop':
        result.drop = fault.params.stage;
        break;
      case 'duplicate':
        result.duplicates = fault.params;
        break;
      case 'status':
        result.status = { code: fault.params.code, retryAfterSeconds: fault.params.retryAfter ?? null };
        break;
      case 'reset':
        result.reset = fault.params.stage;
        break;
    }
  }
  return result;
}
