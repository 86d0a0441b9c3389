import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { entries, simulatorNames, type RoleName } from './children.ts';
import type { Command, CommandIo } from './command.ts';
import { dataDirOf, readStartSettings } from './config.ts';
import { CommandFailed, exitCode } from './exit-code.ts';
import { stopSignal } from './stop-signal.ts';
import { ChildNeverReady } from './supervised-child.ts';
import { createSupervisor } from './supervisor.ts';

/** `cardloom api`, `worker`, `codec`: one process with settings from the environment alone. */
const roleCommand = (name: RoleName, summary: string): Command => ({
  name,
  usage: '',
  summary,
  run: async (_args, io) => become(join(io.projectDir, entries[name]), io),
});

export const apiCommand = roleCommand('api', 'run the API: both listeners');
export const workerCommand = roleCommand('worker', 'run the worker: workflows, activities, outbox relay');
export const codecCommand = roleCommand('codec', 'run the codec server of the Temporal UI');

/** A simulator that refuses its settings or finds its port taken has ended by then. */
const SETTLED_MS = 2_000;

/** `cardloom simulators`: all four, each started again when it dies, until a signal; one that does not start ends all. */
export const simulatorsCommand: Command = {
  name: 'simulators',
  usage: '',
  summary: 'run the simulators of processor, partner, KYC provider and inbox',
  async run(_args, io) {
    const { values } = readStartSettings(io.environment);
    const supervisor = createSupervisor({
      cwd: io.projectDir,
      logDir: join(dataDirOf(values, io.projectDir), 'logs'),
      say: io.err,
    });
    const stop = stopSignal(() => supervisor.killAll());
    const starts = simulatorNames.map((name) =>
      supervisor.add({
        name,
        args: [join(io.projectDir, entries[name])],
        environment: io.environment,
        ready: () => sleep(SETTLED_MS, true),
        readyWithinMs: 2 * SETTLED_MS,
        startAttempts: 1,
      }),
    );
    const failed = (await Promise.allSettled(starts)).filter((one) => one.status === 'rejected');
    if (failed.length > 0) {
      supervisor.killAll();
      throw new CommandFailed(exitCode.failed, failed.map(({ reason }) => reasonOf(reason)).join('\n'));
    }
    await stop.asked;
    await supervisor.stopAll([{ names: simulatorNames, endedByMs: 5_000 }]);
    return exitCode.ok;
  },
};

function reasonOf(reason: unknown): string {
  if (reason instanceof ChildNeverReady) return reason.message;
  throw reason;
}

/** Replaces this process, so that signals and the exit code are those of the role itself. */
function become(entry: string, io: CommandIo): number {
  if (process.execve === undefined)
    throw new Error(`this system cannot replace a process: run node ${entry}`);
  const environment = Object.entries(io.environment).filter(([, value]) => value !== undefined);
  process.execve(
    process.execPath,
    [process.execPath, entry],
    Object.fromEntries(environment) as NodeJS.ProcessEnv,
  );
  return exitCode.failed;
}
