import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { KybCommand, KybStatus } from '../domain/kyb-application.ts';
import type { OnboardingState } from '../workflows/corporation-onboarding.ts';
import type { WorkflowTarget } from './workflows.ts';

const UPDATE_MS = 3_000;

export type KybAnswer =
  | { readonly outcome: 'DONE'; readonly status: KybStatus }
  /** Refused by the title that the caller is told, for example `STATE_CONFLICT`, `SCREENING_HIT_OPEN`. */
  | { readonly outcome: 'REFUSED'; readonly reason: string }
  | { readonly outcome: 'NOT_RUNNING' }
  /** No answer in time: it may still take effect; asked again with the same id it is not done twice. */
  | { readonly outcome: 'UNKNOWN' };

/**
 * An operator's command to a running application (onboarding 8.5). `updateId` is the caller's idempotency key.
 * Throws when Temporal refuses for another reason than the application itself.
 */
export async function commandKyb(
  target: WorkflowTarget,
  applicationId: string,
  command: KybCommand,
  updateId: string,
): Promise<KybAnswer> {
  const { client } = target;
  const handle = client.workflow.getHandle(`corporation-onboarding:${applicationId}`);
  try {
    const done = await client.withDeadline(Date.now() + UPDATE_MS, () =>
      handle.executeUpdate<OnboardingState, [KybCommand]>(command.action, { args: [command], updateId }),
    );
    return { outcome: 'DONE', status: done.status };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { outcome: 'NOT_RUNNING' };
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return { outcome: 'UNKNOWN' };
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
      const { type } = error.cause;
      if (type === 'AcceptedUpdateCompletedWorkflow') return { outcome: 'NOT_RUNNING' };
      return { outcome: 'REFUSED', reason: type ?? 'STATE_CONFLICT' };
    }
    throw error;
  }
}
