import type { Kysely } from 'kysely';
import type { CardProduct } from './cards.ts';
import type { Database } from './database.ts';

interface ProductFilter {
  readonly programmeIds: readonly number[];
  readonly configId?: string | undefined;
  readonly beforeId?: number | undefined;
  readonly limit: number;
}

/** Card products of the programmes named, newest first; one `configId` may stand in several programmes. */
export async function listCardProducts(db: Kysely<Database>, filter: ProductFilter): Promise<CardProduct[]> {
  if (filter.programmeIds.length === 0) return [];
  let query = db.selectFrom('card_products').selectAll().where('programme_id', 'in', filter.programmeIds);
  if (filter.configId !== undefined) query = query.where('config_id', '=', filter.configId);
  if (filter.beforeId !== undefined) query = query.where('product_id', '<', filter.beforeId);
  return await query.orderBy('product_id', 'desc').limit(filter.limit).execute();
}
