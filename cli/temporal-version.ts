import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The oldest command line program we start, and the server inside it. */
const OLDEST_CLI = '1.5.1';
const OLDEST_SERVER = '1.29.1';

/** What the program at `path` says it is; null when it does not run. */
export async function temporalVersion(path: string): Promise<{ cli: string; server: string } | null> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 5_000 });
    const found = /version (\S+) \(Server (\S+),/.exec(stdout);
    return found?.[1] !== undefined && found[2] !== undefined ? { cli: found[1], server: found[2] } : null;
  } catch {
    return null;
  }
}

/** True when the program at `path` runs and is new enough. One built from source is judged by its server. */
export async function isNewEnough(path: string): Promise<boolean> {
  const version = await temporalVersion(path);
  if (version === null) return false;
  return version.cli.startsWith('0.0.0')
    ? isAtLeast(version.server, OLDEST_SERVER)
    : isAtLeast(version.cli, OLDEST_CLI);
}

/** Compares dotted version numbers; what follows a dash is left out. */
export function isAtLeast(version: string, least: string): boolean {
  const parts = (text: string) => text.replace(/-.*$/, '').split('.').map(Number);
  const [have, want] = [parts(version), parts(least)];
  for (const [index, wanted] of want.entries()) {
    const own = have[index] ?? 0;
    if (own !== wanted) return own > wanted;
  }
  return true;
}
