import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';

const LARGEST_BYTES = 50 * 1024 * 1024;
const TAIL_BYTES = 64 * 1024;

/** Opens a child's log for appending; a large one is put aside first. Returns descriptor and its length. */
export function openLog(path: string): { readonly descriptor: number; readonly startsAt: number } {
  if (existsSync(path) && statSync(path).size > LARGEST_BYTES) renameSync(path, `${path}.1`);
  const descriptor = openSync(path, 'a', 0o600);
  return { descriptor, startsAt: fstatSync(descriptor).size };
}

/** The last `count` lines written at or after `startsAt`. */
export function lastLines(path: string, startsAt: number, count: number): string[] {
  if (!existsSync(path)) return [];
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const from = Math.max(startsAt, size - TAIL_BYTES, 0);
    const bytes = Buffer.alloc(Math.max(size - from, 0));
    const length = readSync(descriptor, bytes, 0, bytes.length, from);
    const lines = bytes.toString('utf8', 0, length).split('\n');
    return lines.filter((line) => line !== '').slice(-count);
  } finally {
    closeSync(descriptor);
  }
}
