import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Kysely } from 'kysely';
import { createDatabase, createPool } from '../../db/client.ts';
import { databaseSettings } from '../../db/config.ts';
import type { Database } from '../../db/database.ts';
import type { Caller } from '../../domain/actor.ts';
import { describeFaults, type Environment, readSettings } from '../../domain/settings.ts';
import type { CommandIo } from '../command.ts';
import { dataDirOf, readStartSettings } from '../config.ts';
import { CommandFailed, exitCode } from '../exit-code.ts';
import { withLocalStack } from '../quickstart.ts';

const CONNECTIONS = 2;
const NO_LIMIT_MS = 600_000;

export type CommandRole = 'engine' | 'owner';

/** The settings in which an operator's command runs: the person's own and those of the running local stack. */
export function operatorSettings(io: CommandIo): {
  readonly environment: Environment;
  readonly dataDir: string;
} {
  const { values } = readStartSettings(io.environment);
  const dataDir = dataDirOf(values, io.projectDir);
  return { environment: withLocalStack(io.environment, dataDir), dataDir };
}

/** A database connection of an operator's command; the caller ends it. Throws `CommandFailed` 78. */
export function connectOperator(io: CommandIo, role: CommandRole): Kysely<Database> {
  const { environment } = operatorSettings(io);
  const { values, faults } = readSettings(databaseSettings, environment, (path) =>
    readFileSync(path, 'utf8'),
  );
  if (faults.length > 0) throw new CommandFailed(exitCode.configuration, describeFaults(faults));
  const url = role === 'owner' ? values.DATABASE_OWNER_URL : values.DATABASE_ENGINE_URL;
  if (url === null) {
    const name = role === 'owner' ? 'DATABASE_OWNER_URL' : 'DATABASE_ENGINE_URL';
    throw new CommandFailed(exitCode.configuration, `nothing runs here, and ${name} is not set: npm start`);
  }
  return createDatabase(
    createPool({
      url,
      max: CONNECTIONS,
      name: 'cardloom-cli',
      statementTimeoutMs: NO_LIMIT_MS,
      ssl: values.DATABASE_SSL,
      caFile: values.DATABASE_CA_FILE,
    }),
  );
}

/** Runs `work` on a connection of its own. */
export async function withDatabase<T>(
  io: CommandIo,
  role: CommandRole,
  work: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  const db = connectOperator(io, role);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Who a command writes as: the user of this machine, and the operator who is named with `--operator`. */
export function commandCaller(operator: string | null): Caller {
  const { username } = userInfo();
  return {
    partnerId: null,
    actor: { type: 'CLI', id: operator === null ? username : `${username} for ${operator}` },
    requestId: randomUUID(),
    ip: null,
  };
}
