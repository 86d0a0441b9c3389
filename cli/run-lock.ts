import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './private-file.ts';
import { isAlive, startStampOf } from './process-info.ts';

interface LockHolder {
  readonly pid: number;
  readonly stamp: string;
}

export type Lock =
  /** `recovered`: a killed start had left its lock behind. */
  { readonly taken: true; readonly recovered: boolean } | { readonly taken: false; readonly pid: number };

const lockFile = (dataDir: string): string => join(dataDir, 'run.lock');

/** Takes the lock of a data folder for this process, also from a holder that no longer runs. */
export function takeLock(dataDir: string): Lock {
  if (writeLock(dataDir)) return { taken: true, recovered: false };
  const holder = lockHolder(dataDir);
  if (holder !== null) return { taken: false, pid: holder };
  // Renaming succeeds for one of two starts that found the same stale lock.
  const stale = `${lockFile(dataDir)}.${process.pid}`;
  renameSync(lockFile(dataDir), stale);
  rmSync(stale);
  if (writeLock(dataDir)) return { taken: true, recovered: true };
  return { taken: false, pid: lockHolder(dataDir) ?? 0 };
}

/** The id of the running process that holds the lock; null when nobody does. */
export function lockHolder(dataDir: string): number | null {
  const holder = readHolder(lockFile(dataDir));
  if (holder === null || !isAlive(holder.pid)) return null;
  return startStampOf(holder.pid) === holder.stamp ? holder.pid : null;
}

/** Gives the lock back; does nothing when it is not ours. */
export function releaseLock(dataDir: string): void {
  if (lockHolder(dataDir) === process.pid) rmSync(lockFile(dataDir), { force: true });
}

function writeLock(dataDir: string): boolean {
  const holder: LockHolder = { pid: process.pid, stamp: startStampOf(process.pid) };
  try {
    writeFileSync(lockFile(dataDir), JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A lock file cut off by a crash counts as nobody's. */
function readHolder(path: string): LockHolder | null {
  try {
    return readJson(path) as LockHolder | null;
  } catch {
    return null;
  }
}
