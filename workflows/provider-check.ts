import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
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
  /** True when the provider reported an end. */
  readonly reported: () => boolean;
  /** True when something else has to be looked at, also while a call is under way. */
  readonly mustAttend: () => boolean;
  /** Asked before each call, and when something has to be attended to: how it all ended elsewhere. */
  readonly ending: () => Promise<Ending | null>;
  /** A run that began when calls were finished first, and when the provider was given its time twice. */
  readonly patient?: boolean;
}

export type CompletedCheck = Extract<CheckResult, { kind: 'COMPLETED' }>;

/**
 * Sends a case to the provider and waits for its result, which is confirmed by asking. Null when the provider refuses,
 * cannot be reached or stays silent to the limit; or how it all ended elsewhere meanwhile.
 */
export async function checkAtProvider<Ending>(
  check: ProviderCheck<Ending>,
): Promise<CompletedCheck | Ending | null> {
  const { timings, steps, fetch, reported, mustAttend, ending, patient = false } = check;
  const stepsUntilMs = Date.now() + timings.providerLimitMs;
  for (const step of steps) {
    const ended = await ending();
    if (ended !== null) return ended;
    const done = await attending(check, () => step(stepsUntilMs));
    if ('ended' in done) return done.ended;
    if (done.answer === 'REFUSED') return null;
  }
  const untilMs = patient ? Date.now() + timings.providerLimitMs : stepsUntilMs;
  for (;;) {
    const leftMs = untilMs - Date.now();
    if (leftMs <= 0) return null;
    await condition(() => reported() || mustAttend(), Math.min(timings.providerPollMs, leftMs));
    const ended = await ending();
    if (ended !== null) return ended;
    const result = await attending(check, () => fetch(untilMs));
    if ('ended' in result) return result.ended;
    if (result.answer === 'REFUSED' || result.answer.kind === 'REFUSED') return null;
    if (result.answer.kind === 'COMPLETED') return result.answer;
  }
}

/**
 * A call to the provider, which may be repeated for half an hour; an ending from elsewhere does not wait for it, and
 * nothing more is sent.
 */
async function attending<T, Ending>(
  { mustAttend, ending, patient = false }: ProviderCheck<Ending>,
  call: () => Promise<T>,
): Promise<{ readonly answer: T | 'REFUSED' } | { readonly ended: Ending }> {
  if (patient) return { answer: await orRefused(call) };
  const scope = new CancellationScope();
  let settled = false;
  const answer = scope.run(() => orRefused(call)).finally(() => void (settled = true));
  // Given up, it is not waited for.
  answer.catch(() => undefined);
  for (;;) {
    await condition(() => settled || mustAttend());
    if (settled) return { answer: await answer };
    const ended = await ending();
    if (ended === null) continue;
    scope.cancel();
    return { ended };
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
    // A call that is given up is not waited for; its attempt ends by itself and is not repeated.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
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
