import { begin, neverEnds, type Scenario, type Stage, untilItEnds, untilItWaits } from '../scenario.ts';

const ROWS = 250;
const COUNTS = { created: 249, updated: 0, skipped: 0, failed: 1 };
const runs = async () => 'RUNNING' as const;

/** Paths of `user-import`. */
export const userImportScenarios: readonly Scenario[] = [
  {
    workflow: 'user-import',
    path: 'imported-in-two-steps',
    activities: {
      validateImport: runs,
      importChunk: chunks('GO_ON', 'GO_ON', 'DONE'),
      finishImport: async () => COUNTS,
    },
    play: async (stage) => await untilItEnds(await start(stage, 'I1')),
  },
  {
    workflow: 'user-import',
    path: 'not-a-file-of-users',
    activities: { validateImport: async () => 'FAILED' as const, finishImport: async () => COUNTS },
    play: async (stage) => await untilItEnds(await start(stage, 'I2')),
  },
  {
    workflow: 'user-import',
    path: 'cancelled',
    activities: {
      validateImport: runs,
      importChunk: chunks('GO_ON', 'CANCELLED'),
      finishImport: async () => COUNTS,
    },
    play: async (stage) => await untilItEnds(await start(stage, 'I3')),
  },
  {
    workflow: 'user-import',
    path: 'continued-in-a-new-run',
    activities: { importChunk: chunks('GO_ON', 'DONE'), finishImport: async () => COUNTS },
    play: async (stage) => await untilItEnds(await start(stage, 'I4', 50)),
  },
  {
    workflow: 'user-import',
    path: 'goes-on-in-a-new-run',
    activities: { validateImport: runs, importChunk: chunks(...Array<'GO_ON'>(50).fill('GO_ON')) },
    async play(stage) {
      const first = await start(stage, 'I5');
      const { client } = stage;
      await untilItWaits(client.workflow.getHandle('user-import:I5'), 'ACTIVITY');
      for (;;) {
        const { runId } = await client.workflow.getHandle('user-import:I5').describe();
        const firstRun = 'firstExecutionRunId' in first ? String(first.firstExecutionRunId) : '';
        if (runId !== firstRun) return client.workflow.getHandle('user-import:I5', firstRun);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  },
  {
    workflow: 'user-import',
    path: 'in-flight-validating',
    activities: { validateImport: neverEnds },
    play: async (stage) => await untilItWaits(await start(stage, 'I6'), 'ACTIVITY'),
  },
  {
    workflow: 'user-import',
    path: 'in-flight-importing',
    activities: { validateImport: runs, importChunk: neverEnds },
    async play(stage) {
      const handle = await start(stage, 'I7');
      for (;;) {
        await untilItWaits(handle, 'ACTIVITY');
        const { events } = await handle.fetchHistory();
        const scheduled = (events ?? []).filter((one) => one.activityTaskScheduledEventAttributes).length;
        if (scheduled === 2) return handle;
      }
    },
  },
];

const start = (stage: Stage, importId: string, fromChunk?: number) =>
  begin(stage, 'userImport', `user-import:${importId}`, {
    importId,
    ...(fromChunk === undefined ? {} : { fromChunk }),
  });

/** Answers one after the other; then it goes on for ever. */
function chunks(...outcomes: ('GO_ON' | 'DONE' | 'CANCELLED')[]) {
  const left = [...outcomes];
  let done = 0;
  return async () => {
    const outcome = left.shift();
    if (outcome === undefined) return await neverEnds();
    done = Math.min(ROWS, done + (outcome === 'GO_ON' ? 200 : 0));
    return { outcome, rows: ROWS, done };
  };
}
