import { readyBanner } from './banner.ts';
import type { Command } from './command.ts';
import { exitCode, wrongUsage } from './exit-code.ts';
import { Interrupted, startLocalStack } from './local-stack.ts';
import { stopSignal } from './stop-signal.ts';
import type { Supervisor } from './supervisor.ts';

/** `cardloom start`: the whole stack on this machine until Ctrl-C (operations 1). */
export const startCommand: Command = {
  name: 'start',
  usage: '',
  summary: 'start everything on this machine: database, Temporal, simulators, API, worker',
  async run(args, io) {
    if (args.length > 0) throw wrongUsage(`cardloom start: unknown argument ${args[0]}`);
    let supervisor: Supervisor | null = null;
    const stop = stopSignal(() => supervisor?.killAll());
    try {
      const stack = await startLocalStack({
        io,
        say: io.err,
        signal: stop.signal,
        onSupervisor: (one) => {
          supervisor = one;
        },
      });
      const seconds = Math.round(performance.now() / 1000);
      const folders = { projectDir: io.projectDir, dataDir: stack.dataDir };
      if (io.json) io.out(JSON.stringify({ ready: true, seconds, quickstart: stack.quickstart }));
      else for (const line of readyBanner(stack.quickstart, seconds, folders)) io.out(line);
      await stop.asked;
      io.err('stopping (Ctrl-C again kills)');
      await stack.stop();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
    return exitCode.ok;
  },
};
