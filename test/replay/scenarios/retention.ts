import { begin, neverEnds, type Scenario, untilItEnds, untilItWaits } from '../scenario.ts';

/** Paths of `retention`. */
export const retentionScenarios: readonly Scenario[] = [
  {
    workflow: 'retention',
    path: 'some-of-everything',
    activities: {
      deleteDueFiles: async ({ kind }) => (kind === 'import' ? 3 : 1),
      shredKybApplications: async () => 2,
      purgeDeliveryBodies: async () => 4000,
      forgetIdempotencyKeys: async () => 12_000,
    },
    play: async (stage) => await untilItEnds(await begin(stage, 'retention', 'retention:1')),
  },
  {
    workflow: 'retention',
    path: 'in-flight-deleting-files',
    activities: {
      deleteDueFiles: neverEnds,
      shredKybApplications: async () => 0,
      purgeDeliveryBodies: async () => 0,
      forgetIdempotencyKeys: async () => 0,
    },
    play: async (stage) => await untilItWaits(await begin(stage, 'retention', 'retention:2'), 'ACTIVITY'),
  },
];
