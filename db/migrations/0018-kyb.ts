import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Applications of companies: sections, persons, documents, comments, reviews, resume tokens, mails. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table programmes
        -- Whether an accepted application makes its corporation by itself (onboarding 8.5, step 6).
        add column auto_corporation boolean not null default false;

      create table kyb_applications (
        application_id uuid primary key,
        subject_id uuid not null unique references subject_keys,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        status text not null default 'DRAFT' check (status in ('DRAFT', 'SUBMITTED', 'IN_REVIEW',
          'NEEDS_CORRECTION', 'ON_HOLD', 'ACCEPTED', 'REJECTED', 'EXPIRED')),
        channel text not null check (channel in ('PUBLIC', 'SERVER', 'ADMIN')),
        -- How often it was submitted.
        round int not null default 0,
        -- By which a resume link is asked for.
        email_index bytea not null,
        -- Of the address that a public application came from: ten a day.
        ip_index bytea,
        -- What lists show and search; the sections hold everything else, sealed.
        company_name text,
        country text,
        tax_id text,
        flags text[] not null default '{}',
        -- Reason of a hold or a rejection, sealed under the subject key.
        reason bytea,
        note bytea,
        decided_by text,
        claimed_by text,
        claimed_until timestamptz,
        version int not null default 1,
        touched_at timestamptz not null default cardloom_now(),
        submitted_at timestamptz,
        decided_at timestamptz,
        created_at timestamptz not null default cardloom_now(),
        check ((status in ('ACCEPTED', 'REJECTED', 'EXPIRED')) = (decided_at is not null))
      );
      create index kyb_applications_of_programme on kyb_applications (programme_id, application_id);
      create index kyb_applications_email on kyb_applications (email_index);
      create index kyb_applications_ip on kyb_applications (ip_index, created_at) where ip_index is not null;
      create index kyb_applications_waiting on kyb_applications (application_id)
        where status in ('SUBMITTED', 'IN_REVIEW', 'ON_HOLD');

      create table kyb_sections (
        application_id uuid not null references kyb_applications,
        section text not null check (section in ('CONTACT', 'ENTITY', 'BUSINESS', 'PERSONS', 'DOCUMENTS')),
        partner_id int not null references partners,
        state text not null default 'PENDING' check (state in ('PENDING', 'VERIFIED', 'NEEDS_CORRECTION')),
        -- JSON under the subject key; null until filled, and always for DOCUMENTS.
        content bytea,
        -- True when it was changed since an operator marked it.
        changed boolean not null default false,
        reviewed_by text,
        reviewed_at timestamptz,
        primary key (application_id, section)
      );

      create table kyb_persons (
        person_id uuid primary key,
        application_id uuid not null references kyb_applications,
        partner_id int not null references partners,
        position smallint not null,
        roles text[] not null,
        -- Hundredths of a percent, 0 to 10000; null while it is not filled in.
        ownership smallint check (ownership between 0 and 10000),
        control_by_other_means boolean not null default false,
        pep boolean not null default false,
        sanctioned boolean not null default false,
        -- The person's whole form: JSON under the subject key.
        personal bytea not null,
        -- The round in which these data were screened; null since they last changed.
        screened_round int
      );
      create index kyb_persons_of on kyb_persons (application_id, position);

      create table kyb_documents (
        document_id uuid primary key,
        application_id uuid not null references kyb_applications,
        partner_id int not null references partners,
        type text not null,
        person_id uuid references kyb_persons,
        document_type text,
        media_type text not null,
        bytes int not null,
        sha256 text not null,
        store_key text not null,
        created_at timestamptz not null default cardloom_now()
      );
      create index kyb_documents_of on kyb_documents (application_id, document_id);

      -- One way: from operators to the applicant.
      create table kyb_comments (
        comment_id uuid primary key,
        application_id uuid not null references kyb_applications,
        partner_id int not null references partners,
        section text,
        text bytea not null,
        operator text not null,
        created_at timestamptz not null default cardloom_now()
      );
      create index kyb_comments_of on kyb_comments (application_id, comment_id);

      -- What operators did to an application, in order.
      create table kyb_reviews (
        review_id uuid primary key,
        application_id uuid not null references kyb_applications,
        partner_id int not null references partners,
        action text not null,
        section text,
        result text,
        operator text not null,
        -- The update that asked for it: done once, however often its step is tried.
        command_key text unique,
        created_at timestamptz not null default cardloom_now()
      );
      create index kyb_reviews_of on kyb_reviews (application_id, review_id);

      -- HMAC of each token that opens an application; the token itself is never stored.
      create table kyb_tokens (
        token_hash bytea primary key,
        application_id uuid not null references kyb_applications,
        partner_id int not null references partners,
        expires_at timestamptz not null,
        created_at timestamptz not null default cardloom_now()
      );
      create index kyb_tokens_of on kyb_tokens (application_id);

      -- Mails asked for, so that a step that is tried again asks once.
      create table kyb_mails (
        mail_key text primary key,
        application_id uuid not null references kyb_applications,
        partner_id int not null references partners,
        created_at timestamptz not null default cardloom_now()
      );

      -- The application during which a hit was found: its workflow is told of the decision.
      alter table screening_hits add column kyb_application_id uuid;
      create index screening_hits_of_application on screening_hits (kyb_application_id)
        where kyb_application_id is not null;
    `,
    )
    .execute(db);
  const readWrite = ['select', 'insert', 'update'] as const;
  const everything = [...readWrite, 'delete'] as const;
  const insertOnly = ['select', 'insert'] as const;
  await protectTenantTable(db, 'kyb_applications', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'kyb_sections', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'kyb_persons', { app: everything, engine: everything });
  await protectTenantTable(db, 'kyb_documents', { app: everything, engine: everything });
  await protectTenantTable(db, 'kyb_comments', { app: insertOnly, engine: insertOnly });
  await protectTenantTable(db, 'kyb_reviews', { app: insertOnly, engine: insertOnly });
  await protectTenantTable(db, 'kyb_tokens', { app: ['select', 'insert', 'delete'], engine: everything });
  await protectTenantTable(db, 'kyb_mails', { app: insertOnly, engine: insertOnly });
}
