import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Scenario } from './file.ts';
import type { RunReport } from './report.ts';
import { runScenario } from './run.ts';
import type { ScenarioWorld } from './world.ts';

const KEPT_RUNS = 200;

/** Runs of scenarios, one after the other: they share seed, faults and clock of the simulator. */
export interface Runs {
  /** Puts a run into the queue; tells its id. */
  start(scenario: Scenario, seed: number): string;
  find(runId: string): RunReport | null;
}

/** Runs kept in memory, the newest 200. */
export function createRuns(world: ScenarioWorld, logger: Logger): Runs {
  const reports = new Map<string, RunReport>();
  let queue: Promise<void> = Promise.resolve();
  return {
    start: (scenario, seed) => {
      const run = { runId: randomUUID(), seed };
      const report = { ...run, name: scenario.name, steps: [], finally: [], ms: 0 };
      reports.set(run.runId, { ...report, state: 'QUEUED' });
      const [oldest] = reports.keys();
      if (reports.size > KEPT_RUNS && oldest !== undefined) reports.delete(oldest);
      queue = queue.then(async () => {
        reports.set(run.runId, { ...report, state: 'RUNNING' });
        try {
          reports.set(run.runId, await runScenario(scenario, run, world));
        } catch (error) {
          logger.error({ err: error, scenario: scenario.name }, 'a scenario broke');
          reports.set(run.runId, { ...report, state: 'FAILED' });
        }
      });
      return run.runId;
    },
    find: (runId) => reports.get(runId) ?? null,
  };
}
