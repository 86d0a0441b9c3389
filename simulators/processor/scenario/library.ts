import { readdirSync, readFileSync } from 'node:fs';
import type { Scenarios } from '../store/scenarios.ts';
import type { Scenario } from './file.ts';
import { readScenario } from './file.ts';

const SHIPPED = new URL('../scenarios/', import.meta.url);

/** The scenarios that can be run: those shipped with the simulator, and those added to it. */
export interface Library {
  find(name: string): Scenario | null;
  list(): readonly { readonly name: string; readonly source: 'shipped' | 'added'; readonly steps: number }[];
}

/** The shipped files are read once; an added scenario hides a shipped one of the same name. */
export function openLibrary(added: Scenarios): Library {
  const shipped = new Map(readShipped().map((one) => [one.name, one]));
  const parse = (text: string | null): Scenario | null => {
    const outcome = text === null ? null : readScenario(text);
    return outcome !== null && 'scenario' in outcome ? outcome.scenario : null;
  };
  return {
    find: (name) => parse(added.find(name)) ?? shipped.get(name) ?? null,
    list: () => {
      const own = added.all().flatMap(({ text }) => parse(text) ?? []);
      const names = new Set(own.map((one) => one.name));
      const theirs = [...shipped.values()].filter((one) => !names.has(one.name));
      return [
        ...theirs.map((one) => ({ name: one.name, source: 'shipped' as const, steps: one.steps.length })),
        ...own.map((one) => ({ name: one.name, source: 'added' as const, steps: one.steps.length })),
      ].sort((one, other) => one.name.localeCompare(other.name));
    },
  };
}

/** Reads every shipped file. Throws when one is no scenario: that is a defect of ours. */
function readShipped(): Scenario[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => {
      const outcome = readScenario(readFileSync(new URL(file, SHIPPED), 'utf8'));
      if ('scenario' in outcome) return outcome.scenario;
      throw new Error(`${file}: ${outcome.faults.map((one) => `${one.field} ${one.message}`).join('; ')}`);
    });
}
