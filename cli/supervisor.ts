import { join } from 'node:path';
import { makePrivateDir } from './private-file.ts';
import { superviseChild, type Child, type ChildSpec, type ChildState } from './supervised-child.ts';

/** Children that end together, and how long after the beginning of the stop they must have ended. */
export interface StopStage {
  readonly names: readonly string[];
  readonly endedByMs: number;
}

export interface ChildReport {
  readonly name: string;
  readonly state: ChildState;
  readonly pid: number | null;
}

export interface Supervisor {
  /** Starts a child and waits until it is ready; rejects with `ChildNeverReady`. */
  add(spec: ChildSpec): Promise<void>;
  /** The child of that name; null when there is none. */
  find(name: string): Child | null;
  report(): ChildReport[];
  /** Ends all children in the order of `stages`; one that overruns its time is killed. */
  stopAll(stages: readonly StopStage[]): Promise<void>;
  killAll(): void;
}

export interface SupervisorOptions {
  readonly cwd: string;
  readonly logDir: string;
  readonly say: (line: string) => void;
  readonly firstBackoffMs?: number;
  readonly longestBackoffMs?: number;
}

/** Keeps the children of one local stack running (operations 1). */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  makePrivateDir(options.logDir);
  const children = new Map<string, Child>();
  let stopping = false;

  return {
    async add(spec) {
      if (stopping) return;
      const child = superviseChild(spec, {
        cwd: options.cwd,
        logFile: join(options.logDir, `${spec.name}.log`),
        say: options.say,
        firstBackoffMs: options.firstBackoffMs ?? 1_000,
        longestBackoffMs: options.longestBackoffMs ?? 30_000,
      });
      children.set(spec.name, child);
      await child.start();
    },
    find: (name) => children.get(name) ?? null,
    report: () =>
      [...children.values()].map((one) => ({ name: one.name, state: one.state(), pid: one.pid() })),
    async stopAll(stages) {
      stopping = true;
      const startedMs = Date.now();
      for (const stage of stages) {
        const leftMs = Math.max(startedMs + stage.endedByMs - Date.now(), 0);
        const ours = stage.names.flatMap((name) => children.get(name) ?? []);
        await Promise.all(ours.map((child) => child.stop(leftMs)));
      }
    },
    killAll() {
      stopping = true;
      for (const child of children.values()) child.kill();
    },
  };
}
