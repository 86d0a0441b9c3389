import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { runCardloom } from './cardloom.ts';

const environment = inject('stackEnvironment');
const shipped = fileURLToPath(new URL('../../simulators/processor/scenarios/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cardloom-scenarios-'));

afterAll(() => rmSync(folder, { recursive: true }));

describe('the shipped scenarios', () => {
  const files = readdirSync(shipped).sort();

  it.each(files)('%s goes as it says', { timeout: 120_000 }, async (file) => {
    const { code, output, errors } = await runCardloom(
      ['simulate', join(shipped, file), '--seed', '7'],
      environment,
    );
    expect(code, output + errors).toBe(0);
  });
});

describe('a scenario', () => {
  const file = join(folder, 'wrong.yaml');

  it('that fails gives exit code 1 and a test report', { timeout: 60_000 }, async () => {
    const setup = 'setup: { card: { configId: "0019167984" } }';
    const step = '{ authorize: { amount: 1, currency: EUR }, expect: { result: APPROVED } }';
    writeFileSync(file, `name: wrong\n${setup}\nsteps: [${step}]\n`);
    const junit = join(folder, 'out.xml');
    const { code, output } = await runCardloom(['simulate', file, '--junit', junit], environment);
    expect(code, output).toBe(1);
    expect(output).toContain('result: expected "APPROVED", got "DECLINED"');
    expect(readFileSync(junit, 'utf8')).toContain('<testsuite name="wrong" tests="1" failures="1"');
  });

  it('that is none gives exit code 2 and every fault', async () => {
    writeFileSync(file, 'name: Wrong\nsteps: [{ authorize: {} }, { fly: {} }]\n');
    const { code, errors } = await runCardloom(['simulate', file], environment);
    expect(code).toBe(2);
    expect(errors).toContain('name must be');
    expect(errors).toContain('steps[1] must have exactly one of');
  });
});
