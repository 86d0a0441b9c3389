import type { CommandIo } from '../../cli/command.ts';
import type { Environment } from '../../domain/settings.ts';

/** A `CommandIo` that keeps what it was given. */
export function recordingIo(
  environment: Environment,
  projectDir: string,
): CommandIo & { readonly printed: string[]; readonly complained: string[] } {
  const printed: string[] = [];
  const complained: string[] = [];
  return {
    out: (line) => void printed.push(line),
    err: (line) => void complained.push(line),
    json: false,
    environment,
    projectDir,
    printed,
    complained,
  };
}
