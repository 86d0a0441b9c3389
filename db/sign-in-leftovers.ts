import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

const DAY = sql`interval '24 hours'`;
const KEPT = sql`interval '30 days'`;

/**
 * Deletes what nobody can use any more: personal data of ended codes, challenges, pairing tokens, guards without a
 * guess in the last day, full token buckets; and after a month the codes and sessions themselves (operations 7.3),
 * until when an old token is still known as such. Engine only.
 */
export async function forgetSignInLeftovers(engine: Kysely<Database>): Promise<void> {
  const statements = [
    sql`update one_time_codes set data = null where expires_at < cardloom_now() and data is not null`,
    sql`delete from one_time_codes where expires_at < cardloom_now() - ${KEPT}`,
    sql`delete from sign_in_challenges where expires_at < cardloom_now()`,
    sql`delete from pairing_tokens where expires_at < cardloom_now()`,
    sql`delete from guess_guards where updated_at < cardloom_now() - ${DAY} and not closed and in_a_row = 0`,
    sql`delete from guess_guards where updated_at < cardloom_now() - ${DAY} and guarded like 'password:device:%'`,
    sql`delete from guess_guards g where updated_at < cardloom_now() - ${DAY} and guarded like 'device:%'
      and not exists (select from device_installations where guarded = 'device:' || installation_id)`,
    sql`delete from address_guards where (blocked_until is null or blocked_until < cardloom_now())
      and not exists (select from unnest(sent_at || killed_at) as at where at > cardloom_now() - ${DAY})`,
    sql`delete from rate_buckets where full_at < cardloom_now()`,
    sql`delete from customer_sessions where absolute_expires_at < cardloom_now() - ${KEPT}`,
    sql`delete from operator_sessions where absolute_expires_at < cardloom_now() - ${KEPT}`,
    sql`delete from operator_logins where expires_at < cardloom_now() - ${KEPT}`,
    sql`delete from operator_links where expires_at < cardloom_now() - ${KEPT}`,
    sql`delete from kyb_tokens where expires_at < cardloom_now() - ${KEPT}`,
  ];
  for (const statement of statements) await statement.execute(engine);
}
