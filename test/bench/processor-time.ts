import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export type Part = 'api' | 'database' | 'generator';

/** Processor seconds since their start, by what the processes are for. */
export type ProcessorTime = Readonly<Record<Part, number>>;

const STAT = { parent: 1, user: 11, system: 12, endedUser: 13, endedSystem: 14 };

/**
 * What the API, PostgreSQL and the load generator have used so far: figures that other programs on the machine
 * disturb far less than the clock. Null where there is no /proc.
 */
export function readProcessorTime(roots: Readonly<Record<Part, readonly number[]>>): ProcessorTime | null {
  if (process.platform !== 'linux') return null;
  const all = processes();
  const total = { api: 0, database: 0, generator: 0 };
  for (const [pid, one] of all) {
    for (const part of Object.keys(total) as Part[]) {
      if (roots[part].includes(pid)) total[part] += one.seconds + one.endedSeconds;
      if (roots[part].includes(one.parent)) total[part] += one.seconds;
    }
  }
  return total;
}

interface ProcessTime {
  readonly parent: number;
  readonly seconds: number;
  /** Of its children that have ended. */
  readonly endedSeconds: number;
}

function processes(): Map<number, ProcessTime> {
  const found = new Map<number, ProcessTime>();
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The program's name, in parentheses, may hold anything.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const secondsOf = (user: number, system: number): number =>
        (Number(fields[user]) + Number(fields[system])) / ticksPerSecond();
      found.set(Number(name), {
        parent: Number(fields[STAT.parent]),
        seconds: secondsOf(STAT.user, STAT.system),
        endedSeconds: secondsOf(STAT.endedUser, STAT.endedSystem),
      });
    } catch {
      // It ended between the two looks.
    }
  }
  return found;
}

let ticks: number | null = null;
const ticksPerSecond = (): number =>
  (ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })));
