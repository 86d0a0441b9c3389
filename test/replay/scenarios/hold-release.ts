import { ApplicationFailure } from '@temporalio/common';
import { begin, neverEnds, type Scenario, type Stage, untilItEnds, untilItWaits } from '../scenario.ts';

/** Paths of `hold-release`. */
export const holdReleaseScenarios: readonly Scenario[] = [
  {
    workflow: 'hold-release',
    path: 'released-at-second-try',
    activities: { releaseHold: undecidedOnce() },
    play: async (stage) => await untilItEnds(await start(stage, 1)),
  },
  {
    workflow: 'hold-release',
    path: 'nothing-held',
    activities: { releaseHold: async () => ({ result: 'NOTHING_HELD' }) },
    play: async (stage) => await untilItEnds(await start(stage, 2)),
  },
  {
    workflow: 'hold-release',
    path: 'in-flight-releasing',
    activities: { releaseHold: neverEnds },
    play: async (stage) => await untilItWaits(await start(stage, 3), 'ACTIVITY'),
  },
];

const start = (stage: Stage, n: number) =>
  begin(stage, 'holdRelease', `hold-release:${n}`, {
    transactionId: `t${n}`,
    amount: null,
    reason: 'merchant closed',
    operatorId: 'ada',
    requestId: `r${n}`,
  });

function undecidedOnce() {
  let undecided = true;
  return async () => {
    if (!undecided) return { result: 'RELEASED', amount: 100, state: 'REVERSED' } as const;
    undecided = false;
    throw ApplicationFailure.create({ type: 'HOLD_UNDECIDED', category: 'BENIGN', nextRetryDelay: 10 });
  };
}
