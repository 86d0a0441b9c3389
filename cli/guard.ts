/**
 * Runs one foreign program for the supervisor: passes signals on, and stops the program when the channel to
 * the supervisor closes, because a killed supervisor cannot do it any more. Its only argument is a `Launch`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Launch } from './launch.ts';
import { commandOf, isAlive } from './process-info.ts';

const ORPHAN_GRACE_MS = 2_500;
const QUIT_GRACE_MS = 1_500;

const launch = JSON.parse(process.argv[2] ?? '{}') as Launch;
const say = (line: string): void => void process.stderr.write(`guard: ${line}\n`);

await endLeftOver();
if (!process.connected) process.exit(1);

const program = spawn(launch.program, [...launch.args], {
  stdio: ['ignore', 'inherit', 'inherit'],
  cwd: launch.cwd,
  ...(launch.user ?? {}),
});
if (launch.guardWritesPid && program.pid !== undefined) writeFileSync(launch.pidFile, `${program.pid}\n`);

program.on('error', (error) => {
  say(error.message);
  process.exit(1);
});
program.on('exit', (code, signal) => {
  if (launch.guardWritesPid) rmSync(launch.pidFile, { force: true });
  if (signal !== null) say(`ended by ${signal}`);
  process.exit(code ?? 1);
});

let stopping = false;
process.on('SIGTERM', () => void program.kill(launch.stopSignal));
process.on('SIGINT', () => void program.kill(launch.stopSignal));
process.on('disconnect', () => {
  if (stopping) return;
  stopping = true;
  void endProgram();
});

async function endProgram(): Promise<void> {
  program.kill(launch.stopSignal);
  await sleep(ORPHAN_GRACE_MS);
  program.kill('SIGQUIT');
  await sleep(QUIT_GRACE_MS);
  program.kill('SIGKILL');
}

/** Ends the same program of an earlier guard that was killed; a stale file of a foreign process goes away. */
async function endLeftOver(): Promise<void> {
  if (!existsSync(launch.pidFile)) return;
  const pid = Number(readFileSync(launch.pidFile, 'utf8').split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return;
  if (!commandOf(pid).includes(launch.program)) {
    rmSync(launch.pidFile, { force: true });
    return;
  }
  say(`process ${pid} is left over from an earlier start; ending it`);
  for (const signal of [launch.stopSignal, 'SIGQUIT', 'SIGKILL'] as const) {
    if (isAlive(pid)) process.kill(pid, signal);
    for (let waited = 0; isAlive(pid) && waited < ORPHAN_GRACE_MS; waited += 100) await sleep(100);
  }
}
