import { z } from 'zod';

export const outcomeSchema = z.enum(['APPROVED', 'REJECTED', 'REVIEW']);
export type Outcome = z.infer<typeof outcomeSchema>;

/** What a check will bring, fixed when it starts. */
export interface CheckPlan {
  readonly outcome: Outcome;
  readonly reasons: readonly string[];
  readonly delayMs: number;
  readonly completes: boolean;
  readonly callbacks: number;
  readonly callbackDelayMs: number;
  readonly badSignature: boolean;
  readonly staleTimestamp: boolean;
  readonly malformed: boolean;
  readonly wrongOutcomeInCallback: boolean;
}

/** Body of `PUT /simulator/scenarios/{externalId}` (onboarding 9.4). */
export const scenarioSchema = z.strictObject({
  outcome: outcomeSchema.optional(),
  reasons: z.array(z.string()).optional(),
  delayMs: z.int().min(0).max(3_600_000).optional(),
  callbacks: z.int().min(0).max(5).optional(),
  callbackDelayMs: z.int().min(0).max(3_600_000).optional(),
  hangMs: z.int().min(0).max(60_000).optional(),
  badSignature: z.boolean().optional(),
  staleTimestamp: z.boolean().optional(),
  malformed: z.boolean().optional(),
  wrongOutcomeInCallback: z.boolean().optional(),
  fail: z
    .strictObject({
      call: z.enum(['applicants', 'documents', 'checks', 'getCheck']),
      status: z.int().min(400).max(599),
      times: z.int().positive(),
    })
    .optional(),
});
export type Scenario = z.infer<typeof scenarioSchema>;

/** What an identity card number that begins so brings about (onboarding 9.4). */
const byPrefix: readonly (readonly [string, Partial<CheckPlan>])[] = [
  ['SIMDATA', rejected('DATA_MISMATCH')],
  ['SIMFRAUD', rejected('SUSPECTED_FRAUD')],
  ['SIMDOCINV', rejected('DOCUMENT_INVALID')],
  ['SIMDOCEXP', rejected('DOCUMENT_EXPIRED')],
  ['SIMDOCBLUR', rejected('DOCUMENT_BLURRED')],
  ['SIMFACE', rejected('FACE_MISMATCH')],
  ['SIMSELFINV', rejected('SELFIE_INVALID')],
  ['SIMSELFBLUR', rejected('SELFIE_BLURRED')],
  ['SIMREVIEW', { outcome: 'REVIEW' }],
  ['SIMSILENT', { completes: false, callbacks: 0 }],
  ['SIMNOCALL', { callbacks: 0 }],
];

function rejected(reason: string): Partial<CheckPlan> {
  return { outcome: 'REJECTED', reasons: [reason] };
}

/** What a check of this person will bring; a scenario beats the prefix of the identity card number. */
export function planCheck(scenario: Scenario, identityCardNo: string, defaultDelayMs: number): CheckPlan {
  const ofPrefix = byPrefix.find(([prefix]) => identityCardNo.startsWith(prefix))?.[1] ?? {};
  const outcome: Outcome = scenario.outcome ?? ofPrefix.outcome ?? 'APPROVED';
  const decided = scenario.outcome !== undefined;
  return {
    outcome,
    reasons: scenario.reasons ?? (decided ? [] : (ofPrefix.reasons ?? [])),
    delayMs: scenario.delayMs ?? defaultDelayMs,
    completes: decided || (ofPrefix.completes ?? true),
    callbacks: scenario.callbacks ?? (decided ? 1 : (ofPrefix.callbacks ?? 1)),
    callbackDelayMs: scenario.callbackDelayMs ?? 0,
    badSignature: scenario.badSignature ?? false,
    staleTimestamp: scenario.staleTimestamp ?? false,
    malformed: scenario.malformed ?? false,
    wrongOutcomeInCallback: scenario.wrongOutcomeInCallback ?? false,
  };
}
