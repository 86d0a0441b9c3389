import type { Command } from './command.ts';
import { dataDirOf, readStartSettings } from './config.ts';
import { askSupervisor, type ControlAnswer, type ControlRequest } from './control-socket.ts';
import { CommandFailed, exitCode, wrongUsage } from './exit-code.ts';
import { ChildNeverReady } from './supervised-child.ts';
import type { Supervisor } from './supervisor.ts';

const STOP_WITHIN_MS = 15_000;

/** `cardloom child`: keeps one process of the running stack down, or brings it back. */
export const childCommand: Command = {
  name: 'child',
  usage: 'stop NAME | start NAME | list',
  summary: 'stop or start one process of the running stack, or list them',
  async run(args, io) {
    const [command, name = '', ...more] = args;
    const named = command === 'stop' || command === 'start';
    if ((!named && command !== 'list') || more.length > 0 || named === (name === '')) {
      throw wrongUsage('cardloom child: say what to do with which process');
    }
    const { values } = readStartSettings(io.environment);
    const answer = await askSupervisor(dataDirOf(values, io.projectDir), { command, name });
    if (answer === null) throw new CommandFailed(exitCode.failed, 'nothing runs here: npm start');
    if (io.json) io.out(JSON.stringify(answer));
    else for (const line of answer.lines) (answer.ok ? io.out : io.err)(line);
    return answer.ok ? exitCode.ok : exitCode.failed;
  },
};

/** The supervisor's side of `cardloom child`. */
export async function handleChildRequest(
  request: ControlRequest,
  supervisor: Supervisor,
): Promise<ControlAnswer> {
  const { command, name } = request;
  const report = supervisor.report();
  if (command === 'list') {
    const width = Math.max(...report.map((one) => one.name.length));
    return {
      ok: true,
      lines: report.map(
        (one) => `${one.name.padEnd(width)}  ${one.state}${one.pid ? `  pid ${one.pid}` : ''}`,
      ),
    };
  }
  const child = supervisor.find(name);
  if (child === null) {
    return {
      ok: false,
      lines: [`no process ${name}; there are ${report.map((one) => one.name).join(', ')}`],
    };
  }
  try {
    if (command === 'stop') {
      await child.stop(STOP_WITHIN_MS);
      return { ok: true, lines: [`${name} is stopped; cardloom child start ${name} brings it back`] };
    }
    await child.start();
    return { ok: true, lines: [`${name} is ${child.state()}`] };
  } catch (error) {
    if (error instanceof ChildNeverReady) return { ok: false, lines: error.message.split('\n') };
    throw error;
  }
}
