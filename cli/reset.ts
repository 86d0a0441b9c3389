import { existsSync, rmSync } from 'node:fs';
import type { Command } from './command.ts';
import { dataDirOf, readStartSettings } from './config.ts';
import { isDataFolder } from './data-folder.ts';
import { CommandFailed, exitCode } from './exit-code.ts';
import { lockHolder } from './run-lock.ts';
import { awayFolder } from './postgres-home.ts';

/** `cardloom reset`: deletes the local data, also what lies in /var/tmp. Refuses while the stack runs. */
export const resetCommand: Command = {
  name: 'reset',
  usage: '',
  summary: 'delete the local data folder; the next start begins anew',
  async run(_args, io) {
    const { values } = readStartSettings(io.environment);
    const dataDir = dataDirOf(values, io.projectDir);
    const holder = existsSync(dataDir) ? lockHolder(dataDir) : null;
    if (holder !== null) {
      throw new CommandFailed(exitCode.busy, `Cardloom runs here (process ${holder}): stop it first`);
    }
    if (!isDataFolder(dataDir)) {
      throw new CommandFailed(
        exitCode.failed,
        `${dataDir} is not a data folder of Cardloom: nothing deleted`,
      );
    }
    const deleted = [dataDir, awayFolder(dataDir)].filter((folder) => existsSync(folder));
    for (const folder of deleted) rmSync(folder, { recursive: true, force: true });
    if (io.json) io.out(JSON.stringify({ deleted }));
    else if (deleted.length === 0) io.out('there is no local data');
    else for (const folder of deleted) io.out(`deleted ${folder}`);
    return exitCode.ok;
  },
};
