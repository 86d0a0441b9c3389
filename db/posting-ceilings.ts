import { sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import type { InternalType } from '../domain/transaction-type.ts';
import { audit } from './audit-log.ts';
import type { Trx } from './atomically.ts';

/**
 * Sets the most that one posting of a type may move in a programme, in minor units of a currency; null takes
 * the ceiling away. Throws `PROGRAMME_NOT_FOUND`. Engine or owner.
 */
export async function setPostingCeiling(
  trx: Trx,
  issuerCode: string,
  {
    type,
    currency,
    amount,
  }: {
    readonly type: InternalType;
    readonly currency: string;
    readonly amount: number | null;
  },
): Promise<void> {
  const programme = await trx
    .selectFrom('programmes')
    .select(['programme_id', 'partner_id', 'posting_ceilings'])
    .where('issuer_code', '=', issuerCode)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (programme === undefined) throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
  const before = programme.posting_ceilings;
  const { [currency]: former = null, ...others } = before[type] ?? {};
  const ceilings = amount === null ? others : { ...others, [currency]: amount };
  await trx
    .updateTable('programmes')
    .set((row) => ({
      posting_ceilings: JSON.stringify({ ...before, [type]: ceilings }),
      version: sql<number>`${row.ref('version')} + 1`,
    }))
    .where('programme_id', '=', programme.programme_id)
    .execute();
  await audit(trx, {
    action: 'programme.posting_ceiling_set',
    objectType: 'programme',
    objectId: issuerCode,
    before: { type, currency, amount: former },
    after: { type, currency, amount },
    partnerId: programme.partner_id,
  });
}
