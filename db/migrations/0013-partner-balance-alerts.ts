import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Alerts on partner balances in a table of their own, and a way to find mails among the outbox rows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- The row of a partner balance is locked by every authorization of its programme: nothing seldom stands there.
      alter table partner_balances drop column alert;

      create table partner_balance_alerts (
        partner_balance_id uuid primary key references partner_balances,
        partner_id int not null references partners,
        threshold bigint not null check (threshold >= 0),
        rearm_level bigint not null check (rearm_level >= threshold),
        emails text[] not null check (cardinality(emails) between 1 and 10),
        enabled boolean not null,
        state text not null default 'ARMED' check (state in ('ARMED', 'FIRED')),
        fired_at timestamptz,
        -- When the addresses were last told that it is low.
        told_at timestamptz,
        version int not null default 1,
        check ((state = 'FIRED') = (fired_at is not null)),
        check ((fired_at is null) = (told_at is null))
      );

      create index outbox_messages on outbox (id) where destination = 'message';
    `,
    )
    .execute(db);
  await protectTenantTable(db, 'partner_balance_alerts', {
    app: ['select', 'insert', 'update'],
    engine: ['select', 'insert', 'update'],
  });
}
