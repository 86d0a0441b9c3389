import { z } from 'zod';
import { PLATFORM_MESSAGES } from '../wire/message.ts';

export const CONTRACT_CALLS = [
  'generateVirtualCard',
  'findCards',
  'lock',
  'unlock',
  'resetCvv',
  'getClearingFile',
  'health',
  'publicKey',
] as const;
export type ContractCall = (typeof CONTRACT_CALLS)[number];

export const GARBAGE_FORMS = ['truncated', 'html', 'binary', 'huge', 'slow'] as const;
export type GarbageForm = (typeof GARBAGE_FORMS)[number];

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
const scalar = z.union([z.string().max(1_024), z.number(), z.boolean(), z.null()]);

/** Body of a new fault (spec 6.3). `waitMs` of `reorder` is ours: how long a message waits for the window to fill. */
export const faultBody = z
  .discriminatedUnion('kind', [
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
      kind: z.literal('reorder'),
      params: z.strictObject({
        window: z.number().int().min(2).max(100),
        waitMs: milliseconds.default(1_000),
      }),
    }),
    z.strictObject({
      ...when,
      kind: z.literal('garbage'),
      params: z.strictObject({ form: z.enum(GARBAGE_FORMS) }),
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
    z.strictObject({
      ...when,
      kind: z.literal('late'),
      params: z.strictObject({ ms: milliseconds }),
    }),
    z.strictObject({
      ...when,
      kind: z.literal('alter'),
      params: z.strictObject({
        field: z.string().regex(/^[A-Za-z0-9]{1,40}(\.[A-Za-z0-9]{1,40}){0,3}$/, 'must be a member path'),
        value: scalar,
      }),
    }),
  ])
  .superRefine((fault, context) => {
    if (fault.direction === 'toPlatform' || !ONLY_TO_PLATFORM.has(fault.kind)) return;
    context.addIssue({ code: 'custom', path: ['direction'], message: 'must be toPlatform for this kind' });
  });

/** Kinds that mean something only for messages of the network. */
const ONLY_TO_PLATFORM = new Set(['reorder', 'late', 'alter']);

export type FaultBody = z.output<typeof faultBody>;
export type Fault = FaultBody & { readonly faultId: string; readonly hits: number };
export type FaultKind = Fault['kind'];
