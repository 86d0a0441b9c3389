import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exitCode } from '../../cli/exit-code.ts';
import { junitOf, type Played } from '../../cli/operate/junit.ts';
import { isScenarioFile, playScenarios } from '../../cli/operate/scenario.ts';
import type { CommandIo } from '../../cli/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'scenario-'));

afterAll(() => rmSync(folder, { recursive: true }));

const passed = { outcome: 'PASSED', differences: [], error: null } as const;
const played: Played = {
  name: 'a<b',
  ms: 1_234,
  steps: [
    { ...passed, id: 'pay', word: 'authorize', ms: 20 },
    {
      id: null,
      word: 'clear',
      ms: 5,
      outcome: 'FAILED',
      error: null,
      differences: [{ path: 'balance.posted', expected: 1, got: '"&"' }],
    },
    { ...passed, outcome: 'SKIPPED', id: null, word: 'refund', ms: 0 },
  ],
  finally: [{ ...passed, outcome: 'FAILED', check: 'ledgerZeroSum', error: 'broken \u0000' }],
};

describe('the test report of scenarios', () => {
  it('counts and names each step, and says what differs', () => {
    const xml = junitOf([played]);
    expect(xml).toContain(
      '<testsuite name="a&lt;b" tests="4" failures="2" errors="0" skipped="1" time="1.234">',
    );
    expect(xml).toContain('<testcase classname="a&lt;b" name="1 authorize pay" time="0.020"/>');
    expect(xml).toContain('balance.posted: expected 1, got &quot;\\&quot;&amp;\\&quot;&quot;</failure>');
    expect(xml).toContain('<testcase classname="a&lt;b" name="3 refund" time="0.000"><skipped/></testcase>');
    expect(xml).toContain('<failure message="broken ?">');
  });
});

describe('scenario files on the command line', () => {
  const io: CommandIo = {
    out: () => undefined,
    err: () => undefined,
    json: false,
    environment: { CARDLOOM_DATA_DIR: folder },
    projectDir: folder,
  };

  it('are known by their ending', () => {
    const given = ['a.yaml', 'dir/b.yml', 'purchase', '--junit', '--x.yaml', 'out.xml'];
    expect(given.filter(isScenarioFile)).toEqual(['a.yaml', 'dir/b.yml']);
  });

  it('that cannot be read give exit code 2, and a wrong option 64', async () => {
    await expect(playScenarios([join(folder, 'none.yaml')], io)).rejects.toMatchObject({
      code: exitCode.badFile,
    });
    expect(exitCode.badFile).toBe(2);
    const file = join(folder, 'a.yaml');
    writeFileSync(file, 'name: a\nsteps: [{ wait: 1ms }]\n');
    await expect(playScenarios([file, '--seed', 'x'], io)).rejects.toMatchObject({ code: exitCode.usage });
    await expect(playScenarios([file, '--sed', '7'], io)).rejects.toMatchObject({ code: exitCode.usage });
  });

  it('need a running stack', async () => {
    const file = join(folder, 'b.yaml');
    writeFileSync(file, 'name: b\nsteps: [{ wait: 1ms }]\n');
    await expect(playScenarios([file], io)).rejects.toMatchObject({ code: exitCode.failed });
  });
});
