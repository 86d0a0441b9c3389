import { type Kysely, sql } from 'kysely';
import { grant } from '../row-security.ts';

/**
 * What operators change besides money (channels 9, administration 4.18): certificates are asked for before they are
 * issued, partners have contacts and a version, and operators of a partner work on its exceptions and certificates.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table partners
        add column legal_name text not null default '',
        add column contacts jsonb not null default '[]',
        add column partner_rate int not null default 100 check (partner_rate between 1 and 10000),
        add column version int not null default 1;
      update partners set legal_name = name;

      -- Until it is approved a certificate has its request, and neither serial nor dates.
      alter table certificates
        alter column serial drop not null,
        alter column fingerprint_sha256 drop not null,
        alter column not_before drop not null,
        alter column not_after drop not null,
        alter column subject drop not null,
        add column requested_subject text,
        add column key_type text,
        add column csr_pem text,
        add column certificate_pem text,
        add column validity_days smallint check (validity_days between 1 and 397),
        add column requested_by text,
        add column approved_by text,
        add constraint certificates_issued check (
          state in ('PENDING', 'REJECTED')
          or (serial is not null and fingerprint_sha256 is not null and not_before is not null
            and not_after is not null and subject is not null));
      create index certificates_of_partner on certificates (partner_id, certificate_id);
    `,
    )
    .execute(db);
  await grant(db, 'exceptions', 'cardloom_app', ['insert', 'update']);
  await grant(db, 'certificates', 'cardloom_app', ['insert', 'update']);
  // An Admin of a partner changes the ceilings of its programmes and products, and nothing else of them.
  for (const table of ['programmes', 'card_products']) {
    await sql.raw(`grant update (limits, version) on ${table} to cardloom_app`).execute(db);
  }
  await grant(db, 'partners', 'cardloom_engine', ['insert']);
  await grant(db, 'programmes', 'cardloom_engine', ['insert']);
}
