import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Where the card numbers of a product come from; all ranges are test ranges. */
export interface Product {
  readonly productId: string;
  readonly from: bigint;
  readonly to: bigint;
  /** Currency the product is bound to; null when it takes the one of the request. */
  readonly currency: string | null;
}

interface ProductTable {
  readonly products: readonly { productId: string; from: string; to: string; currency: string }[];
  readonly families: readonly { prefix: string; from: string; to: string; slices: number }[];
}

export type FindProduct = (productId: string) => Product | null;

/** The lookup over `products.json`: a named product, else the slice of its family's range, else null. */
export function readProducts(): FindProduct {
  const table = JSON.parse(readFileSync(new URL('./products.json', import.meta.url), 'utf8')) as ProductTable;
  return (productId) => {
    const named = table.products.find((one) => one.productId === productId);
    if (named !== undefined) return { ...named, from: BigInt(named.from), to: BigInt(named.to) };
    const family = table.families.find((one) => productId.startsWith(one.prefix));
    if (family === undefined) return null;
    const width = (BigInt(family.to) + 1n - BigInt(family.from)) / BigInt(family.slices);
    const slice = createHash('sha256').update(productId).digest().readUInt32BE(0) % family.slices;
    const from = BigInt(family.from) + width * BigInt(slice);
    return { productId, from, to: from + width - 1n, currency: null };
  };
}
