import { type Kysely, sql } from 'kysely';
import { grant } from '../row-security.ts';

/** What is kept for a time and then deleted (operations 7.3, onboarding 3, 5). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- Null once the file is deleted, 30 days after it came.
      alter table user_imports alter column file_key drop not null;
      create index user_imports_with_file on user_imports (created_at) where file_key is not null;

      -- One mark for a batch, so that the rows of old batches are not looked at every night.
      alter table delivery_batches add column bodies_purged boolean not null default false;
      create index delivery_batches_with_bodies on delivery_batches (created_at) where not bodies_purged;
    `,
    )
    .execute(db);
  for (const table of ['operator_sessions', 'operator_logins', 'operator_links']) {
    await grant(db, table, 'cardloom_engine', ['delete']);
  }
}
