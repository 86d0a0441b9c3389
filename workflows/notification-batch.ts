import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { startChild } from '@temporalio/workflow';
import type { FailedDelivery } from '../activities/partner/notifier.ts';
import { activitiesFor } from './activity-options.ts';
import { keyword } from './keyword.ts';
import { notificationDelivery } from './notification-delivery.ts';

export interface NotificationBatchInput {
  readonly batchId: string;
}

export interface NotificationBatchResult {
  readonly delivered: number;
  /** Handed on to workflows of their own. */
  readonly retrying: number;
  readonly dead: number;
}

/** Tries each row of a batch once and hands every failed one on (partner-integrations 12). */
export async function notificationBatch(input: NotificationBatchInput): Promise<NotificationBatchResult> {
  const { delivered, dead, failed } = await activitiesFor('batch').sendBatch({ batchId: input.batchId });
  await Promise.all(failed.map(retryOnItsOwn));
  return { delivered, retrying: failed.length, dead };
}

async function retryOnItsOwn(failed: FailedDelivery): Promise<void> {
  try {
    await startChild(notificationDelivery, {
      workflowId: `notification-delivery:${failed.deliveryId}`,
      args: [{ deliveryId: failed.deliveryId, delayMs: failed.delayMs }],
      // The batch is over once they run; it must not take them along.
      parentClosePolicy: 'ABANDON',
      typedSearchAttributes: [
        keyword('PartnerId', String(failed.partnerId)),
        keyword('ProgrammeId', String(failed.programmeId)),
        keyword('Operation', failed.operation),
        keyword('DeliveryStage', 'RETRYING'),
      ],
    });
  } catch (error) {
    // Somebody asked for a resend meanwhile: the delivery is driven already.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
