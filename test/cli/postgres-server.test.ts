import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { freePort } from '../../cli/ports.ts';
import { startPostgres } from '../../cli/postgres-server.ts';
import { newSecrets } from '../../cli/secrets.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function query<R extends pg.QueryResultRow>(url: string, text: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

test('the embedded database is durable, has the production roles, and keeps its data', async () => {
  const folder = temporaryFolder();
  const passwords = newSecrets();
  const logFile = join(folder, 'postgres.log');
  const start = async () =>
    await startPostgres({ dataDir: folder, port: await freePort(), passwords, logFile });

  const first = await start();
  const settings = await query<{ name: string; setting: string }>(
    first.urls.owner,
    `select name, setting from pg_settings where name in
       ('data_checksums', 'fsync', 'full_page_writes', 'max_connections', 'max_wal_size', 'server_encoding',
        'listen_addresses')`,
  );
  expect(Object.fromEntries(settings.map((one) => [one.name, one.setting]))).toEqual({
    data_checksums: 'on',
    fsync: 'on',
    full_page_writes: 'on',
    max_connections: '200',
    max_wal_size: '4096',
    server_encoding: 'UTF8',
    listen_addresses: '127.0.0.1',
  });
  const roles = await query(
    first.urls.app,
    `select rolname, rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname like 'cardloom%' order by 1`,
  );
  const role = (rolname: string, rolcanlogin: boolean) => ({
    ...{ rolname, rolcanlogin, rolsuper: false, rolbypassrls: false },
  });
  expect(roles).toEqual([
    role('cardloom_app', true),
    role('cardloom_engine', true),
    role('cardloom_owner', true),
    role('cardloom_vault', false),
  ]);
  await query(first.urls.owner, 'create table kept as select 1 as one; set role cardloom_vault');
  await expect(query(first.urls.app, 'set role cardloom_vault')).rejects.toThrow(/permission denied/);
  await expect(query(first.urls.app.replace(passwords.appPassword, 'wrong'), 'select 1')).rejects.toThrow(
    /password authentication failed/,
  );
  await first.stop();
  await expect(query(first.urls.owner, 'select 1')).rejects.toThrow();

  const second = await start();
  expect(await query(second.urls.owner, 'select one from kept')).toEqual([{ one: 1 }]);
  await second.stop();
  expect(readFileSync(logFile, 'utf8')).not.toContain(passwords.appPassword);
  expect(statSync(folder).mode & 0o007).toBe(0);
});
