import {
  ActivityFailure,
  condition,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { CheckResult, ProviderStep } from '../activities/kyc-provider/answers.ts';
import type { createPersonCheckActivities } from '../activities/kyc-provider/persons.ts';
import type { createKycProviderActivities } from '../activities/kyc-provider/verifications.ts';
import type { VerificationTimings } from '../domain/verification.ts';

/** How the provider's part of a verification goes (onboarding 6.2, steps 2 and 3). */
export interface ProviderCheck<Ending> {
  readonly timings: VerificationTimings;
  /** The calls of step 2, in order; each gets the time until which it may be tried. */
  readonly steps: readonly ((untilMs: number) => Promise<ProviderStep>)[];
  /** Takes note of a report before it asks. */
  readonly fetch: (untilMs: number) => Promise<CheckResult>;
  /** True when the provider reported an end, or something else has to be attended to. */
  readonly woken: () => boolean;
  /** Asked before each call: how it all ended elsewhere. */
  readonly ending: () => Promise<Ending | null>;
}

export type CompletedCheck = Extract<CheckResult, { kind: 'COMPLETED' }>;

/**
 * Sends a case to the provider and waits for its result, which is confirmed by asking. Null when the provider refuses,
 * cannot be reached or stays silent to the limit; or how it all ended elsewhere meanwhile.
 */
export async function checkAtProvider<Ending>(
  check: ProviderCheck<Ending>,
): Promise<CompletedCheck | Ending | null> {
  const { timings, steps, fetch, woken, ending } = check;
  const stepsUntilMs = Date.now() + timings.providerLimitMs;
  for (const step of steps) {
    const ended = await ending();
    if (ended !== null) return ended;
    if ((await orRefused(() => step(stepsUntilMs))) === 'REFUSED') return null;
  }
  const untilMs = Date.now() + timings.providerLimitMs;
  for (;;) {
    const leftMs = untilMs - Date.now();
    if (leftMs <= 0) return null;
    await condition(woken, Math.min(timings.providerPollMs, leftMs));
    const ended = await ending();
    if (ended !== null) return ended;
    const result = await orRefused(() => fetch(untilMs));
    if (result === 'REFUSED' || result.kind === 'REFUSED') return null;
    if (result.kind === 'COMPLETED') return result;
  }
}

const CALL_TIMEOUT = '15s'; // The client gives up after 10 s by itself.
/** For a call with a picture: the client gives up after 30 s by itself. */
export const UPLOAD_TIMEOUT = '40s';

type ProviderActivities = ReturnType<typeof createKycProviderActivities> &
  ReturnType<typeof createPersonCheckActivities>;

/** Provider calls on their own queue, retried until `untilMs` and no longer. */
export function provider(
  untilMs: number,
  startToCloseTimeout: typeof CALL_TIMEOUT | typeof UPLOAD_TIMEOUT = CALL_TIMEOUT,
) {
  const { taskQueue } = workflowInfo();
  return proxyActivities<ProviderActivities>({
    taskQueue: taskQueue === 'core' ? 'kyc' : taskQueue,
    startToCloseTimeout,
    scheduleToCloseTimeout: Math.max(1, untilMs - Date.now()),
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  });
}

/** A provider that cannot be reached until the limit leaves the case to a person. */
async function orRefused<T>(call: () => Promise<T>): Promise<T | 'REFUSED'> {
  try {
    return await call();
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return 'REFUSED';
  }
}
