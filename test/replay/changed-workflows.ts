/** Not the workflows: what somebody might turn them into without `patched()`. The replay test must notice. */
import { proxyActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { ClearingFileInput } from '../../workflows/clearing-file.ts';
import type { NotificationBatchInput } from '../../workflows/notification-batch.ts';
import type { NotificationDeliveryInput } from '../../workflows/notification-delivery.ts';
import type { ProcessorInstructionInput } from '../../workflows/processor-instruction.ts';

const { sendBatch, attemptDelivery, sendNextInstruction, postClearingBlocks } = proxyActivities<Activities>({
  startToCloseTimeout: '15s',
});

/** A pause was added before the first step. */
export async function notificationBatch({ batchId }: NotificationBatchInput): Promise<unknown> {
  await sleep(10);
  return await sendBatch({ batchId });
}

/** The pause before the first attempt was removed. */
export async function notificationDelivery({ deliveryId }: NotificationDeliveryInput): Promise<unknown> {
  return await attemptDelivery({ deliveryId, manual: false });
}

/** Another activity is called in its place. */
export async function processorInstruction({ cardId }: ProcessorInstructionInput): Promise<unknown> {
  await attemptDelivery({ deliveryId: String(cardId), manual: false });
  return await sendNextInstruction({ cardId });
}

/** A file is posted without having been fetched and checked. */
export async function clearingFile({ fileId }: ClearingFileInput): Promise<unknown> {
  return await postClearingBlocks({ fileId });
}
