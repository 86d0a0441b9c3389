import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { killGroup } from './launch.ts';
import { isAlive } from './process-info.ts';
import { isAtLeast } from './temporal-version.ts';

const run = promisify(execFile);

/** The newest version that `go install` can build. */
export const BUILT_VERSION = '1.5.1';
const OLDEST_GO = '1.25';
const PROGRESS_EVERY_MS = 5_000;

export interface BuildOptions {
  /** Path of the Go command. */
  readonly go: string;
  /** Gets the program when it is complete. */
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Builds the Temporal program with Go, once, into a folder that gets its name when complete, so that an
 * interrupted build leaves nothing half. Null when Go is too old or the build fails.
 */
export async function buildTemporal(options: BuildOptions): Promise<string | null> {
  const { go, folder, say } = options;
  if (!(await isGoNewEnough(go))) {
    say(`Go at ${go} is older than ${OLDEST_GO}; it cannot build the Temporal server`);
    return null;
  }
  removeAbandoned(folder);
  const unfinished = `${folder}.build-${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    say(
      `building the Temporal server ${BUILT_VERSION} with Go, once (about 2.5 minutes, 213 MB in ${folder})`,
    );
    const failure = await goInstall(options, unfinished);
    if (failure !== null) {
      if (!options.signal?.aborted) say(`the Temporal server could not be built: ${failure}`);
      return null;
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
    return join(folder, 'temporal');
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Runs `go install`; resolves to null, or to the last line of what it printed when it failed. */
function goInstall({ go, say, signal }: BuildOptions, target: string): Promise<string | null> {
  return new Promise((resolve) => {
    const startedMs = Date.now();
    const build = spawn('/bin/sh', ['-c', WITH_TARGET, go, target, MODULE], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let packages = 0;
    let last = 'it was killed';
    build.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = chunk.split('\n').filter((line) => line.trim() !== '');
      packages += lines.filter((line) => !line.includes(' ')).length;
      last = lines.at(-1) ?? last;
    });
    const progress = setInterval(() => {
      const seconds = Math.round((Date.now() - startedMs) / 1000);
      say(`building the Temporal server: ${seconds} s, ${packages} packages compiled`);
    }, PROGRESS_EVERY_MS);
    const abandon = () => killGroup(build);
    signal?.addEventListener('abort', abandon);
    build.on('error', (error) => {
      last = error.message;
    });
    build.on('close', (code) => {
      clearInterval(progress);
      signal?.removeEventListener('abort', abandon);
      resolve(code === 0 ? null : last);
    });
  });
}

const MODULE = `github.com/temporalio/cli/cmd/temporal@v${BUILT_VERSION}`;
const WITH_TARGET = 'GOBIN="$1" GOFLAGS=-mod=mod exec "$0" install -v "$2"';

async function isGoNewEnough(go: string): Promise<boolean> {
  try {
    const { stdout } = await run(go, ['version'], { timeout: 10_000 });
    const version = /go(\d+\.\d+)/.exec(stdout)?.[1];
    return version !== undefined && isAtLeast(version, OLDEST_GO);
  } catch {
    return false;
  }
}

/** Removes what builds left that were killed. */
function removeAbandoned(folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const prefix = `${basename(folder)}.build-`;
  for (const name of readdirSync(dirname(folder))) {
    const pid = Number(name.slice(prefix.length));
    if (name.startsWith(prefix) && !isAlive(pid)) rmSync(join(dirname(folder), name), { recursive: true });
  }
}
