import { begin, neverEnds, type Scenario, untilItEnds, untilItWaits } from '../scenario.ts';

const FAILED = { partnerId: 1, programmeId: 1, operation: 'cardLocked', delayMs: 60_000 };

/** Paths of `notification-batch` and `notification-delivery`. */
export const notificationScenarios: readonly Scenario[] = [
  {
    workflow: 'notification-batch',
    path: 'all-delivered',
    activities: { sendBatch: async () => ({ delivered: 3, dead: 0, failed: [] }) },
    play: async (stage) =>
      await untilItEnds(await begin(stage, 'notificationBatch', 'batch-1', { batchId: 'b1' })),
  },
  {
    workflow: 'notification-batch',
    path: 'two-handed-on',
    activities: {
      sendBatch: async () => ({
        delivered: 1,
        dead: 0,
        failed: [
          { ...FAILED, deliveryId: 'handed-on-1' },
          { ...FAILED, deliveryId: 'handed-on-2' },
        ],
      }),
    },
    play: async (stage) =>
      await untilItEnds(await begin(stage, 'notificationBatch', 'batch-2', { batchId: 'b2' })),
  },
  {
    workflow: 'notification-batch',
    path: 'one-already-driven',
    activities: {
      sendBatch: async () => ({ delivered: 0, dead: 0, failed: [{ ...FAILED, deliveryId: 'driven' }] }),
    },
    async play(stage) {
      const resend = { deliveryId: 'driven', delayMs: 60_000 };
      await begin(stage, 'notificationDelivery', 'notification-delivery:driven', resend);
      return await untilItEnds(await begin(stage, 'notificationBatch', 'batch-3', { batchId: 'b3' }));
    },
  },
  {
    workflow: 'notification-batch',
    path: 'in-flight-sending',
    activities: { sendBatch: neverEnds },
    play: async (stage) =>
      await untilItWaits(await begin(stage, 'notificationBatch', 'batch-4', { batchId: 'b4' }), 'ACTIVITY'),
  },
  {
    workflow: 'notification-delivery',
    path: 'delivered-at-once',
    activities: { attemptDelivery: async () => ({ status: 'DELIVERED' }) },
    play: async (stage) =>
      await untilItEnds(
        await begin(stage, 'notificationDelivery', 'delivery-1', { deliveryId: 'd1', delayMs: 10 }),
      ),
  },
  {
    workflow: 'notification-delivery',
    path: 'delivered-at-third-attempt',
    activities: { attemptDelivery: failingTimes(2) },
    play: async (stage) =>
      await untilItEnds(
        await begin(stage, 'notificationDelivery', 'delivery-2', { deliveryId: 'd2', delayMs: 10 }),
      ),
  },
  {
    workflow: 'notification-delivery',
    path: 'dead',
    activities: { attemptDelivery: async () => ({ status: 'DEAD' }) },
    play: async (stage) =>
      await untilItEnds(
        await begin(stage, 'notificationDelivery', 'delivery-3', { deliveryId: 'd3', delayMs: 10 }),
      ),
  },
  {
    workflow: 'notification-delivery',
    path: 'woken-then-delivered',
    activities: { attemptDelivery: async () => ({ status: 'DELIVERED' }) },
    async play(stage) {
      const input = { deliveryId: 'd4', delayMs: 3_600_000 };
      const handle = await begin(stage, 'notificationDelivery', 'delivery-4', input);
      await untilItWaits(handle, 'TIMER');
      await handle.signal('wake');
      return await untilItEnds(handle);
    },
  },
  {
    workflow: 'notification-delivery',
    path: 'cancelled-by-signal',
    activities: {},
    async play(stage) {
      const input = { deliveryId: 'd5', delayMs: 3_600_000 };
      const handle = await begin(stage, 'notificationDelivery', 'delivery-5', input);
      await untilItWaits(handle, 'TIMER');
      await handle.signal('cancel');
      return await untilItEnds(handle);
    },
  },
  {
    workflow: 'notification-delivery',
    path: 'in-flight-waiting',
    activities: {},
    async play(stage) {
      const input = { deliveryId: 'd6', delayMs: 3_600_000 };
      return await untilItWaits(await begin(stage, 'notificationDelivery', 'delivery-6', input), 'TIMER');
    },
  },
  {
    workflow: 'notification-delivery',
    path: 'in-flight-attempting',
    activities: { attemptDelivery: neverEnds },
    async play(stage) {
      const input = { deliveryId: 'd7', delayMs: 10 };
      return await untilItWaits(await begin(stage, 'notificationDelivery', 'delivery-7', input), 'ACTIVITY');
    },
  },
];

function failingTimes(times: number) {
  let left = times;
  return async () => {
    left -= 1;
    return left < 0 ? ({ status: 'DELIVERED' } as const) : ({ status: 'RETRYING', delayMs: 10 } as const);
  };
}
