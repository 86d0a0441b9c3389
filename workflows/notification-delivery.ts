import {
  allHandlersFinished,
  condition,
  defineSignal,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { activitiesFor } from './activity-options.ts';
import { keyword } from './keyword.ts';

export interface NotificationDeliveryInput {
  readonly deliveryId: string;
  /** Pause before the first attempt of this run. */
  readonly delayMs: number;
}

export type NotificationDeliveryResult = 'DELIVERED' | 'DEAD' | 'CANCELLED';

/** Send now: an operator or the partner asks for it. */
export const wake = defineSignal('wake');
/** Send no more; who cancels has closed the row. */
export const cancel = defineSignal('cancel');

/** Sends one failed delivery again until it is accepted or out of resends (partner-integrations 7.2, 12). */
export async function notificationDelivery(
  input: NotificationDeliveryInput,
): Promise<NotificationDeliveryResult> {
  const { deliveryId } = input;
  const run = { woken: false, cancelled: false, delayMs: input.delayMs };
  setHandler(wake, () => void (run.woken = true));
  setHandler(cancel, () => void (run.cancelled = true));
  const { attemptDelivery } = activitiesFor('attempt');

  const result = await untilSettled();
  if (result === 'DEAD') upsertSearchAttributes([keyword('DeliveryStage', 'DEAD')]);
  await condition(allHandlersFinished);
  return result;

  async function untilSettled(): Promise<NotificationDeliveryResult> {
    for (;;) {
      await condition(() => run.woken || run.cancelled, run.delayMs);
      if (run.cancelled) return 'CANCELLED';
      const manual = run.woken;
      run.woken = false;
      const fate = await attemptDelivery({ deliveryId, manual });
      if (fate.status !== 'RETRYING') return fate.status;
      run.delayMs = fate.delayMs;
      setCurrentDetails(`**RETRYING**, next attempt after ${fate.delayMs} ms`);
    }
  }
}
