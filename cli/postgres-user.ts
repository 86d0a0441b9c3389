import { execFileSync, spawnSync } from 'node:child_process';
import { CommandFailed, exitCode } from './exit-code.ts';

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const NAME = 'postgres';

/**
 * The user PostgreSQL runs as: null (ourselves) unless we are root, which PostgreSQL refuses; then the system
 * user `postgres`, made when it is missing.
 */
export function postgresUser(say: (line: string) => void): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  const known = lookUp();
  if (known !== null) return known;
  const made = [
    ['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/bin/false', NAME],
    ['adduser', '-S', '-D', '-H', '-s', '/bin/false', NAME],
  ].some(([program = '', ...args]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0);
  const user = made ? lookUp() : null;
  if (user === null) {
    throw new CommandFailed(
      exitCode.failed,
      'PostgreSQL refuses to run as root, and a user named postgres could not be made.\n' +
        'Ways out: run as another user; make that user; or set DATABASE_URL, DATABASE_ENGINE_URL and DATABASE_OWNER_URL.',
    );
  }
  say('made the system user postgres, because PostgreSQL refuses to run as root');
  return user;
}

/** True when `user` can enter the folder or run the program at `path`. */
export const mayUse = (user: SystemUser, path: string): boolean =>
  spawnSync('test', ['-x', path], { ...user, cwd: '/', stdio: 'ignore' }).status === 0;

function lookUp(): SystemUser | null {
  try {
    const id = (flag: string) =>
      Number(execFileSync('id', [flag, NAME], { encoding: 'utf8', stdio: 'pipe' }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return null;
  }
}
