import type { Kysely, Selectable } from 'kysely';
import type { Database, PartnersTable } from './database.ts';

export type PartnerRow = Selectable<PartnersTable>;

/** One partner by its inner id. Throws where there is none. */
export const readPartner = async (db: Kysely<Database>, partnerId: number): Promise<PartnerRow> =>
  await db.selectFrom('partners').selectAll().where('partner_id', '=', partnerId).executeTakeFirstOrThrow();

/** One partner by its public id; of `own` alone where that is a number. Undefined when there is none. */
export async function findPartnerRow(
  db: Kysely<Database>,
  publicId: string,
  own: number | null,
): Promise<PartnerRow | undefined> {
  let query = db.selectFrom('partners').selectAll().where('public_id', '=', publicId);
  if (own !== null) query = query.where('partner_id', '=', own);
  return await query.executeTakeFirst();
}

/** Partners, newest first; `own` alone where that is a number. */
export async function listPartners(
  db: Kysely<Database>,
  { own, beforeId, limit }: { own: number | null; beforeId?: number | undefined; limit: number },
): Promise<PartnerRow[]> {
  let query = db.selectFrom('partners').selectAll();
  if (own !== null) query = query.where('partner_id', '=', own);
  if (beforeId !== undefined) query = query.where('partner_id', '<', beforeId);
  return await query.orderBy('partner_id', 'desc').limit(limit).execute();
}
