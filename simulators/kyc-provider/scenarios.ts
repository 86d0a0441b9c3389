import type { Scenario } from './scenario.ts';
import type { State } from './state.ts';

/** The scenario for one person: its own members, below them those of the default scenario. */
export function scenarioFor(state: State, externalId: string): Scenario {
  return { ...state.scenarios.get('default'), ...state.scenarios.get(externalId) };
}

/** Takes one failure of this call out of the scenario that orders it; null: the call does not fail. */
export function takeFailure(state: State, externalId: string, call: string): number | null {
  for (const id of [externalId, 'default']) {
    const scenario = state.scenarios.get(id);
    if (scenario?.fail?.call !== call) continue;
    const { fail, ...rest } = scenario;
    const left = fail.times - 1;
    state.scenarios.set(id, left > 0 ? { ...rest, fail: { ...fail, times: left } } : rest);
    return fail.status;
  }
  return null;
}
