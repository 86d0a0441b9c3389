import { type Kysely, sql } from 'kysely';

export type Right = 'select' | 'insert' | 'update' | 'delete';

interface TenantRights {
  readonly app?: readonly Right[];
  readonly engine?: readonly Right[];
}

/**
 * Puts a table with a `partner_id` column behind row security (data-model, "Roles"): channels see the rows of
 * the partner that `atomically()` has set, the engine and the owner see all. FORCE binds the owner too, hence
 * its own policy. Migrations call this for every tenant table they create.
 */
export async function protectTenantTable(
  db: Kysely<unknown>,
  table: string,
  rights: TenantRights,
): Promise<void> {
  const own = `partner_id = nullif(current_setting('app.partner', true), '')::int`;
  await sql
    .raw(
      `
      alter table ${table} enable row level security;
      alter table ${table} force row level security;
      create policy owner_all on ${table} to cardloom_owner using (true) with check (true);
      create policy engine_all on ${table} to cardloom_engine using (true) with check (true);
      create policy app_own on ${table} to cardloom_app using (${own}) with check (${own});
    `,
    )
    .execute(db);
  await grant(db, table, 'cardloom_app', rights.app ?? []);
  await grant(db, table, 'cardloom_engine', rights.engine ?? []);
}

/** Grants rights on a table; nothing is granted by default. */
export async function grant(
  db: Kysely<unknown>,
  table: string,
  role: 'cardloom_app' | 'cardloom_engine',
  rights: readonly Right[],
): Promise<void> {
  if (rights.length > 0) await sql.raw(`grant ${rights.join(', ')} on ${table} to ${role}`).execute(db);
}
