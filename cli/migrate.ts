import { migrateToLatest, migrationStatus } from '../db/migrate.ts';
import type { Command, CommandIo } from './command.ts';
import { dataDirOf, readStartSettings } from './config.ts';
import { CommandFailed, exitCode, wrongUsage } from './exit-code.ts';
import { withLocalStack } from './quickstart.ts';

/** `cardloom migrate`: brings the database to this release; `--status` only tells where it stands. */
export const migrateCommand: Command = {
  name: 'migrate',
  usage: '[--status]',
  summary: "bring the database of DATABASE_OWNER_URL to this release's newest migration",
  async run(args, io) {
    const [option, ...more] = args;
    if (more.length > 0 || (option !== undefined && option !== '--status')) {
      throw wrongUsage(`cardloom migrate: unknown argument ${option}`);
    }
    const url = ownerUrl(io);
    const status = await statusOf(url);
    if (option === '--status') {
      const { current, newest } = status;
      if (io.json) io.out(JSON.stringify(status));
      else io.out(`database at ${current ?? 'no migration'}, this release at ${newest}`);
      return status.unknown.length > 0 ? exitCode.configuration : exitCode.ok;
    }
    const result = await migrateDatabase(url);
    if (io.json) io.out(JSON.stringify(result));
    else for (const name of result.applied) io.out(`applied ${name}`);
    if (!io.json) io.out(`database at ${result.version}`);
    return exitCode.ok;
  },
};

/** Applies what is missing. Data of a newer release: `CommandFailed` 78 that names both versions. */
export async function migrateDatabase(url: string): Promise<{ applied: string[]; version: string }> {
  const { newest, unknown } = await statusOf(url);
  if (unknown.length > 0) {
    throw new CommandFailed(
      exitCode.configuration,
      `the database is of a newer release: it is at ${unknown.at(-1)}, this release knows up to ${newest}. ` +
        'Use the newer release, or another CARDLOOM_DATA_DIR or database.',
    );
  }
  return await migrateToLatest({ url });
}

const AWAY = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENOENT|28P01|28000|3D000)$/;

/** As `migrationStatus`. A database that cannot be reached or refuses us: `CommandFailed` 1 without a secret. */
async function statusOf(url: string): ReturnType<typeof migrationStatus> {
  try {
    return await migrationStatus({ url });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!AWAY.test(code)) throw error;
    throw new CommandFailed(exitCode.failed, `the database of DATABASE_OWNER_URL cannot be used (${code})`);
  }
}

function ownerUrl(io: CommandIo): string {
  const { values } = readStartSettings(io.environment);
  const local = withLocalStack(io.environment, dataDirOf(values, io.projectDir));
  const url = readStartSettings(local).values.DATABASE_OWNER_URL;
  if (!url) {
    throw new CommandFailed(
      exitCode.configuration,
      'configuration: 1 fault\n  DATABASE_OWNER_URL  missing, and no local stack runs (npm start)',
    );
  }
  return url;
}
