import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { handleChildRequest } from '../../cli/child.ts';
import { isAlive } from '../../cli/process-info.ts';
import type { ChildSpec } from '../../cli/supervised-child.ts';
import { createSupervisor } from '../../cli/supervisor.ts';
import { temporaryFolder } from './temporary-folder.ts';

const LIVES = `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);`;

function place() {
  const folder = temporaryFolder();
  const said: string[] = [];
  const supervisor = createSupervisor({
    cwd: folder,
    logDir: join(folder, 'logs'),
    say: (line) => void said.push(line),
    firstBackoffMs: 50,
    longestBackoffMs: 400,
  });
  onTestFinished(() => supervisor.killAll());
  /** A child that is ready once it has written its file. */
  const child = (name: string, script: string, more: Partial<ChildSpec> = {}): ChildSpec => {
    const entry = join(folder, `${name}.mjs`);
    const sign = join(folder, `${name}.ready`);
    writeFileSync(
      entry,
      `import { writeFileSync } from 'node:fs';\n${script.replace('READY', `writeFileSync(${JSON.stringify(sign)}, String(process.pid));`)}`,
    );
    return {
      name,
      args: [entry],
      environment: {},
      ready: async () => existsSync(sign) && isAlive(Number(readFileSync(sign, 'utf8'))),
      readyWithinMs: 5_000,
      startAttempts: 1,
      ...more,
    };
  };
  return { folder, said, supervisor, child };
}

async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; !what(); waited += 20) {
    if (waited > 10_000) throw new Error('it did not happen within 10 s');
    await sleep(20);
  }
}

test('a child that dies is started again and its last lines are told', async () => {
  const { supervisor, child, said } = place();
  await supervisor.add(child('one', `READY console.log('line before death'); ${LIVES}`));
  const first = supervisor.find('one')?.pid();
  await sleep(100);
  process.kill(first ?? 0, 'SIGKILL');
  await until(() => said.includes('one is back'));
  expect(supervisor.find('one')?.pid()).not.toBe(first);
  expect(said[0]).toBe('one died (SIGKILL); starting it again in 0.05 s. Its last lines:');
  expect(said[1]).toBe('  line before death');
});

test('the pause grows when a child dies again and again', async () => {
  const { supervisor, child, said } = place();
  await supervisor.add(child('one', `READY setTimeout(() => process.exit(3), 200)`));
  await until(() => said.filter((line) => line.startsWith('one died')).length >= 4);
  const pauses = said.flatMap((line) => /in ([0-9.]+) s/.exec(line)?.[1] ?? []).slice(0, 4);
  expect(pauses).toEqual(['0.05', '0.1', '0.2', '0.4']);
});

test('a child that ends before it is ready fails the start with its last lines', async () => {
  const { supervisor, child } = place();
  const adding = supervisor.add(child('one', `console.error('no such table'); process.exit(2);`));
  await expect(adding).rejects.toThrow(/one ended before it was ready \(exit code 2\)[^]*no such table/);
  expect(supervisor.find('one')?.state()).toBe('stopped');
});

test('a child that never answers fails the start', async () => {
  const { supervisor, child } = place();
  const adding = supervisor.add(child('one', LIVES, { readyWithinMs: 400 }));
  await expect(adding).rejects.toThrow('one was not ready after 0.4 s');
  expect(supervisor.find('one')?.pid()).toBeNull();
});

test('a child stopped on purpose stays down until it is started', async () => {
  const { supervisor, child, said } = place();
  await supervisor.add(child('one', `READY ${LIVES}`));
  expect(await handleChildRequest({ command: 'stop', name: 'one' }, supervisor)).toMatchObject({ ok: true });
  await sleep(300);
  expect(supervisor.report()).toEqual([{ name: 'one', state: 'stopped', pid: null }]);
  expect(said).toEqual([]);
  expect(await handleChildRequest({ command: 'start', name: 'one' }, supervisor)).toMatchObject({ ok: true });
  expect(supervisor.find('one')?.state()).toBe('ready');
  expect(await handleChildRequest({ command: 'stop', name: 'two' }, supervisor)).toMatchObject({ ok: false });
});

test('a stop goes stage by stage and kills a child that does not end in time', async () => {
  const { folder, supervisor, child } = place();
  const ends = join(folder, 'ends');
  const noting = (name: string) =>
    `import { appendFileSync } from 'node:fs'; READY process.on('SIGTERM', () => { appendFileSync(${JSON.stringify(ends)}, '${name} '); process.exit(0); }); setInterval(() => {}, 1000);`;
  await supervisor.add(child('first', noting('first')));
  await supervisor.add(
    child('stubborn', `READY process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`),
  );
  await supervisor.add(child('last', noting('last')));
  const stubborn = supervisor.find('stubborn')?.pid() ?? 0;
  await supervisor.stopAll([
    { names: ['first'], endedByMs: 2_000 },
    { names: ['stubborn'], endedByMs: 400 },
    { names: ['last'], endedByMs: 4_000 },
  ]);
  expect(readFileSync(ends, 'utf8')).toBe('first last ');
  expect(isAlive(stubborn)).toBe(false);
});

test('children end within 5 s after their supervisor was killed, even one that listens for nothing', async () => {
  const { folder } = place();
  const supervising = join(folder, 'supervising.ts');
  const root = join(import.meta.dirname, '..', '..');
  writeFileSync(join(folder, 'deaf.mjs'), `setInterval(() => {}, 1000);`);
  writeFileSync(
    supervising,
    `import { createSupervisor } from ${JSON.stringify(join(root, 'cli/supervisor.ts'))};
     import { guarded } from ${JSON.stringify(join(root, 'cli/launch.ts'))};
     const one = createSupervisor({ cwd: '/', logDir: ${JSON.stringify(join(folder, 'logs'))}, say: console.error });
     const child = (name, args) => one.add({ name, args, environment: {}, ready: async () => true, readyWithinMs: 1000, startAttempts: 1 });
     await child('deaf', [${JSON.stringify(join(folder, 'deaf.mjs'))}]);
     await child('foreign', guarded({ program: '/bin/sleep', args: ['60'], cwd: '/', user: null, stopSignal: 'SIGTERM', pidFile: ${JSON.stringify(join(folder, 'sleep.pid'))}, guardWritesPid: true }));
     console.log(one.report().map((child) => child.pid).join(' '));`,
  );
  const supervisor = spawn(process.execPath, [supervising], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(supervisor.stdout, 'data')) as [Buffer];
  const pidFile = join(folder, 'sleep.pid');
  await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'));
  const pids = [...line.toString().trim().split(' '), readFileSync(pidFile, 'utf8')].map(Number);
  expect(pids).toHaveLength(3);
  await sleep(300);
  expect(pids.every(isAlive)).toBe(true);
  supervisor.kill('SIGKILL');
  const killedMs = Date.now();
  await until(() => !pids.some(isAlive));
  expect(Date.now() - killedMs).toBeLessThan(5_000);
});
