import { ApplicationFailure } from '@temporalio/common';
import { begin, neverEnds, type Scenario, type Stage, untilItEnds, untilItWaits } from '../scenario.ts';

const goesOn = async () => 'GO_ON' as const;
const ends = async () => 'ENDED' as const;
const REPORT = { posted: 25_000, duplicates: 0, quarantined: 1 };

/** Paths of `clearing-file`. */
export const clearingFileScenarios: readonly Scenario[] = [
  {
    workflow: 'clearing-file',
    path: 'posted-in-three-steps',
    activities: {
      fetchClearingFile: goesOn,
      checkClearingFile: goesOn,
      postClearingBlocks: posting(10_000, 20_000, 25_001),
      finishClearingFile: async () => REPORT,
      reconcile: async () => ({ job: 'clearing', ok: true, invariants: [] }),
    },
    play: async (stage) => await untilItEnds(await start(stage, 'F1')),
  },
  {
    workflow: 'clearing-file',
    path: 'duplicate-file',
    activities: { fetchClearingFile: ends },
    play: async (stage) => await untilItEnds(await start(stage, 'F2')),
  },
  {
    workflow: 'clearing-file',
    path: 'rejected',
    activities: { fetchClearingFile: goesOn, checkClearingFile: ends },
    play: async (stage) => await untilItEnds(await start(stage, 'F3')),
  },
  {
    workflow: 'clearing-file',
    path: 'fetched-at-second-try',
    activities: {
      fetchClearingFile: awayOnce(),
      checkClearingFile: goesOn,
      postClearingBlocks: posting(25_001),
      finishClearingFile: async () => REPORT,
      reconcile: async () => ({ job: 'clearing', ok: true, invariants: [] }),
    },
    play: async (stage) => await untilItEnds(await start(stage, 'F4')),
  },
  {
    workflow: 'clearing-file',
    path: 'in-flight-fetching',
    activities: { fetchClearingFile: neverEnds },
    play: async (stage) => await untilItWaits(await start(stage, 'F5'), 'ACTIVITY'),
  },
  {
    workflow: 'clearing-file',
    path: 'in-flight-checking',
    activities: { fetchClearingFile: goesOn, checkClearingFile: neverEnds },
    play: async (stage) => await untilItWaits(await start(stage, 'F6'), 'ACTIVITY'),
  },
  {
    workflow: 'clearing-file',
    path: 'in-flight-posting',
    activities: {
      fetchClearingFile: goesOn,
      checkClearingFile: goesOn,
      postClearingBlocks: posting(10_000, 'NEVER'),
    },
    async play(stage) {
      const handle = await start(stage, 'F7');
      for (;;) {
        await untilItWaits(handle, 'ACTIVITY');
        const { events } = await handle.fetchHistory();
        const scheduled = (events ?? []).filter((one) => one.activityTaskScheduledEventAttributes).length;
        if (scheduled === 4) return handle;
      }
    },
  },
];

const start = (stage: Stage, fileId: string) =>
  begin(stage, 'clearingFile', `clearing-file:${fileId}`, { fileId });

function posting(...done: (number | 'NEVER')[]) {
  const left = [...done];
  return async () => {
    const now = left.shift();
    return now === undefined || now === 'NEVER' ? await neverEnds() : { records: 25_001, done: now };
  };
}

function awayOnce() {
  let away = true;
  return async () => {
    if (!away) return 'GO_ON' as const;
    away = false;
    throw ApplicationFailure.create({ type: 'PROCESSOR_AWAY', category: 'BENIGN', nextRetryDelay: 10 });
  };
}
