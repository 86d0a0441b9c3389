import type { Kysely } from 'kysely';
import { nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';

/** Passwords that are not taken again, the present one among them (channels 12). */
const REMEMBERED = 4;

/** Stored forms of an operator's last passwords, the present one first; none before the first. Engine only. */
export async function lastPasswords(engine: Kysely<Database>, operatorId: string): Promise<string[]> {
  const rows = await engine
    .selectFrom('operator_passwords')
    .select('hash')
    .where('operator_id', '=', operatorId)
    .orderBy('password_id', 'desc')
    .limit(REMEMBERED)
    .execute();
  return rows.map((row) => row.hash);
}

/** Makes `hash` an operator's password. Engine only. */
export async function storePassword(
  trx: Trx,
  operator: { readonly operatorId: string; readonly partnerId: number | null },
  hash: string,
): Promise<void> {
  const { operatorId, partnerId } = operator;
  await trx
    .insertInto('operator_passwords')
    .values({ operator_id: operatorId, partner_id: partnerId, hash, created_at: nowOf(trx) })
    .execute();
}
