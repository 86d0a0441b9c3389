import { sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import { aboveCeiling, limitsNothing } from '../domain/limit-document.ts';
import { type LimitDocument, NO_LIMITS } from '../domain/limit.ts';
import type { Trx } from './atomically.ts';
import { auditChange } from './limits.ts';

/** A programme by its issuer code, or a card product of it. */
export interface CeilingOf {
  readonly issuerCode: string;
  readonly configId: string | null;
}

/** The limits that stand above those of cards and customers. Throws `PROGRAMME_NOT_FOUND`, `CARD_PRODUCT_NOT_FOUND`. */
export async function readCeiling(trx: Trx, of: CeilingOf): Promise<LimitDocument> {
  const programme = (await programmeOf(trx, of.issuerCode).executeTakeFirst()) ?? refuseProgramme();
  if (of.configId === null) return programme.limits ?? NO_LIMITS;
  const product = await productOf(trx, programme.programme_id, of.configId).executeTakeFirst();
  return (product ?? refuseProduct()).limits ?? NO_LIMITS;
}

/**
 * Replaces the limits of a programme or of a card product (money 9); the version that decisions compare their
 * copy with goes up, so the next one sees them. Limits of cards that lie above are left, the ceiling is checked
 * beside them. Engine only. Throws the refusals of `readCeiling`, `LIMIT_ABOVE_CEILING` for a product above its
 * programme.
 */
export async function putCeiling(trx: Trx, of: CeilingOf, document: LimitDocument): Promise<void> {
  const { issuerCode, configId } = of;
  const programme =
    (await programmeOf(trx, issuerCode).forNoKeyUpdate().executeTakeFirst()) ?? refuseProgramme();
  if (configId === null) await putProgramme(trx, programme, document);
  else await putProduct(trx, programme, configId, document);
}

type ProgrammeRow = NonNullable<Awaited<ReturnType<ReturnType<typeof programmeOf>['executeTakeFirst']>>>;

async function putProgramme(trx: Trx, programme: ProgrammeRow, document: LimitDocument): Promise<void> {
  await trx
    .updateTable('programmes')
    .set(columnsOf(document))
    .where('programme_id', '=', programme.programme_id)
    .execute();
  const changed = { type: 'programme', id: programme.public_id, partnerId: programme.partner_id } as const;
  await auditChange(trx, changed, programme.limits, document);
}

async function putProduct(
  trx: Trx,
  programme: ProgrammeRow,
  configId: string,
  document: LimitDocument,
): Promise<void> {
  const product =
    (await productOf(trx, programme.programme_id, configId).forNoKeyUpdate().executeTakeFirst()) ??
    refuseProduct();
  const fields = aboveCeiling(document, [programme.limits]);
  if (fields.length > 0) {
    throw new Refusal('LIMIT_ABOVE_CEILING', 'A limit is above what the programme allows.', { fields });
  }
  await trx
    .updateTable('card_products')
    .set(columnsOf(document))
    .where('product_id', '=', product.product_id)
    .execute();
  const changed = { type: 'card_product', id: configId, partnerId: programme.partner_id } as const;
  await auditChange(trx, changed, product.limits, document);
}

const columnsOf = (document: LimitDocument) => ({
  limits: limitsNothing(document) ? null : JSON.stringify(document),
  version: sql<number>`version + 1`,
});

const programmeOf = (trx: Trx, issuerCode: string) =>
  trx
    .selectFrom('programmes')
    .select(['programme_id', 'public_id', 'partner_id', 'limits'])
    .where('issuer_code', '=', issuerCode);

const productOf = (trx: Trx, programmeId: number, configId: string) =>
  trx
    .selectFrom('card_products')
    .select(['product_id', 'limits'])
    .where('programme_id', '=', programmeId)
    .where('config_id', '=', configId);

function refuseProgramme(): never {
  throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
}

function refuseProduct(): never {
  throw new Refusal('CARD_PRODUCT_NOT_FOUND', 'There is no such card product.');
}
