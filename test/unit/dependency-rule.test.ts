import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const project = resolve(import.meta.dirname, '../..');
// Below node_modules, so that the cruiser finds TypeScript from there.
const cache = join(project, 'node_modules/.cache');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Names of the rules that a small tree breaks, under the project's own rules. */
async function brokenRules(files: Readonly<Record<string, string>>): Promise<string[]> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'rule-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    '{"compilerOptions":{"module":"NodeNext","allowImportingTsExtensions":true}}',
  );
  const depcruise = join(project, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = ['--config', join(project, '.dependency-cruiser.cjs'), '--output-type', 'json', '.'];
  const { stdout } = await run(process.execPath, [depcruise, ...args], {
    cwd: folder,
    maxBuffer: 1 << 26,
  }).catch((error: { stdout: string }) => error);
  const result = JSON.parse(stdout) as {
    summary: { totalCruised: number; violations: { rule: { name: string } }[] };
  };
  expect(result.summary.totalCruised).toBeGreaterThanOrEqual(Object.keys(files).length);
  return result.summary.violations.map((one) => one.rule.name);
}

const ONE = 'export const one = 1;\n';

describe('the dependency rule', () => {
  it('accepts db importing domain', async () => {
    expect(
      await brokenRules({
        'domain/a.ts': ONE,
        'db/b.ts': "import { one } from '../domain/a.ts';\nexport const two = one;\n",
      }),
    ).toEqual([]);
  });

  it('notices domain importing db', async () => {
    expect(
      await brokenRules({
        'db/b.ts': ONE,
        'domain/a.ts': "import { one } from '../db/b.ts';\nexport const two = one;\n",
      }),
    ).toContain('domain-imports');
  });

  it('notices domain importing a built-in', async () => {
    expect(
      await brokenRules({
        'domain/a.ts': "import { join } from 'node:path';\nexport const two = join('a');\n",
      }),
    ).toContain('domain-is-pure');
  });

  it('notices one channel importing another', async () => {
    expect(
      await brokenRules({
        'api/secure/a.ts': ONE,
        'api/lifecycle/b.ts': "import { one } from '../secure/a.ts';\nexport const two = one;\n",
      }),
    ).toContain('channel-lifecycle-apart');
  });

  it('notices a workflow that imports an activity for more than its type', async () => {
    expect(
      await brokenRules({
        'activities/index.ts': ONE,
        'workflows/a.ts': "import { one } from '../activities/index.ts';\nexport const two = one;\n",
      }),
    ).toContain('workflows-see-activities-as-types');
  });

  it('notices a simulator that knows the product', async () => {
    expect(
      await brokenRules({
        'domain/a.ts': ONE,
        'simulators/inbox/b.ts': "import { one } from '../../domain/a.ts';\nexport const two = one;\n",
      }),
    ).toContain('simulators-imports');
  });

  it('notices a cycle, also one of types only', async () => {
    expect(
      await brokenRules({
        'domain/a.ts': "import type { B } from './b.ts';\nexport type A = B | 1;\n",
        'domain/b.ts': "import type { A } from './a.ts';\nexport type B = A | 2;\n",
      }),
    ).toContain('no-cycle');
  });
});
