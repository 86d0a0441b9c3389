import type { Kysely } from 'kysely';
import type { CardProduct } from './cards.ts';
import type { Database } from './database.ts';

/** A card product with what its programme is called outside. */
export interface ProductOfProgramme extends CardProduct {
  readonly programmePublicId: string;
  readonly issuerCode: string;
}

interface ProductFilter {
  /** Inner id of the only partner that the reader may see; null: all. */
  readonly own: number | null;
  /** Public id. */
  readonly programmeId?: string | undefined;
  readonly configId?: string | undefined;
  readonly beforeId?: number | undefined;
  readonly limit: number;
}

/** Card products, newest first; one `configId` may stand in several programmes. */
export async function listCardProducts(
  db: Kysely<Database>,
  filter: ProductFilter,
): Promise<ProductOfProgramme[]> {
  let query = db
    .selectFrom('card_products')
    .innerJoin('programmes', 'programmes.programme_id', 'card_products.programme_id')
    .selectAll('card_products')
    .select(['programmes.public_id as programmePublicId', 'programmes.issuer_code as issuerCode']);
  if (filter.own !== null) query = query.where('card_products.partner_id', '=', filter.own);
  if (filter.programmeId !== undefined) query = query.where('programmes.public_id', '=', filter.programmeId);
  if (filter.configId !== undefined) query = query.where('config_id', '=', filter.configId);
  if (filter.beforeId !== undefined) query = query.where('product_id', '<', filter.beforeId);
  return await query.orderBy('product_id', 'desc').limit(filter.limit).execute();
}
