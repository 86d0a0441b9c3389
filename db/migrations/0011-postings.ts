import { type Kysely, sql } from 'kysely';

/** What internal postings, transfers and postings on partner balances need. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- Most that one posting may move: {"topUp": {"EUR": 500000}}; a type or currency left out has no ceiling.
      alter table programmes add column posting_ceilings jsonb not null default '{}';

      -- Card traffic names no partner balance: its rows stay out of this index.
      create index transactions_of_partner_balance on transactions (partner_balance_id, id)
        where partner_balance_id is not null;

      -- The company's balance opens at its first posting, which may be a fee that the partner charges; a channel
      -- opens no other.
      grant insert on partner_balances to cardloom_app;
      create policy app_opens_company on partner_balances as restrictive for insert to cardloom_app
        with check (kind = 'company');

      -- A BIN sponsor or a bank's system calls for no partner.
      alter table idempotency_keys alter column partner_id drop not null;
    `,
    )
    .execute(db);
}
