import type { Trx } from './atomically.ts';

/** The partner of a public id in the caller's scope, or undefined. */
export async function findPartner(
  trx: Trx,
  publicId: string,
): Promise<{ readonly partnerId: number; readonly code: string } | undefined> {
  const row = await trx
    .selectFrom('partners')
    .select(['partner_id', 'code'])
    .where('public_id', '=', publicId)
    .executeTakeFirst();
  return row && { partnerId: row.partner_id, code: row.code };
}

/** Public ids of partners by their inner ids. */
export async function partnerPublicIds(
  trx: Trx,
  partnerIds: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (partnerIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('partners')
    .select(['partner_id', 'public_id'])
    .where('partner_id', 'in', [...new Set(partnerIds)])
    .execute();
  return new Map(rows.map((row) => [row.partner_id, row.public_id]));
}
