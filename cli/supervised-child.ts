import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../domain/settings.ts';
import { lastLines, openLog } from './child-log.ts';
import { endProcess, killGroup } from './launch.ts';

/** One process of the local stack. */
export interface ChildSpec {
  readonly name: string;
  /** Node arguments: the entry file and what follows it. */
  readonly args: readonly string[];
  readonly environment: Environment;
  /** Resolves to true once it does its work; asked again and again, never throws. */
  ready(): Promise<boolean>;
  readonly readyWithinMs: number;
  /** How often it may end before it is ready at the first start; more than one for a crashed database's sake. */
  readonly startAttempts: number;
}

export interface ChildSettings {
  readonly cwd: string;
  readonly logFile: string;
  readonly say: (line: string) => void;
  readonly firstBackoffMs: number;
  readonly longestBackoffMs: number;
}

export type ChildState = 'starting' | 'ready' | 'waiting' | 'stopped';

export interface Child {
  readonly name: string;
  state(): ChildState;
  pid(): number | null;
  /** Starts it and waits until it is ready; rejects with `ChildNeverReady`. Does nothing when it runs. */
  start(): Promise<void>;
  /** Ends it on purpose: it stays down until `start`. */
  stop(withinMs: number): Promise<void>;
  kill(): void;
}

/** The child ended, or did not answer, before it was ready; `message` holds its last lines. */
export class ChildNeverReady extends Error {
  constructor(name: string, reason: string, lines: readonly string[]) {
    super([`${name} ${reason}. Its last lines:`, ...lines.map((line) => `  ${line}`)].join('\n'));
    this.name = 'ChildNeverReady';
  }
}

const LAST_LINES = 20;
const POLL_MS = 100;
const LEASH = fileURLToPath(new URL('leash.ts', import.meta.url));

/** A child that is started again whenever it dies, with growing pauses, until it is stopped on purpose. */
export function superviseChild(spec: ChildSpec, settings: ChildSettings): Child {
  const { say, logFile } = settings;
  let running: ChildProcess | null = null;
  let wanted = false;
  let state: ChildState = 'stopped';
  let pauseMs = settings.firstBackoffMs;
  let restart: NodeJS.Timeout | null = null;
  let logStart = 0;

  const tail = () => lastLines(logFile, logStart, LAST_LINES);

  function launch(): ChildProcess {
    const log = openLog(logFile);
    logStart = log.startsAt;
    const child = spawn(process.execPath, ['--import', LEASH, ...spec.args], {
      cwd: settings.cwd,
      env: { ...spec.environment },
      stdio: ['ignore', log.descriptor, log.descriptor, 'ipc'],
      // A group of its own: Ctrl-C must reach the supervisor only, which stops the children in order.
      detached: true,
    });
    closeSync(log.descriptor);
    // A process that cannot be spawned also ends: 'exit' is not emitted then, so its absence is seen here.
    child.on('error', (error) => say(`${spec.name}: ${error.message}`));
    running = child;
    state = 'starting';
    return child;
  }

  const hasEnded = (child: ChildProcess): boolean =>
    child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

  /** True when it became ready, false when it ended or took too long before that. */
  async function becomesReady(child: ChildProcess, withinMs: number): Promise<boolean> {
    const deadlineMs = Date.now() + withinMs;
    while (!hasEnded(child) && Date.now() < deadlineMs) {
      if (await spec.ready()) return !hasEnded(child);
      await sleep(POLL_MS);
    }
    return false;
  }

  function watch(child: ChildProcess): void {
    const readySinceMs = Date.now();
    const onEnd = () => {
      if (!wanted || running !== child) return;
      if (Date.now() - readySinceMs > settings.longestBackoffMs) pauseMs = settings.firstBackoffMs;
      state = 'waiting';
      const how = child.signalCode ?? `exit code ${child.exitCode ?? 'unknown'}`;
      say(`${spec.name} died (${how}); starting it again in ${pauseMs / 1000} s. Its last lines:`);
      for (const line of tail()) say(`  ${line}`);
      restart = setTimeout(again, pauseMs);
      pauseMs = Math.min(pauseMs * 2, settings.longestBackoffMs);
    };
    if (hasEnded(child)) onEnd();
    else child.once('exit', onEnd);
  }

  function again(): void {
    restart = null;
    const child = launch();
    watch(child);
    void becomesReady(child, spec.readyWithinMs).then((ready) => {
      if (!wanted || running !== child) return;
      if (!ready) {
        if (!hasEnded(child)) say(`${spec.name} runs but is not ready after ${spec.readyWithinMs / 1000} s`);
        return;
      }
      state = 'ready';
      say(`${spec.name} is back`);
    });
  }

  async function start(): Promise<void> {
    if (wanted) return;
    wanted = true;
    pauseMs = settings.firstBackoffMs;
    for (let attempt = 1; ; attempt += 1) {
      const child = launch();
      if (await becomesReady(child, spec.readyWithinMs)) {
        state = 'ready';
        watch(child);
        return;
      }
      const ended = hasEnded(child);
      if (!wanted) return;
      if (ended && attempt < spec.startAttempts) {
        await sleep(settings.firstBackoffMs);
        if (!wanted) return;
        continue;
      }
      await stop(1_000);
      const reason = ended
        ? `ended before it was ready (${child.signalCode ?? `exit code ${child.exitCode ?? 'unknown'}`})`
        : `was not ready after ${spec.readyWithinMs / 1000} s`;
      throw new ChildNeverReady(spec.name, reason, tail());
    }
  }

  async function stop(withinMs: number): Promise<void> {
    wanted = false;
    state = 'stopped';
    if (restart !== null) clearTimeout(restart);
    restart = null;
    if (running !== null && !hasEnded(running)) await endProcess(running, withinMs);
  }

  return {
    name: spec.name,
    state: () => state,
    pid: () => (running !== null && !hasEnded(running) ? (running.pid ?? null) : null),
    start,
    stop,
    kill: () => {
      wanted = false;
      if (restart !== null) clearTimeout(restart);
      if (running !== null && !hasEnded(running)) killGroup(running);
    },
  };
}
