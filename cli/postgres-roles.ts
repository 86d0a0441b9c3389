import pg from 'pg';
import type { Secrets } from './secrets.ts';

/** Connection strings of one embedded cluster. */
export interface PostgresUrls {
  readonly owner: string;
  readonly app: string;
  readonly engine: string;
  /** Database `postgres` as superuser; for making further databases, never for our processes. */
  readonly superuser: string;
}

export type PostgresPasswords = Pick<
  Secrets,
  'postgresPassword' | 'ownerPassword' | 'appPassword' | 'enginePassword'
>;

const DATABASE = 'cardloom';

/** The connection strings of the cluster on `port`. */
export function postgresUrls(port: number, passwords: PostgresPasswords): PostgresUrls {
  const url = (role: string, password: string, database: string) =>
    `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
  return {
    owner: url('cardloom_owner', passwords.ownerPassword, DATABASE),
    app: url('cardloom_app', passwords.appPassword, DATABASE),
    engine: url('cardloom_engine', passwords.enginePassword, DATABASE),
    superuser: url('postgres', passwords.postgresPassword, 'postgres'),
  };
}

/**
 * Makes the production roles and the database where they are missing (data-model, Roles): owner, app and
 * engine log in and are neither superuser nor BYPASSRLS; vault does not log in, the owner may become it.
 */
export async function ensureRoles(urls: PostgresUrls, passwords: PostgresPasswords): Promise<void> {
  const client = new pg.Client({ connectionString: urls.superuser });
  await client.connect();
  try {
    const logins = [
      ['cardloom_owner', passwords.ownerPassword],
      ['cardloom_app', passwords.appPassword],
      ['cardloom_engine', passwords.enginePassword],
    ] as const;
    for (const [role, password] of logins) {
      if (await exists(client, 'pg_roles', 'rolname', role)) continue;
      const secret = client.escapeLiteral(password);
      await client.query(`create role ${role} login nosuperuser nobypassrls password ${secret}`);
    }
    if (!(await exists(client, 'pg_roles', 'rolname', 'cardloom_vault'))) {
      await client.query('create role cardloom_vault nologin nosuperuser nobypassrls');
    }
    await client.query('grant cardloom_vault to cardloom_owner with inherit false, set true');
    if (!(await exists(client, 'pg_database', 'datname', DATABASE))) {
      await client.query(`create database ${DATABASE} owner cardloom_owner`);
    }
    await client.query(`revoke all on database ${DATABASE} from public`);
    await client.query(`grant connect, temporary on database ${DATABASE} to cardloom_app, cardloom_engine`);
  } finally {
    await client.end();
  }
}

/** True when the server at `url` answers a query. */
export async function answersQuery(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  // A server that is stopping breaks the connection; the answer is then simply false.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function exists(client: pg.Client, table: string, column: string, value: string): Promise<boolean> {
  const found = await client.query(`select 1 from ${table} where ${column} = $1`, [value]);
  return found.rowCount === 1;
}
