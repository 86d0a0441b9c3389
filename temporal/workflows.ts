import {
  type Client,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, type SearchAttributePair, type WorkflowIdReusePolicy } from '@temporalio/common';
import { assertNever } from '../domain/errors.ts';
import { type HoldRelease, holdReleaseId, type HoldReleaseResult } from '../domain/hold-release.ts';
import type { WorkflowStart } from '../domain/event.ts';
import { type KybTimings, kybTimings } from '../domain/kyb-application.ts';
import type { ReviewDecision, VerificationStatus, VerificationTimings } from '../domain/verification.ts';
import type * as workflows from '../workflows/index.ts';
import { searchAttributes } from './search-attributes.ts';
import { WORKFLOW_QUEUE } from './task-queues.ts';

const CALL_MS = 5_000;
const UPDATE_MS = 3_000;
const RELEASE_MS = 10_000;

/** Ids of workflows: the name of what they are about, so that a second start finds the first. */
export const workflowIds = {
  notificationBatch: (batchId: string) => `notification-batch:${batchId}`,
  notificationDelivery: (deliveryId: string) => `notification-delivery:${deliveryId}`,
  customerVerification: (verificationId: string) => `customer-verification:${verificationId}`,
  clearingFile: (fileId: string) => `clearing-file:${fileId}`,
} as const;

/** Where workflows are started: a client, and in tests a queue of their own. */
export interface WorkflowTarget {
  readonly client: Client;
  readonly taskQueue?: string;
}

interface Owner {
  readonly partnerId: number;
  readonly programmeId?: number;
}

type WorkflowName = keyof typeof workflows;

interface Start<N extends WorkflowName> {
  readonly workflow: N;
  readonly id: string;
  readonly args: Parameters<(typeof workflows)[N]>;
  /** Null for what belongs to no partner. */
  readonly owner: Owner | null;
  readonly reuse: WorkflowIdReusePolicy;
  readonly attributes?: readonly SearchAttributePair[];
}

/** Starts the workflow of a claimed batch; a batch that runs or ran is left as it is. */
export async function startNotificationBatch(
  target: WorkflowTarget,
  batch: Owner & { readonly batchId: string },
): Promise<void> {
  await startOnce(target, {
    workflow: 'notificationBatch',
    id: workflowIds.notificationBatch(batch.batchId),
    args: [{ batchId: batch.batchId }],
    owner: batch,
    // A run that an operator terminated may be started again; its rows tell what is left to do.
    reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
    attributes: [{ key: searchAttributes.DeliveryStage, value: 'FIRST' }],
  });
}

/** Sends a delivery now: wakes its workflow, or starts one when none runs (manual resend). */
export async function resendDelivery(
  target: WorkflowTarget,
  delivery: Owner & { readonly deliveryId: string },
): Promise<void> {
  const { client, taskQueue = WORKFLOW_QUEUE } = target;
  await within(client, CALL_MS, () =>
    client.workflow.signalWithStart<typeof workflows.notificationDelivery>('notificationDelivery', {
      workflowId: workflowIds.notificationDelivery(delivery.deliveryId),
      taskQueue,
      args: [{ deliveryId: delivery.deliveryId, delayMs: 0 }],
      signal: 'wake',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      typedSearchAttributes: ownerAttributes(delivery),
    }),
  );
}

/** What a start from the outbox needs beside its row. */
export interface StartContext {
  /** Null for what belongs to no partner. */
  readonly owner: Owner | null;
  readonly verificationTimings: VerificationTimings;
  /** Without them the chapter's. */
  readonly kybTimings?: KybTimings;
}

/**
 * Starts or signals what an outbox row asks for, under the row's id; asked again, nothing more happens. Throws
 * gRPC errors of the client: `isTemporalAway` tells those that pass by themselves.
 */
export async function startFromOutbox(
  target: WorkflowTarget,
  start: WorkflowStart,
  context: StartContext,
): Promise<void> {
  const { client, taskQueue = WORKFLOW_QUEUE } = target;
  const { owner } = context;
  switch (start.workflow) {
    case 'customer-verification':
      return await startOnce(target, {
        workflow: 'customerVerification',
        id: start.id,
        args: [{ ...start.input, timings: context.verificationTimings }],
        owner,
        reuse: 'REJECT_DUPLICATE',
      });
    case 'external-verification':
      return await startOnce(target, {
        workflow: 'externalVerification',
        id: start.id,
        args: [start.input],
        owner,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
      });
    case 'employee-screening':
      return await startOnce(target, {
        workflow: 'employeeScreening',
        id: start.id,
        args: [start.input],
        owner,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
      });
    case 'processor-instruction':
      await within(client, CALL_MS, () =>
        client.workflow.signalWithStart<typeof workflows.processorInstruction>('processorInstruction', {
          workflowId: start.id,
          taskQueue,
          args: [start.input],
          signal: 'instructionWaiting',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          typedSearchAttributes: [
            ...ownerAttributes(owner),
            { key: searchAttributes.SubjectId, value: String(start.input.cardId) },
          ],
        }),
      );
      return;
    case 'hold-release':
      return await startOnce(target, {
        workflow: 'holdRelease',
        id: start.id,
        args: [start.input],
        owner,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
        attributes: [{ key: searchAttributes.SubjectId, value: start.input.transactionId }],
      });
    case 'clearing-file':
      return await startOnce(target, {
        workflow: 'clearingFile',
        id: start.id,
        args: [start.input],
        owner,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
        attributes: [{ key: searchAttributes.SubjectId, value: start.input.fileId }],
      });
    case 'user-import':
      return await startOnce(target, {
        workflow: 'userImport',
        id: start.id,
        args: [start.input],
        owner,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
      });
    case 'customer-removal':
      return await startOnce(target, {
        workflow: 'customerRemoval',
        id: start.id,
        args: [start.input],
        owner,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
      });
    case 'corporation-removal':
      return await startOnce(target, {
        workflow: 'corporationRemoval',
        id: start.id,
        args: [start.input],
        owner,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
      });
    case 'corporation-screening':
      return await startOnce(target, {
        workflow: 'corporationScreening',
        id: start.id,
        args: [start.input],
        owner,
        reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
      });
    case 'corporation-onboarding':
      return await startOnce(target, {
        workflow: 'corporationOnboarding',
        id: start.id,
        args: [
          {
            ...start.input,
            timings: context.kybTimings ?? kybTimings(),
            checkTimings: context.verificationTimings,
          },
        ],
        owner,
        reuse: 'REJECT_DUPLICATE',
      });
    case 'kyb-submitted':
      return await tellIfRunning(client, start.id, 'submitted', start.input);
    case 'kyb-touched':
      return await tellIfRunning(client, start.id, 'touched', {});
    case 'kyb-hit-decided':
      return await tellIfRunning(client, start.id, 'hitDecided', start.input);
    case 'provider-result':
      return await tellIfRunning(client, start.id, 'providerResult', {
        eventId: start.input.eventId,
        checkId: start.input.checkId,
      });
    case 'hit-decided':
      return await tellIfRunning(client, start.id, 'hitDecided', start.input);
    case 'verification-close':
      return await tellIfRunning(client, start.id, 'close', {});
    case 'rescreening':
      return await startOnce(target, {
        workflow: 'rescreening',
        id: start.id,
        args: [{}],
        owner: null,
        reuse: 'REJECT_DUPLICATE',
        attributes: [{ key: searchAttributes.SubjectId, value: start.input.listVersionId }],
      });
    default:
      return assertNever(start);
  }
}

export type DecisionAnswer =
  | { readonly outcome: 'DECIDED'; readonly status: VerificationStatus }
  /** `NOT_IN_REVIEW`, `REASON_REQUIRED`, `REASON_NOT_ALLOWED`. */
  | { readonly outcome: 'REFUSED'; readonly reason: string }
  | { readonly outcome: 'NOT_RUNNING' }
  /** No answer in time: the decision may still take effect; asked again with the same id it is not taken twice. */
  | { readonly outcome: 'UNKNOWN' };

/**
 * A person's decision on a verification in review. `updateId` is the caller's idempotency key. Throws when
 * Temporal refuses for another reason than the case itself.
 */
export async function decideVerification(
  target: WorkflowTarget,
  verificationId: string,
  decision: ReviewDecision,
  updateId: string,
): Promise<DecisionAnswer> {
  const { client } = target;
  const handle = client.workflow.getHandle(workflowIds.customerVerification(verificationId));
  try {
    const decided = await within(client, UPDATE_MS, () =>
      handle.executeUpdate<{ status: VerificationStatus }, [ReviewDecision]>('decide', {
        args: [decision],
        updateId,
      }),
    );
    return { outcome: 'DECIDED', status: decided.status };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { outcome: 'NOT_RUNNING' };
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return { outcome: 'UNKNOWN' };
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
      const { type } = error.cause;
      // The case was decided by somebody else while this decision was on its way.
      if (type === 'AcceptedUpdateCompletedWorkflow') return { outcome: 'NOT_RUNNING' };
      return { outcome: 'REFUSED', reason: type ?? 'REFUSED' };
    }
    throw error;
  }
}

/** Runs an operator's release of a hold and waits for what it came to; null when no worker answers in time. */
export async function releaseHold(
  target: WorkflowTarget,
  release: HoldRelease,
): Promise<HoldReleaseResult | null> {
  const { client, taskQueue = WORKFLOW_QUEUE } = target;
  const handle = await within(client, CALL_MS, () =>
    client.workflow.start<typeof workflows.holdRelease>('holdRelease', {
      workflowId: holdReleaseId(release),
      taskQueue,
      args: [release],
      typedSearchAttributes: [{ key: searchAttributes.SubjectId, value: release.transactionId }],
    }),
  );
  try {
    return await within(client, RELEASE_MS, () => handle.result());
  } catch (error) {
    if (isTemporalAway(error)) return null;
    throw error;
  }
}

/** INVALID_ARGUMENT, the one gRPC status that blames the call itself. */
const INVALID_ARGUMENT = 3;

/** True for faults of the server or the way to it: the same call may succeed later. */
export function isTemporalAway(error: unknown): boolean {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  return isGrpcServiceError(cause) && cause.code !== INVALID_ARGUMENT;
}

async function startOnce<N extends WorkflowName>(target: WorkflowTarget, start: Start<N>): Promise<void> {
  const { client, taskQueue = WORKFLOW_QUEUE } = target;
  try {
    await within(client, CALL_MS, () =>
      client.workflow.start(start.workflow as string, {
        workflowId: start.id,
        taskQueue,
        args: [...start.args],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: start.reuse,
        typedSearchAttributes: [...ownerAttributes(start.owner), ...(start.attributes ?? [])],
      }),
    );
  } catch (error) {
    // It ran to its end already; that is what a second start is for.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

async function tellIfRunning(client: Client, id: string, signal: string, message: object): Promise<void> {
  try {
    await within(client, CALL_MS, () => client.workflow.getHandle(id).signal(signal, message));
  } catch (error) {
    // Nobody waits any more: the case was decided before the report came.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

const within = <T>(client: Client, ms: number, call: () => Promise<T>): Promise<T> =>
  client.withDeadline(Date.now() + ms, call);

function ownerAttributes(owner: Owner | null): SearchAttributePair[] {
  if (owner === null) return [];
  const { partnerId, programmeId } = owner;
  return [
    { key: searchAttributes.PartnerId, value: String(partnerId) },
    ...(programmeId === undefined ? [] : [{ key: searchAttributes.ProgrammeId, value: String(programmeId) }]),
  ];
}
