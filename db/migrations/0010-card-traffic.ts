import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** What the later kinds of card messages need: a memory for likely repeats, and an end of announced credits. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- Amount and merchant of the card's newest authorization: another like it within a minute is flagged.
      alter table card_states add column newest_fingerprint int;
      alter table card_states add column newest_at timestamptz;

      alter table programmes add column allow_partial_approval boolean not null default false;

      -- An announced credit holds nothing and expires all the same.
      drop index transactions_open_holds;
      create index transactions_to_expire on transactions (expires_at) where expires_at is not null;

      -- What the network booked without asking, a clearing or a stand-in: an authorization that comes late is put to
      -- it. Few, and asked for by every authorization, which would else have to look into each partition.
      create table unasked_transactions (
        network_reference text not null,
        transaction_id uuid not null,
        partner_id int not null,
        created_at timestamptz not null default cardloom_now(),
        primary key (network_reference, transaction_id)
      );
    `,
    )
    .execute(db);
  await protectTenantTable(db, 'unasked_transactions', { engine: ['select', 'insert', 'delete'] });
}
