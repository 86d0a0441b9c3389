import { describeFaults } from '../domain/settings.ts';
import type { Command } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { exitCode, wrongUsage } from './exit-code.ts';

/** `cardloom config check`: the effective settings and where each comes from. */
export const configCommand: Command = {
  name: 'config',
  usage: 'check',
  summary: 'print the effective settings and where they come from; exit 78 with all faults',
  async run(args, io) {
    if (args.length !== 1 || args[0] !== 'check') throw wrongUsage('cardloom config: say what to do');
    const { settings, faults, warnings } = await readConfiguration(io.environment, io.projectDir);
    const code = faults.length === 0 ? exitCode.ok : exitCode.configuration;
    if (io.json) {
      io.out(JSON.stringify({ settings, faults, warnings }));
      return code;
    }
    const width = Math.max(...settings.map((one) => one.name.length));
    for (const { name, value, source } of settings) {
      io.out(`${name.padEnd(width)}  ${value === '' ? '' : `${value} `}(${source})`);
    }
    for (const warning of warnings) io.err(`warning: ${warning}`);
    if (faults.length > 0) io.err(describeFaults(faults));
    return code;
  },
};
