import { type Rated, refuseTaken, takeToken } from '../domain/rate-limit.ts';
import { nowOf, type Trx } from './atomically.ts';

/**
 * Takes a token from a bucket of a partner's that all processes share, and holds it until the transaction ends: what
 * does not commit took none. Throws `TOO_MANY_REQUESTS`.
 */
export async function chargeRate(trx: Trx, partnerId: number, rated: Rated): Promise<void> {
  const bucket = `${rated.row}:${rated.who}`;
  // An insert that waits for another one's row, and the lock of that row: one after the other.
  await trx
    .insertInto('rate_buckets')
    .values({ partner_id: partnerId, bucket, full_at: nowOf(trx) })
    .onConflict((conflict) => conflict.columns(['partner_id', 'bucket']).doNothing())
    .execute();
  const { full_at: fullAt } = await trx
    .selectFrom('rate_buckets')
    .select('full_at')
    .where('partner_id', '=', partnerId)
    .where('bucket', '=', bucket)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const took = takeToken(fullAt.getTime(), rated.limit, nowOf(trx).getTime());
  if (!took.taken) throw refuseTaken(rated, took);
  await trx
    .updateTable('rate_buckets')
    .set({ full_at: new Date(took.fullAtMs) })
    .where('partner_id', '=', partnerId)
    .where('bucket', '=', bucket)
    .execute();
}
