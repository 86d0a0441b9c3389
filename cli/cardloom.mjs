#!/usr/bin/env node
// The command `cardloom`. This file runs on the machine's own Node; everything after it needs Node 24.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const PROGRAM_MISSING = 69;

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  const { main } = await import('./cardloom.ts');
  await main(process.argv.slice(2));
} else {
  const node = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(
      `cardloom needs Node ${NEEDED_MAJOR}; this is Node ${process.versions.node} and node_modules holds none.\n` +
        'Ways out: run `npm ci` in the project folder, or install Node 24 and put it on PATH.\n',
    );
    process.exit(PROGRAM_MISSING);
  }
  // The channel tells the inner process when this one is killed.
  const inner = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal sends Ctrl-C to both processes; a signal sent to this one alone is passed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => inner.kill(signal));
  inner.on('error', (error) => {
    process.stderr.write(`cardloom: ${node} does not run: ${error.message}\n`);
    process.exit(PROGRAM_MISSING);
  });
  inner.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
