import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Makes a folder that only we may enter. An existing one is left as it is. */
export function makePrivateDir(path: string): void {
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Writes a file of mode 0600 whole or not at all. */
export function writePrivate(path: string, content: string): void {
  const unfinished = `${path}.new`;
  writeFileSync(unfinished, content, { mode: 0o600 });
  renameSync(unfinished, path);
}

/** The JSON in a file, or null when there is no such file. */
export function readJson(path: string): unknown {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as unknown) : null;
}

/** Writes JSON as `writePrivate`. */
export const writeJson = (path: string, value: unknown): void =>
  writePrivate(path, `${JSON.stringify(value, null, 2)}\n`);
