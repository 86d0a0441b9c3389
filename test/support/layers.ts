import { globSync, readFileSync } from 'node:fs';

const LAYERS = ['unit', 'cli', 'simulators', 'replay', 'db', 'api', 'workflow'];
const NEED_TEMPORAL = ['workflow', 'e2e'];

/** True when the person has no Temporal server and says so. */
export const skipsTemporal = (): boolean => process.env['CARDLOOM_SKIP_TEMPORAL'] === '1';

/** The layers of this run that share its servers; the whole stack is a layer of its own. */
export const sharedLayers = (): string[] =>
  LAYERS.filter((name) => !skipsTemporal() || !NEED_TEMPORAL.includes(name));

/** What a run without Temporal ends with; null when nothing was left out. Tables of cases count as one test. */
export function skippedTests(): string | null {
  if (!skipsTemporal()) return null;
  const files = NEED_TEMPORAL.flatMap((name) => globSync(`test/${name}/**/*.test.ts`));
  const tests = files.flatMap(
    (file) => readFileSync(file, 'utf8').match(/^\s*(it|test)(\.each\b|\()/gm) ?? [],
  );
  return `skipped by CARDLOOM_SKIP_TEMPORAL: ${tests.length} tests of the layers ${NEED_TEMPORAL.join(' and ')}`;
}
