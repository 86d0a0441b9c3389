/** What the end of a command means to the shell (operations 4). */
export const exitCode = {
  ok: 0,
  failed: 1,
  /** A scenario file that cannot be read or is none (processor 6.5). */
  badFile: 2,
  usage: 64,
  programMissing: 69,
  busy: 75,
  configuration: 78,
  interrupted: 130,
} as const;

/** Ends a command with a message for the person who typed it; not a fault of ours. */
export class CommandFailed extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'CommandFailed';
    this.code = code;
  }
}

/** A `CommandFailed` with exit code 64. */
export const wrongUsage = (message: string): CommandFailed => new CommandFailed(exitCode.usage, message);
