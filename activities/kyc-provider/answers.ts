import { activityInfo } from '@temporalio/activity';
import type { Caller } from '../../domain/actor.ts';
import type { ProviderOutcome } from '../../domain/verification.ts';
import { awayFailure } from '../errors.ts';
import type { ProviderAnswer } from './client.ts';
import type { Check } from './schemas.ts';

/** `REFUSED`: the provider will not take it (4xx, or none is configured), so a person decides. */
export type ProviderStep = 'DONE' | 'REFUSED';

/** A check as the provider shows it when asked. */
export type CheckResult =
  | { readonly kind: 'RUNNING' | 'REFUSED' }
  | { readonly kind: 'COMPLETED'; readonly outcome: ProviderOutcome; readonly reasons: readonly string[] };

/** Keeps what an accepted call has brought. Throws KYC_PROVIDER_UNAVAILABLE to be run again. */
export async function settle<T>(
  answer: ProviderAnswer<T>,
  keep: (value: T) => Promise<void>,
): Promise<ProviderStep> {
  switch (answer.kind) {
    case 'ok':
      await keep(answer.value);
      return 'DONE';
    case 'refused':
      return 'REFUSED';
    case 'unavailable':
      throw unavailable(answer.retryAfterMs);
  }
}

/** What the provider says of a check. Throws KYC_PROVIDER_UNAVAILABLE to be run again. */
export function resultOf(answer: ProviderAnswer<Check>): CheckResult {
  if (answer.kind === 'unavailable') throw unavailable(answer.retryAfterMs);
  if (answer.kind === 'refused') return { kind: 'REFUSED' };
  const { state, outcome, reasons } = answer.value;
  return state === 'RUNNING' || outcome === null
    ? { kind: 'RUNNING' }
    : { kind: 'COMPLETED', outcome, reasons };
}

const unavailable = (retryAfterMs: number | null) =>
  awayFailure('KYC_PROVIDER_UNAVAILABLE', 'the KYC provider is not available', retryAfterMs);

/** The platform, on behalf of the workflow that runs. */
export const providerCaller = (): Caller => ({
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'kyc-provider' },
  requestId: activityInfo().workflowExecution?.workflowId ?? 'kyc-provider',
  ip: null,
});
