import type { Environment } from '../domain/settings.ts';

/** What a command sees of the outside. */
export interface CommandIo {
  /** Writes one line of the answer to standard output. */
  out(line: string): void;
  /** Writes one line of progress or complaint to standard error. */
  err(line: string): void;
  /** True with `--json`: the answer is one JSON document on standard output. */
  readonly json: boolean;
  readonly environment: Environment;
  /** The folder that holds package.json. */
  readonly projectDir: string;
}

/** One command of `cardloom`. */
export interface Command {
  readonly name: string;
  /** The arguments after the name, as printed by `--help`. */
  readonly usage: string;
  readonly summary: string;
  /** Resolves to the exit code; may throw `CommandFailed`. `--json` and `--help` are already taken out. */
  run(args: readonly string[], io: CommandIo): Promise<number>;
}
