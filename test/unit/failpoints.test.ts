import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { armFailpoints, failpoint, failpointFault, FailpointReached } from '../../db/failpoints.ts';

afterEach(() => armFailpoints(''));

describe('failpoints', () => {
  it('do nothing unless they are armed', async () => {
    armFailpoints('clearing.in_batch=throw');
    await expect(failpoint('auth.before_commit')).resolves.toBeUndefined();
    await expect(failpoint('clearing.in_batch')).rejects.toThrow(FailpointReached);
    armFailpoints('');
    await expect(failpoint('clearing.in_batch')).resolves.toBeUndefined();
  });

  it('wait as long as they are told', async () => {
    armFailpoints('auth.before_answer=delay:50');
    const startedAt = performance.now();
    await failpoint('auth.before_answer');
    expect(performance.now() - startedAt).toBeGreaterThan(40);
  });

  it('never go off at a chance of nearly none', async () => {
    armFailpoints('auth.before_commit=throw@0.000000000001');
    for (let at = 0; at < 1_000; at += 1) await failpoint('auth.before_commit');
  });

  it('end the process as a crash does', () => {
    const module = fileURLToPath(new URL('../../db/failpoints.ts', import.meta.url));
    const script = `const { armFailpoints, failpoint } = await import(${JSON.stringify(module)});
      armFailpoints('sweeper.in_batch=kill'); await failpoint('sweeper.in_batch'); console.log('alive');`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(ended.signal).toBe('SIGKILL');
    expect(ended.stdout).toBe('');
  });

  it.each([
    'auth.unknown=kill',
    'auth.before_commit',
    'auth.before_commit=explode',
    'auth.before_commit=kill@2',
    'auth.before_commit=delay',
  ])('refuse %s', (text) => {
    expect(failpointFault(text)).toContain('must be <name>=');
    expect(() => armFailpoints(text)).toThrow();
  });

  it('take several', () => {
    expect(failpointFault('auth.before_commit=kill@0.02;auth.before_answer=delay:20@.5')).toBeNull();
  });
});
