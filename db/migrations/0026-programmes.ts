import { type Kysely, sql } from 'kysely';
import { grant } from '../row-security.ts';

/**
 * Programmes and card products are written by operators (administration 4.18, cards 1). A programme is ACTIVE or
 * CLOSED; what channels keep of programmes is emptied when one changes.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table programmes drop constraint programmes_state_check;
      update programmes set state = 'CLOSED' where state = 'SUSPENDED';
      alter table programmes add constraint programmes_state_check check (state in ('ACTIVE', 'CLOSED'));
      create trigger tell_programme_change after insert or update on programmes
        for each statement execute function tell_certificate_change();
    `,
    )
    .execute(db);
  await grant(db, 'card_products', 'cardloom_engine', ['insert']);
}
