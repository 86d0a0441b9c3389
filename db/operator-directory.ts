import type { Kysely } from 'kysely';
import type { Database } from './database.ts';

/** True for an active operator of a partner; `partnerId` null = of any, or of the platform. */
export async function isActiveOperator(
  db: Kysely<Database>,
  operatorId: string,
  partnerId: number | null,
): Promise<boolean> {
  let query = db
    .selectFrom('operators')
    .select('operator_id')
    .where('operator_id', '=', operatorId)
    .where('state', '=', 'ACTIVE');
  if (partnerId !== null) query = query.where('partner_id', '=', partnerId);
  return (await query.executeTakeFirst()) !== undefined;
}
