import { setTimeout as sleep } from 'node:timers/promises';
import type { LastChecks, Scenario } from './file.ts';
import type { CheckReport, RunReport, StepReport } from './report.ts';
import { prepare } from './setup.ts';
import { runStep, type Progress } from './step.ts';
import type { Readers, Subject } from './subjects.ts';
import { compareSubject, lastRecords } from './subjects.ts';
import type { ScenarioWorld } from './world.ts';
import { StepFailed } from './world.ts';

/** How long `finally` waits for what arrives by itself, notifications for example. */
const FINALLY_WITHIN_MS = 10_000;
const POLL_MS = 100;

/**
 * Plays a scenario from its setup to its last checks. The first step that fails ends it; the rest is SKIPPED.
 * Faults, clock and configuration are as before afterwards. Never throws for what a scenario does.
 */
export async function runScenario(
  scenario: Scenario,
  run: { readonly runId: string; readonly seed: number },
  world: ScenarioWorld,
): Promise<RunReport> {
  const startedAt = performance.now();
  const giveSeedBack = world.borrowSeed(run.seed);
  const putBack = await rememberSettings(world);
  const steps: StepReport[] = [];
  let last: readonly CheckReport[] = [];
  const faultIds: string[] = [];
  try {
    const readers = await begin(scenario, world, steps);
    if (readers !== null) {
      const facts: Record<string, unknown> = { ...readers.cast };
      const progress: Progress = { readers, facts, transactions: new Map(), faultIds };
      for (const step of scenario.steps) {
        const failed = steps.some((one) => one.outcome === 'FAILED');
        if (failed) steps.push(skipped(step.id, step.word));
        else steps.push(...(await runStep(step, progress)));
      }
      last = await checkAtLast(scenario.last, progress);
    }
  } finally {
    for (const faultId of faultIds) await world.control('DELETE', `/simulator/faults/${faultId}`);
    await putBack();
    giveSeedBack();
  }
  const failed = [...steps, ...last].some((one) => one.outcome === 'FAILED');
  return {
    ...run,
    name: scenario.name,
    state: failed ? 'FAILED' : 'PASSED',
    steps,
    finally: last,
    ms: Math.round(performance.now() - startedAt),
  };
}

/** Does the setup; null when it failed, which `steps` then tells. */
async function begin(scenario: Scenario, world: ScenarioWorld, steps: StepReport[]): Promise<Readers | null> {
  const startedAt = performance.now();
  try {
    const since = await lastRecords(world);
    const cast = scenario.setup === null ? null : await prepare(world, scenario.setup);
    return { world, cast, since };
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    steps.push({
      ...skipped(null, 'setup'),
      outcome: 'FAILED',
      sent: scenario.setup,
      error: error instanceof StepFailed ? why : `the setup broke: ${why}`,
      ms: Math.round(performance.now() - startedAt),
    });
    return null;
  }
}

const skipped = (id: string | null, word: string): StepReport => ({
  id,
  word,
  outcome: 'SKIPPED',
  sent: null,
  got: null,
  expected: null,
  differences: [],
  error: null,
  ms: 0,
});

async function checkAtLast(last: LastChecks, progress: Progress): Promise<CheckReport[]> {
  const checks: CheckReport[] = [];
  if (last.openFaults !== undefined) checks.push(await checkFaults(last.openFaults, progress));
  for (const subject of ['balance', 'notifications', 'partnerCalls'] as const) {
    if (last[subject] !== undefined) checks.push(await checkSubject(subject, last[subject], progress));
  }
  if (last.ledgerZeroSum !== undefined) {
    const error = 'the simulator has no ledger: cardloom simulate checks it';
    checks.push({ check: 'ledgerZeroSum', outcome: 'SKIPPED', got: null, differences: [], error });
  }
  return checks;
}

/** How many of the faults that the run put up have not hit as often as they should. */
async function checkFaults(expected: number, { readers, faultIds }: Progress): Promise<CheckReport> {
  const { body } = await readers.world.control('GET', '/simulator/faults');
  const { items } = body as { items: readonly { faultId: string }[] };
  const got = items.filter(({ faultId }) => faultIds.includes(faultId)).length;
  const found = got === expected ? [] : [{ path: 'openFaults', expected, got }];
  return { check: 'openFaults', outcome: outcomeOf(found), got, differences: found, error: null };
}

async function checkSubject(subject: Subject, expected: unknown, progress: Progress): Promise<CheckReport> {
  const deadlineMs = performance.now() + FINALLY_WITHIN_MS;
  try {
    for (;;) {
      const { got, differences } = await compareSubject(progress.readers, subject, expected, null);
      if (differences.length === 0 || performance.now() >= deadlineMs) {
        return { check: subject, outcome: outcomeOf(differences), got, differences, error: null };
      }
      await sleep(POLL_MS);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    return { check: subject, outcome: 'FAILED', got: null, differences: [], error: why };
  }
}

const outcomeOf = (found: readonly unknown[]) => (found.length === 0 ? 'PASSED' : 'FAILED');

/** Remembers stand-in, automatic clearing and clock; the returned function sets them again where they changed. */
async function rememberSettings(world: ScenarioWorld): Promise<() => Promise<void>> {
  const config = async () => {
    const { standIn, autoClearing } = (await world.control('GET', '/simulator/config')).body as Record<
      string,
      unknown
    >;
    return { standIn, autoClearing };
  };
  const clockMode = async () =>
    ((await world.control('GET', '/simulator/clock')).body as { mode: string }).mode;
  const before = { config: await config(), clock: await clockMode() };
  return async () => {
    const now = await config();
    if (JSON.stringify(now) !== JSON.stringify(before.config)) {
      await world.control('PUT', '/simulator/config', before.config);
    }
    if (before.clock === 'real' && (await clockMode()) !== 'real') {
      await world.control('PUT', '/simulator/clock', { mode: 'real' });
    }
  };
}
