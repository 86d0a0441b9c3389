import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command, CommandIo } from './command.ts';
import { commands } from './commands.ts';
import { processEnvironment } from './config.ts';
import { CommandFailed, exitCode } from './exit-code.ts';

/** Runs the command that `argv` names and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that goes away (`npm start | head`) must not end the stack.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const code = await dispatch(argv, processIo(argv.includes('--json')), commands);
  process.exit(code);
}

/**
 * Finds the command and runs it; resolves to the exit code (operations 11). Nothing or an unknown command: 64
 * with the usage. Faults of ours print their message and give 1.
 */
export async function dispatch(
  argv: readonly string[],
  io: CommandIo,
  known: Readonly<Record<string, () => Promise<Command>>>,
): Promise<number> {
  const args = argv.filter((one) => one !== '--json');
  const name = args.find((one) => !one.startsWith('-'));
  const help = args.some((one) => one === '--help' || one === '-h') || args[0] === 'help';
  const load = name === undefined || !Object.hasOwn(known, name) ? undefined : known[name];
  if (load === undefined) {
    const asked = help && (name === undefined || name === 'help');
    if (name !== undefined && !asked) io.err(`cardloom: unknown command ${name}`);
    for (const line of await overview(known)) (asked ? io.out : io.err)(line);
    return asked ? exitCode.ok : exitCode.usage;
  }
  const command = await load();
  if (help) {
    io.out(`cardloom ${command.name} ${command.usage}`.trimEnd());
    io.out(`  ${command.summary}`);
    return exitCode.ok;
  }
  try {
    return await command.run(args.slice(args.indexOf(command.name) + 1), io);
  } catch (error) {
    if (!(error instanceof CommandFailed)) {
      io.err(
        `cardloom ${command.name}: ${error instanceof Error ? (error.stack ?? error.message) : 'failed'}`,
      );
      return exitCode.failed;
    }
    if (error.message !== '') io.err(error.message);
    if (error.code === exitCode.usage) io.err(`usage: cardloom ${command.name} ${command.usage}`.trimEnd());
    return error.code;
  }
}

async function overview(known: Readonly<Record<string, () => Promise<Command>>>): Promise<string[]> {
  const all = await Promise.all(Object.values(known).map((load) => load()));
  const width = Math.max(...all.map((one) => one.name.length));
  return [
    'usage: cardloom <command> [arguments] [--json] [--help]',
    ...all.map((one) => `  ${one.name.padEnd(width)}  ${one.summary}`),
  ];
}

function processIo(json: boolean): CommandIo {
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    json,
    environment: processEnvironment(),
    projectDir: realpathSync(fileURLToPath(new URL('..', import.meta.url))),
  };
}
