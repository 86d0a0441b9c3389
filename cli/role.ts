import { join } from 'node:path';
import { entries, simulatorNames, type RoleName } from './children.ts';
import type { Command, CommandIo } from './command.ts';
import { dataDirOf, readStartSettings } from './config.ts';
import { exitCode } from './exit-code.ts';
import { stopSignal } from './stop-signal.ts';
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

/** `cardloom simulators`: all four, each started again when it dies, until a signal. */
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
        ready: async () => true,
        readyWithinMs: 1_000,
        startAttempts: 1,
      }),
    );
    await Promise.all(starts);
    await stop.asked;
    await supervisor.stopAll([{ names: simulatorNames, endedByMs: 5_000 }]);
    return exitCode.ok;
  },
};

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
