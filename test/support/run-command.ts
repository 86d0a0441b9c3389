import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../../cli/command.ts';
import { CommandFailed } from '../../cli/exit-code.ts';
import type { FreshDatabase } from './database.ts';

export interface Shell {
  /** Empty folder of the commands. */
  readonly folder: string;
  /** Runs a command as a person would; `--json` as everywhere. */
  run(command: Command, ...args: string[]): Promise<{ readonly code: number; readonly output: string }>;
  end(): void;
}

/** A shell whose commands work on `database`; `more` are settings of its environment. */
export function openShell(database: FreshDatabase, more: Readonly<Record<string, string>> = {}): Shell {
  const folder = mkdtempSync(join(tmpdir(), 'cardloom-commands-'));
  const environment = {
    CARDLOOM_DATA_DIR: folder,
    DATABASE_URL: database.appUrl,
    DATABASE_ENGINE_URL: database.engineUrl,
    DATABASE_OWNER_URL: database.ownerUrl,
    ...more,
  };
  return {
    folder,
    async run(command, ...args) {
      const lines: string[] = [];
      const out = (line: string) => void lines.push(line);
      const json = args.includes('--json');
      const given = args.filter((one) => one !== '--json');
      try {
        const code = await command.run(given, { out, err: out, json, environment, projectDir: folder });
        return { code, output: lines.join('\n') };
      } catch (error) {
        if (error instanceof CommandFailed) return { code: error.code, output: error.message };
        throw error;
      }
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}
