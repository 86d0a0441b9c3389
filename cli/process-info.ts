import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** True when a process with this id runs, ours or not. One that ended but was not yet collected does not run. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !['Z', 'X'].includes(statFields(pid)[STATE] ?? '');
}

/** The command line of a process; empty when there is no such process. */
export function commandOf(pid: number): string {
  if (existsSync('/proc/self/cmdline')) {
    return readProc(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  }
  return ps(pid, 'args=');
}

/** Something that differs between two processes that had the same id at different times. */
export const startStampOf = (pid: number): string => statFields(pid)[START_TIME] ?? ps(pid, 'lstart=');

// Positions in /proc/<pid>/stat after the name, which may hold blanks itself.
const STATE = 0;
const START_TIME = 19;

/** What Linux tells of a process; empty on other systems. */
function statFields(pid: number): string[] {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function ps(pid: number, column: string): string {
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}
