import { type Kysely, sql } from 'kysely';

/**
 * Counters that keep one guess from paying for another (channels 12): mailed links apart from codes, and wrong codes
 * of a step-up; the time of last use of a certificate, of which listeners need not hear.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table operator_sign_ins
        add column links_started_at timestamptz not null default cardloom_now(),
        add column links int not null default 0;
      -- Misses of the mailed step-up code; the third kills it.
      alter table operator_sessions add column code_wrong int not null default 0;

      drop trigger tell_certificate_change on certificates;
      create trigger tell_certificate_change
        after delete or update of partner_id, label, scopes, programmes, fingerprint_sha256, not_before, not_after, state
        on certificates for each statement execute function tell_certificate_change();
    `,
    )
    .execute(db);
}
