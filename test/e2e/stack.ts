import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { portNames } from '../../cli/config.ts';
import { freePort } from '../../cli/ports.ts';
import { type CommandResult, runCardloom, startCardloom } from './cardloom.ts';

export interface RunningStack {
  readonly dataDir: string;
  readonly environment: Record<string, string>;
  cardloom(...args: string[]): Promise<CommandResult>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 20_000;

/** `cardloom start` in a data folder of its own, on ports that nobody uses. Resolves when it is ready. */
export async function startStack(): Promise<RunningStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'cardloom-e2e-'));
  const ports = await Promise.all(portNames.map(async (name) => [name, String(await freePort())] as const));
  const environment = { ...Object.fromEntries(ports), CARDLOOM_DATA_DIR: dataDir };
  const process = startCardloom(['start', '--json'], environment);
  const remove = () => rmSync(dataDir, { recursive: true, force: true });
  try {
    await firstLine(process);
  } catch (error) {
    process.kill('SIGTERM');
    await ended(process);
    const logs = lastLogs(dataDir);
    remove();
    throw new Error(`${(error as Error).message}\n${logs}`, { cause: error });
  }
  return {
    dataDir,
    environment,
    cardloom: (...args) => runCardloom(args, environment),
    async stop() {
      process.kill('SIGTERM');
      await ended(process);
      await runCardloom(['reset'], environment);
      remove();
    },
  };
}

/** The line that `start --json` prints when everything is ready. */
async function firstLine(process: ChildProcess): Promise<void> {
  const errors: string[] = [];
  process.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const failed = (how: string) => new Error(`the stack ${how}\n${errors.join('')}`);
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(failed('is not ready')), READY_WITHIN_MS);
    if (process.stdout === null) throw new Error('the stack has no output');
    createInterface({ input: process.stdout }).once('line', () => {
      clearTimeout(late);
      resolve();
    });
    process.once('exit', (code) => {
      clearTimeout(late);
      reject(failed(`ended with exit code ${code}`));
    });
  });
}

/** Waits for the end; a stack that does not stop in time is killed. */
async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const force = setTimeout(() => process.kill('SIGKILL'), STOPPED_WITHIN_MS);
  await new Promise<void>((resolve) => process.once('exit', () => resolve()));
  clearTimeout(force);
}

const LAST_CHARACTERS = 3_000;

function lastLogs(dataDir: string): string {
  return ['api', 'worker', 'codec']
    .map((name) => {
      try {
        const text = readFileSync(join(dataDir, 'logs', `${name}.log`), 'utf8');
        return `--- ${name}\n${text.slice(-LAST_CHARACTERS)}`;
      } catch {
        return `--- ${name}: no log`;
      }
    })
    .join('\n');
}
