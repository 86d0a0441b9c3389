import { execFile } from 'node:child_process';
import { chownSync, existsSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startGuarded, type Launch } from './launch.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { makeUnfinished, postgresHome } from './postgres-home.ts';
import {
  answersQuery,
  ensureRoles,
  postgresUrls,
  type PostgresPasswords,
  type PostgresUrls,
} from './postgres-roles.ts';
import { postgresUser, type SystemUser } from './postgres-user.ts';
import { makePrivateDir } from './private-file.ts';
import { newSecrets } from './secrets.ts';

const run = promisify(execFile);
const READY_WITHIN_MS = 30_000;

export interface PostgresOptions {
  /** The data folder; the cluster is made in `pg` below it. */
  readonly dataDir: string;
  readonly port: number;
  readonly passwords: PostgresPasswords;
  readonly say: (line: string) => void;
}

/** Makes the cluster once and tells how to run it. */
export async function preparePostgres(options: PostgresOptions): Promise<Launch> {
  const { dataDir, passwords, say } = options;
  const user = postgresUser(say);
  const found = await findPostgresBinaries();
  const { data, binaries } = postgresHome(dataDir, passwords.postgresPassword, user, found, say);
  if (!existsSync(join(data, 'PG_VERSION')))
    await initialize(data, binaries, user, passwords.postgresPassword);
  return {
    program: binaries.postgres,
    args: [
      '-D',
      data,
      ...Object.entries(serverSettings(options.port)).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
    ],
    cwd: data,
    user,
    stopSignal: 'SIGINT',
    pidFile: join(data, 'postmaster.pid'),
    guardWritesPid: false,
  };
}

const serverSettings = (port: number): Record<string, string | number> => ({
  listen_addresses: '127.0.0.1',
  port,
  unix_socket_directories: '',
  max_connections: 200,
  max_wal_size: '4GB',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The server's log must not repeat values of rows and parameters.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: 0,
});

/** initdb into a folder of its own that gets its name when complete, so that a crash leaves nothing half. */
async function initialize(
  data: string,
  binaries: PostgresBinaries,
  user: SystemUser | null,
  password: string,
): Promise<void> {
  const unfinished = makeUnfinished(data, user);
  const passwordFile = `${unfinished}-password`;
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user !== null) chownSync(passwordFile, user.uid, user.gid);
  try {
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await run(binaries.initdb, ['-D', unfinished, '--data-checksums', ...access, ...locale], {
      cwd: '/',
      ...(user ?? {}),
    });
    rmSync(data, { recursive: true, force: true });
    renameSync(unfinished, data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

export interface StartedPostgres {
  readonly urls: PostgresUrls;
  /** Process id of the guard that runs the server. */
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * A running cluster with the production roles, without a supervisor: for the tests' global setup. It ends with
 * this process at the latest. Passwords are random when none are given; output goes to `logFile`.
 */
export async function startPostgres(options: {
  readonly dataDir: string;
  readonly port: number;
  readonly passwords?: PostgresPasswords;
  readonly logFile?: string;
  readonly say?: (line: string) => void;
}): Promise<StartedPostgres> {
  const passwords = options.passwords ?? newSecrets();
  makePrivateDir(options.dataDir);
  const launch = await preparePostgres({
    dataDir: options.dataDir,
    port: options.port,
    passwords,
    say: options.say ?? (() => undefined),
  });
  const output = options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a', 0o600);
  const server = startGuarded(launch, output);
  const urls = postgresUrls(options.port, passwords);
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  while (!(await answersQuery(urls.superuser))) {
    if (!server.running() || Date.now() > deadlineMs) {
      await server.stop(0);
      throw new Error(
        `PostgreSQL did not start on port ${options.port}; see ${options.logFile ?? 'a logFile'}`,
      );
    }
    await sleep(50);
  }
  await ensureRoles(urls, passwords);
  return { urls, pid: server.pid, stop: () => server.stop() };
}
