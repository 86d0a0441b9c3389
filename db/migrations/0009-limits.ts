import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Limits, budgets and controls of cards, products, programmes and customers, and what counts against them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- The document that was put (domain/limit.ts); null when none was.
      alter table card_states drop column controls;
      alter table card_states add column limits jsonb;
      -- Since when there has been a budget: what was held before has not counted against it.
      alter table card_states add column budget_since timestamptz;
      alter table card_products add column limits jsonb;
      alter table programmes add column limits jsonb;

      -- Only customers for whom a limit was set have a row: it is locked by every authorization of their cards.
      create table customer_limits (
        customer_id bigint primary key,
        partner_id int not null,
        limits jsonb not null,
        limits_version int not null default 1,
        -- As card_states.consumed.
        consumed bigint[] not null default '{0,0,0,0,0,0,0,0,0,0,0,0,0}',
        consumed_on date,
        budget_since timestamptz,
        -- What was held before has not counted against these limits.
        created_at timestamptz not null default cardloom_now()
      ) with (fillfactor = 60);
    `,
    )
    .execute(db);
  await protectTenantTable(db, 'customer_limits', {
    app: ['select', 'insert', 'update'],
    engine: ['select', 'insert', 'update'],
  });
}
