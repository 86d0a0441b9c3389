import { execFileSync } from 'node:child_process';
import { runCardloom } from './cardloom.ts';

/** Ids of the stack's processes by name, as `cardloom child list` shows them. */
export async function childPids(environment: Record<string, string>): Promise<Map<string, number>> {
  const { output } = await runCardloom(['child', 'list'], environment);
  const found = [...output.matchAll(/^(\S+)\s+\S+\s+pid ([0-9]+)$/gm)];
  return new Map(found.map(([, name = '', pid]) => [name, Number(pid)]));
}

/** SIGKILL: no handler runs, nothing is flushed. */
export function killHard(pids: ReadonlyMap<string, number>, name: string): void {
  const pid = pids.get(name);
  if (pid === undefined) throw new Error(`there is no process ${name}`);
  process.kill(name === 'postgres' ? childOf(pid) : pid, 'SIGKILL');
}

/** The database server itself is the child of its guard. */
const childOf = (pid: number): number =>
  Number(
    execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')[0],
  );
