import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How cli/guard.ts starts a foreign program. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Other than ours when we are root. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
  /** The signal by which the program ends cleanly and soon. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** Holds the program's id in its first line. */
  readonly pidFile: string;
  /** False when the program writes `pidFile` itself. */
  readonly guardWritesPid: boolean;
}

/** The Node arguments that run `launch` under the guard. */
export const guarded = (launch: Launch): readonly string[] => [
  fileURLToPath(new URL('guard.ts', import.meta.url)),
  JSON.stringify(launch),
];

export interface GuardedProgram {
  /** The guard's process id. */
  readonly pid: number;
  /** False once the program has ended. */
  running(): boolean;
  /** Ends it cleanly, after `withinMs` by force. */
  stop(withinMs?: number): Promise<void>;
}

/** Starts `launch` under a guard of its own, without a supervisor: it ends with this process at the latest. */
export function startGuarded(launch: Launch, output: 'ignore' | number): GuardedProgram {
  const guard = spawn(process.execPath, [...guarded(launch)], {
    stdio: ['ignore', output, output, 'ipc'],
    detached: true,
  });
  guard.unref();
  guard.channel?.unref();
  return {
    pid: guard.pid ?? 0,
    running: () => guard.exitCode === null && guard.signalCode === null,
    stop: (withinMs = 10_000) => endProcess(guard, withinMs),
  };
}

/** SIGTERM, then SIGKILL to the whole group of a detached process when it has not ended `withinMs` later. */
export function endProcess(child: ChildProcess, withinMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  child.ref();
  return new Promise((resolve) => {
    const force = setTimeout(() => killGroup(child), withinMs);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** SIGKILL to a detached process and everything that it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
