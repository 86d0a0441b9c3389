import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface FreshDatabase {
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly engineUrl: string;
  /** Superuser: for looking at what nobody else may see. */
  readonly adminUrl: string;
  drop(): Promise<void>;
}

/** A migrated database of this test file's own. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const adminUrl = inject('databaseAdminUrl');
  const name = `t_${randomBytes(8).toString('hex')}`;
  await asAdmin(adminUrl, `create database ${name} template cardloom owner cardloom_owner`);
  return {
    ownerUrl: inDatabase(inject('databaseOwnerUrl'), name),
    appUrl: inDatabase(inject('databaseAppUrl'), name),
    engineUrl: inDatabase(inject('databaseEngineUrl'), name),
    adminUrl: inDatabase(adminUrl, name),
    drop: () => asAdmin(adminUrl, `drop database ${name} with (force)`),
  };
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
