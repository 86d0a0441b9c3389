import { type Kysely, sql } from 'kysely';

/**
 * What reminds of certificates that end (channels 9), and what the nightly proof of the audit log found
 * (administration 7).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- Days before the end that the newest reminder was for; null = nobody was reminded yet.
      alter table certificates add column reminded_days smallint;
      -- Only what channels decide by is told to them: not when a certificate was used, or its holder reminded.
      drop trigger tell_certificate_change on certificates;
      create trigger tell_certificate_change
        after update of partner_id, label, scopes, programmes, state, not_before, not_after or delete on certificates
        for each statement execute function tell_certificate_change();
      create index certificates_ending on certificates (not_after) where state = 'ACTIVE';
      alter table connections
        add column reminded_days smallint,
        add column client_not_after timestamptz;

      -- The last proof of each chain. Of nobody: engine only.
      create table audit_verifications (
        chain text primary key,
        checked_at timestamptz not null,
        rows bigint not null,
        ok boolean not null,
        first_bad_seq bigint,
        problem text check (problem in ('HASH', 'GAP', 'ORDER', 'ANCHOR')),
        anchors_checked int not null,
        anchors_forged int not null,
        last_anchor_at timestamptz
      );
      grant select, insert, update on audit_verifications to cardloom_engine;
    `,
    )
    .execute(db);
}
