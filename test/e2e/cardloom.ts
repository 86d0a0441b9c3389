import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

const COMMAND = fileURLToPath(new URL('../../cli/cardloom.mjs', import.meta.url));

/** Starts `cardloom` as a person would: a process of its own. */
export const startCardloom = (args: readonly string[], environment: Record<string, string>): ChildProcess =>
  spawn(process.execPath, [COMMAND, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** Runs `cardloom` to its end; `onLine` sees each line of its output as it comes. */
export async function runCardloom(
  args: readonly string[],
  environment: Record<string, string>,
  onLine: (line: string) => void = () => undefined,
): Promise<CommandResult> {
  const child = startCardloom(args, environment);
  const output: string[] = [];
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  if (child.stdout === null) throw new Error('the command has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    output.push(line);
    onLine(line);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output: output.map((line) => `${line}\n`).join(''), errors };
}
