import { type Kysely, sql } from 'kysely';
import { grant, protectTenantTable } from '../row-security.ts';

/** Checks of a company's persons by the KYC provider, and the end of an application's personal data. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- One run of person-verification:{personId}:{round}; shown to reviewers, it decides nothing.
      create table kyb_person_checks (
        person_id uuid not null references kyb_persons on delete cascade,
        round int not null,
        application_id uuid not null references kyb_applications,
        partner_id int not null references partners,
        provider_code text,
        applicant_id text,
        check_id text,
        state text not null default 'RUNNING' check (state in ('RUNNING', 'COMPLETED', 'MISSING')),
        outcome text check (outcome in ('APPROVED', 'REJECTED', 'REVIEW')),
        reasons text[] not null default '{}',
        created_at timestamptz not null default cardloom_now(),
        ended_at timestamptz,
        primary key (person_id, round),
        check ((state = 'COMPLETED') = (outcome is not null)),
        check ((state = 'RUNNING') = (ended_at is null))
      );
      create index kyb_person_checks_of on kyb_person_checks (application_id);

      -- Years that files and personal data are kept after a relation has ended (onboarding 2, 5).
      alter table programmes add column retention_years int not null default 5
        check (retention_years between 1 and 30);
      -- When files, persons and texts of an application were destroyed with its key.
      alter table kyb_applications add column shredded_at timestamptz;
      create index kyb_applications_ended on kyb_applications (decided_at)
        where decided_at is not null and shredded_at is null;
    `,
    )
    .execute(db);
  await protectTenantTable(db, 'kyb_person_checks', {
    app: ['select'],
    engine: ['select', 'insert', 'update', 'delete'],
  });
  await grant(db, 'kyb_comments', 'cardloom_engine', ['delete']);
  await grant(db, 'verification_documents', 'cardloom_engine', ['delete']);
}
