import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Token buckets that have to hold over all processes and restarts (channels 14). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- A bucket is full again at full_at; one that is full is as good as none.
      create table rate_buckets (
        partner_id int not null references partners,
        bucket text not null,
        full_at timestamptz not null,
        primary key (partner_id, bucket)
      );
      create index rate_buckets_full on rate_buckets (full_at);
    `,
    )
    .execute(db);
  const readWrite = ['select', 'insert', 'update'] as const;
  await protectTenantTable(db, 'rate_buckets', { app: readWrite, engine: [...readWrite, 'delete'] });
}
