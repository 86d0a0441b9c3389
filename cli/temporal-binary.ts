import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Environment } from '../domain/settings.ts';
import { CommandFailed, exitCode } from './exit-code.ts';
import { downloadTemporal } from './temporal-archive.ts';
import { buildTemporal, BUILT_VERSION } from './temporal-build.ts';
import { isNewEnough } from './temporal-version.ts';

export type TemporalSource = 'TEMPORAL_CLI_PATH' | 'PATH' | 'cache' | 'archive' | 'go';

export interface FoundTemporal {
  readonly path: string;
  readonly source: TemporalSource;
}

export interface FindTemporalOptions {
  readonly environment: Environment;
  /** TEMPORAL_CLI_VERSION: the version fetched when none is found. */
  readonly version: string;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Replaced in tests. */
  readonly download?: typeof downloadTemporal;
}

/**
 * The program of the Temporal development server, from the first place that has one (operations 1):
 * TEMPORAL_CLI_PATH, PATH, the user's cache, the official archive, Go. `CommandFailed` 69 with the ways out
 * when every place fails.
 */
export async function findTemporal(options: FindTemporalOptions): Promise<FoundTemporal> {
  const { environment, version, say } = options;
  const named = environment['TEMPORAL_CLI_PATH'] || null;
  if (named !== null) {
    if (await isNewEnough(named)) return { path: named, source: 'TEMPORAL_CLI_PATH' };
    say('TEMPORAL_CLI_PATH names no Temporal program of version 1.5.1 or newer; looking elsewhere');
  }
  const onPath = findOnPath('temporal', environment);
  if (onPath !== null && (await isNewEnough(onPath))) return { path: onPath, source: 'PATH' };

  for (const cached of new Set([version, BUILT_VERSION])) {
    const path = join(cacheFolder(environment, cached), 'temporal');
    if (await isNewEnough(path)) return { path, source: 'cache' };
  }
  const downloaded = await (options.download ?? downloadTemporal)(version, cacheFolder(environment, version));
  if (downloaded !== null && (await isNewEnough(downloaded))) return { path: downloaded, source: 'archive' };

  const go = findOnPath('go', environment);
  if (go !== null) {
    const folder = cacheFolder(environment, BUILT_VERSION);
    const built = await buildTemporal({
      go,
      folder,
      say,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    if (built !== null) return { path: built, source: 'go' };
  }
  throw new CommandFailed(exitCode.programMissing, waysOut(version, environment));
}

/** `<user cache>/cardloom/temporal-<version>`, outside the checkout so that a clean clone finds it. */
export function cacheFolder(environment: Environment, version: string): string {
  const base = environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache');
  return join(base, 'cardloom', `temporal-${version}`);
}

/** The first executable of that name on PATH; null when there is none. */
export function findOnPath(name: string, environment: Environment): string | null {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

const waysOut = (version: string, environment: Environment): string =>
  [
    'Temporal: no development server found, fetched or built. Ways out, one of:',
    '  TEMPORAL_CLI_PATH=<path of the temporal program, 1.5.1 or newer> npm start',
    '  put `temporal` (1.5.1 or newer) on PATH: https://docs.temporal.io/cli',
    `  put it at ${join(cacheFolder(environment, version), 'temporal')}`,
    '  let this machine reach https://temporal.download',
    '  put Go 1.25 or newer on PATH; it is then built once (about 2.5 minutes)',
    '  TEMPORAL_ADDRESS=<host:port of a running Temporal server> npm start',
  ].join('\n');
