import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

/** Tables of nobody in particular; every other table holds rows of partners (data-model, "Roles"). */
const EXEMPT = [
  'audit_seals',
  'audit_verifications',
  'clearing_blocks',
  'clearing_chunks',
  'clearing_files',
  'clock_offset',
  'kysely_migration',
  'kysely_migration_lock',
  'ledger_seals',
  'network_keys',
  'operator_sign_ins',
  'outbox',
  'partitioned_tables',
  'recon_runs',
  'screening_entries',
  'screening_lists',
];

const UNPROTECTED = `
  select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
    and not (c.relrowsecurity and c.relforcerowsecurity and exists (
      select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'partner_id' and not a.attisdropped))
  order by 1`;

let database: FreshDatabase;
let owner: pg.Client;
let app: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  app = new pg.Client({ connectionString: database.appUrl });
  await owner.connect();
  await app.connect();
});

afterAll(async () => {
  await owner.end();
  await app.end();
  await database.drop();
});

const unprotected = async () =>
  (await owner.query<{ name: string }>(UNPROTECTED)).rows.map((row) => row.name);

describe('row security', () => {
  it('is forced on every table but the known few', async () => {
    expect(await unprotected()).toEqual(EXEMPT);
  });

  it('would notice a table without it', async () => {
    await owner.query('create table loose (partner_id int, secret text)');
    expect(await unprotected()).toContain('loose');
    await owner.query('drop table loose');
  });

  it('shows a channel nothing while no partner is set, and only its own when one is', async () => {
    const { rows } = await owner.query<{ partner_id: number }>(
      `insert into partners (public_id, code, name) values
        ('00000000-0000-4000-8000-000000000001', 'one', 'One'), ('00000000-0000-4000-8000-000000000002', 'two', 'Two')
       returning partner_id`,
    );
    expect((await app.query('select * from partners')).rows).toHaveLength(0);
    await app.query('begin');
    await app.query("select set_config('app.partner', $1, true)", [String(rows[0]?.partner_id)]);
    expect((await app.query('select code from partners')).rows).toEqual([{ code: 'one' }]);
    await app.query('commit');
    expect((await app.query('select * from partners')).rows).toHaveLength(0);
  });

  it.each(['transaction_events', 'ledger_transfers', 'audit_log'])(
    'lets no role of the product change rows of %s',
    async (table) => {
      const { rows } = await owner.query<{ role: string }>(
        `select grantee as role from information_schema.role_table_grants
         where table_name = $1 and privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE')
           and grantee in ('cardloom_app', 'cardloom_engine')`,
        [table],
      );
      expect(rows).toEqual([]);
    },
  );
});
