import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCALE = 20;
const CLIENTS = 8;

/** `pgbench` of PostgreSQL on the empty database of `url`; null when it is not installed. */
export async function openTpcB(url: string): Promise<{ run(seconds: number): Promise<number> } | null> {
  try {
    await run('pgbench', ['--version']);
  } catch {
    return null;
  }
  await run('pgbench', ['--initialize', '--quiet', `--scale=${SCALE}`, url]);
  return {
    async run(seconds) {
      const args = [`--client=${CLIENTS}`, '--jobs=2', `--time=${seconds}`, '--no-vacuum', url];
      const { stdout } = await run('pgbench', args);
      const found = /tps = ([0-9.]+)/.exec(stdout)?.[1];
      if (found === undefined) throw new Error('pgbench told no rate');
      return Number(found);
    },
  };
}
