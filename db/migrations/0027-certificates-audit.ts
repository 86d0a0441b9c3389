import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/**
 * What reminds of certificates that end (channels 9), the key pairs of certificates that partners sign for us
 * (partner-integrations 14), and what the nightly check of the audit log found (administration 7).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- Days before the end that the newest reminder was for; null = nobody was reminded yet.
      alter table certificates add column reminded_days smallint;
      create index certificates_ending on certificates (not_after) where state = 'ACTIVE';
      alter table connections
        add column reminded_days smallint,
        add column client_not_after timestamptz;

      -- A key pair of ours that waits for the partner's signature.
      create table connection_keys (
        key_id uuid primary key,
        partner_id int not null references partners,
        connection_id int not null references connections,
        csr_pem text not null,
        key_sha256 text not null unique,
        -- PKCS#8, sealed.
        private_key_ct bytea not null,
        used_at timestamptz,
        created_at timestamptz not null default cardloom_now()
      );

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
  await protectTenantTable(db, 'connection_keys', {
    app: ['select', 'insert', 'update'],
    engine: ['select', 'insert', 'update'],
  });
  await sql
    .raw(
      `grant update (client_certificate_pem, client_key_ct, client_not_after, reminded_days, version)
        on connections to cardloom_app`,
    )
    .execute(db);
}
