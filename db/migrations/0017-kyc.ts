import { type Kysely, sql } from 'kysely';
import { grant, protectTenantTable } from '../row-security.ts';

/** Review of verifications, versions of screening lists, decisions on hits, lock reasons of a programme. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table programmes
        -- Score from which two names count as the same (onboarding 6.7).
        add column screening_threshold real not null default 0.92
          check (screening_threshold between 0.5 and 1),
        -- Who decides on verifications: Admin always, Manager where it is listed (onboarding 5).
        add column kyc_review_roles text[] not null default '{Admin}'
          check (kyc_review_roles <@ '{Admin,Manager}' and kyc_review_roles @> '{Admin}'),
        -- Cards made in 30 days above which a customer is locked; null = never (onboarding 7).
        add column many_cards_threshold int check (many_cards_threshold >= 1),
        -- Lock reasons of this programme beside those of the platform.
        add column extra_lock_reasons text[] not null default '{}';

      -- A claim tells others that somebody looks at the case; it guards nothing.
      alter table verifications
        add column claimed_by text,
        add column claimed_until timestamptz;
      create index verifications_in_review on verifications (verification_id)
        where status = 'IN_PROGRESS' and stage = 'REVIEW';

      create table screening_lists (
        list_code text primary key check (list_code in ('OFAC_SDN', 'UN', 'EU', 'PEP', 'CUSTOM')),
        list_version_id uuid not null unique,
        entries int not null,
        loaded_by text not null,
        loaded_at timestamptz not null default cardloom_now()
      );

      -- What an entry said when a hit on it was decided: another content makes the pair speak again.
      alter table screening_entries add column fingerprint text not null default '';
      alter table screening_hits
        add column entry_fingerprint text not null default '',
        add column decided_at timestamptz;
      create index screening_hits_open on screening_hits (hit_id) where state = 'OPEN';

      create index customers_document_expiry on customers (document_expiration_date)
        where kyc = 'SUCCESS' and document_expiration_date is not null;
      create index transactional_locks_until on transactional_locks (until) where until is not null;

      -- Mails about a document that ends: each once for a customer and a date.
      create table document_notices (
        customer_id bigint not null references customers,
        expires_on date not null,
        days_before smallint not null,
        partner_id int not null references partners,
        sent_at timestamptz not null default cardloom_now(),
        primary key (customer_id, expires_on, days_before)
      );
    `,
    )
    .execute(db);
  await grant(db, 'screening_lists', 'cardloom_engine', ['select', 'insert', 'update']);
  await grant(db, 'screening_entries', 'cardloom_engine', ['insert', 'update', 'delete']);
  await protectTenantTable(db, 'document_notices', { engine: ['select', 'insert'] });
}
