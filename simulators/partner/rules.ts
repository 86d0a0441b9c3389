import { z } from 'zod';
import { operations, type Operation } from './operations.ts';

const status = z.int().min(200).max(599);
const ms = z.int().min(0).max(3_600_000);
const idValue = z.union([z.string(), z.int()]);

const actionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('APPROVE'), delayMs: ms.optional() }),
  z.strictObject({ kind: z.literal('DECLINE'), status, title: z.string(), delayMs: ms.optional() }),
  z.strictObject({ kind: z.literal('DELAY'), ms, jitterMs: ms.optional() }),
  z.strictObject({ kind: z.literal('HANG'), ms: ms.default(60_000) }),
  z.strictObject({ kind: z.literal('LATE'), ms }),
  z.strictObject({
    kind: z.literal('STATUS'),
    status,
    body: z.unknown().optional(),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[ -~]*$/)).optional(),
  }),
  z.strictObject({ kind: z.literal('RESET'), when: z.enum(['before', 'after']) }),
  z.strictObject({ kind: z.literal('PROCESS_THEN_STATUS'), status }),
  z.strictObject({ kind: z.literal('PROCESS_THEN_HANG'), ms: ms.default(60_000) }),
  z.strictObject({ kind: z.literal('IGNORE_KEY') }),
  z.strictObject({ kind: z.literal('NO_TOMBSTONE') }),
]);
export type Action = z.infer<typeof actionSchema>;

const matchSchema = z.strictObject({
  operation: z.array(z.enum(operations)).optional(),
  userId: idValue.optional(),
  balanceId: idValue.optional(),
  cardId: idValue.optional(),
  id: idValue.optional(),
  transactionId: idValue.optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  mcc: z.array(z.string()).optional(),
  country: z.array(z.string()).optional(),
  currency: z.array(z.string()).optional(),
  amountMin: z.int().optional(),
  amountMax: z.int().optional(),
  /** Last digits of the amount in minor units (mode `triggers`). */
  amountEndsWith: z
    .string()
    .regex(/^[0-9]{1,9}$/)
    .optional(),
  attempt: z.int().positive().optional(),
});

/** A rule of transaction-history 9.4. */
export const ruleSchema = z.strictObject({
  name: z.string().min(1).max(100),
  match: matchSchema.default({}),
  action: actionSchema,
  probability: z.number().min(0).max(1).default(1),
  times: z.int().positive().nullable().default(null),
  enabled: z.boolean().default(true),
});
export type Rule = z.infer<typeof ruleSchema>;

/** What of a call a rule can look at; undefined where the call has no such thing. */
export interface Facts {
  readonly operation: Operation;
  readonly userId: string | undefined;
  readonly balanceId: string | undefined;
  readonly cardId: string | undefined;
  readonly id: string | undefined;
  readonly transactionId: string | undefined;
  readonly type: string | undefined;
  readonly mcc: string | undefined;
  readonly country: string | undefined;
  readonly currency: string | undefined;
  readonly amount: number | undefined;
  readonly attempt: number;
}

/** True when every condition of the rule holds for the call. */
export function matches(rule: Rule, facts: Facts): boolean {
  const { match } = rule;
  const amount = facts.amount;
  return (
    isOneOf(match.operation, facts.operation) &&
    isOneOf(match.userId, facts.userId) &&
    isOneOf(match.balanceId, facts.balanceId) &&
    isOneOf(match.cardId, facts.cardId) &&
    isOneOf(match.id, facts.id) &&
    isOneOf(match.transactionId, facts.transactionId) &&
    isOneOf(match.type, facts.type) &&
    isOneOf(match.mcc, facts.mcc) &&
    isOneOf(match.country, facts.country) &&
    isOneOf(match.currency, facts.currency) &&
    isOneOf(match.attempt, String(facts.attempt)) &&
    (match.amountMin === undefined || (amount !== undefined && amount >= match.amountMin)) &&
    (match.amountMax === undefined || (amount !== undefined && amount <= match.amountMax)) &&
    (match.amountEndsWith === undefined || (facts.amount?.toString().endsWith(match.amountEndsWith) ?? false))
  );
}

type Wanted = string | number | readonly string[] | undefined;

function isOneOf(wanted: Wanted, actual: string | undefined): boolean {
  if (wanted === undefined) return true;
  const list = typeof wanted === 'object' ? wanted : [String(wanted)];
  return actual !== undefined && list.includes(actual);
}
