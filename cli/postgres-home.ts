import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { movedBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { mayUse, type SystemUser } from './postgres-user.ts';

export interface PostgresHome {
  /** The cluster's folder. */
  readonly data: string;
  readonly binaries: PostgresBinaries;
}

/** Where the cluster of a data folder lies when the user postgres cannot enter that folder (operations 1). */
export const awayFolder = (dataDir: string): string => `/var/tmp/cardloom-${sha256(dataDir).slice(0, 12)}`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Decides where the cluster lies: `<dataDir>/pg`, or below /var/tmp together with a copy of the binaries. The
 * data folder belongs to us alone; as root it lets the group of user postgres pass through, and no more.
 * `password` is the superuser's: a cluster made with another one is of no use.
 */
export function postgresHome(
  dataDir: string,
  password: string,
  user: SystemUser | null,
  binaries: PostgresBinaries,
  say: (line: string) => void,
): PostgresHome {
  const inside = join(dataDir, 'pg');
  if (user === null) return { data: inside, binaries };
  chownSync(dataDir, 0, user.gid);
  chmodSync(dataDir, 0o710);
  if (mayUse(user, dataDir) && mayUse(user, binaries.postgres)) return { data: inside, binaries };
  chmodSync(dataDir, 0o700);
  const away = awayFolder(dataDir);
  openAway(away, sha256(password), user, say);
  return { data: join(away, 'pg'), binaries: copyBinaries(binaries, away, user) };
}

/** A folder in a place that everybody may write to is believed only when root or user postgres made it. */
function openAway(away: string, passwordHash: string, user: SystemUser, say: (line: string) => void): void {
  const hashFile = join(away, 'password-hash');
  if (existsSync(away)) {
    const found = lstatSync(away);
    if (!found.isDirectory() || (found.uid !== 0 && found.uid !== user.uid)) {
      throw new Error(`${away} is not ours; remove it`);
    }
    if (existsSync(hashFile) && readFileSync(hashFile, 'utf8') === passwordHash) return;
    // Its passwords were lost with the data folder that it belonged to.
    const aside = `${away}-old-${Date.now()}`;
    renameSync(away, aside);
    say(`${away} belonged to a deleted data folder; moved to ${aside}`);
  }
  mkdirSync(away, { mode: 0o700 });
  writeFileSync(hashFile, passwordHash, { mode: 0o600 });
  chownSync(away, user.uid, user.gid);
  say(`user postgres cannot enter the project folder: database in ${away}`);
}

function copyBinaries(binaries: PostgresBinaries, away: string, user: SystemUser): PostgresBinaries {
  const target = join(away, `postgresql-${binaries.version}`);
  if (!existsSync(target)) {
    const unfinished = `${target}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    // The copy stays root's; user postgres only reads it.
    const mask = process.umask(0o022);
    cpSync(binaries.root, unfinished, { recursive: true, verbatimSymlinks: true });
    process.umask(mask);
    renameSync(unfinished, target);
  }
  const copy = movedBinaries(binaries, target);
  if (!mayUse(user, copy.postgres)) throw new Error(`user postgres cannot run ${copy.postgres}`);
  return copy;
}

/** Makes an empty folder for `user` beside `path`, to be renamed to `path` when it is complete. */
export function makeUnfinished(path: string, user: SystemUser | null): string {
  const unfinished = `${path}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  mkdirSync(unfinished, { mode: 0o700 });
  if (user !== null) chownSync(unfinished, user.uid, user.gid);
  return unfinished;
}
