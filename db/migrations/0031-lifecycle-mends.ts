import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/**
 * A card that was never made can be removed too (cards 3): it has neither the processor's id nor an expiry. A dry run of
 * an import keeps what its rows would have taken, so that it sees rows that contradict each other.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table cards
        drop constraint cards_check,
        add constraint cards_made check (
          base_state in ('PENDING', 'FAILED') or (base_state = 'REMOVED' and failure_reason is not null)
          or (processor_card_id is not null and expiry_date is not null));

      -- Keyed indexes of phones and the like, while a dry run lasts.
      create table user_import_keys (
        import_id uuid not null references user_imports,
        kind text not null check (kind in ('row', 'phone', 'email', 'externalId')),
        key bytea not null,
        partner_id int not null references partners,
        row_no int not null,
        primary key (import_id, kind, key)
      );
      create index user_import_keys_of_row on user_import_keys (import_id, row_no);
    `,
    )
    .execute(db);
  await protectTenantTable(db, 'user_import_keys', { engine: ['select', 'insert', 'delete'] });
}
