import { begin, neverEnds, type Scenario, untilItEnds, untilItWaits } from '../scenario.ts';

/** Paths of `reconciliation`. */
export const reconciliationScenarios: readonly Scenario[] = [
  {
    workflow: 'reconciliation',
    path: 'no-difference',
    activities: { reconcile: async () => ({ job: 'ledger', ok: true, invariants: [] }) },
    play: async (stage) =>
      await untilItEnds(await begin(stage, 'reconciliation', 'reconciliation:1', { job: 'ledger' })),
  },
  {
    workflow: 'reconciliation',
    path: 'differences',
    activities: { reconcile: async () => ({ job: 'holds', ok: false, invariants: ['I4', 'I5'] }) },
    play: async (stage) =>
      await untilItEnds(await begin(stage, 'reconciliation', 'reconciliation:2', { job: 'holds' })),
  },
  {
    workflow: 'reconciliation',
    path: 'in-flight-reading',
    activities: { reconcile: neverEnds },
    play: async (stage) =>
      await untilItWaits(
        await begin(stage, 'reconciliation', 'reconciliation:3', { job: 'ledger-full' }),
        'ACTIVITY',
      ),
  },
];
