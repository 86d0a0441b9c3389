import type { CorporationAddressType } from '../domain/corporation.ts';
import { Refusal } from '../domain/errors.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { Corporation } from './corporations.ts';
import type { SealedAddress } from './customer-addresses.ts';

/** Where an address of a corporation is sealed. */
export const corporationAddressPlace = (subjectId: string, type: string) =>
  ({ table: 'corporation_addresses', rowId: `${subjectId}:${type}`, field: 'address' }) as const;

/** Addresses of a corporation by type; of a deleted one none is shown. */
export async function listCorporationAddresses(
  trx: Trx,
  corporation: Corporation,
): Promise<SealedAddress<CorporationAddressType>[]> {
  if (corporation.state === 'DELETED') return [];
  return await trx
    .selectFrom('corporation_addresses')
    .select(['type', 'address'])
    .where('corporation_id', '=', corporation.corporationId)
    .orderBy('type')
    .execute();
}

/** Stores or replaces the one address of its type. Throws `STATE_CONFLICT` for a deleted corporation. */
export async function changeCorporationAddress(
  trx: Trx,
  corporation: Corporation,
  { type, address }: SealedAddress<CorporationAddressType>,
): Promise<'ADDED' | 'REPLACED'> {
  refuseDeleted(corporation);
  const before = await trx
    .selectFrom('corporation_addresses')
    .select('type')
    .where('corporation_id', '=', corporation.corporationId)
    .where('type', '=', type)
    .executeTakeFirst();
  const { corporationId: corporation_id, partnerId: partner_id } = corporation;
  await trx
    .insertInto('corporation_addresses')
    .values({ corporation_id, partner_id, type, address, updated_at: nowOf(trx) })
    .onConflict((conflict) =>
      conflict.columns(['corporation_id', 'type']).doUpdateSet({ address, updated_at: nowOf(trx) }),
    )
    .execute();
  await recordChange(trx, corporation, type);
  return before === undefined ? 'ADDED' : 'REPLACED';
}

/** Deletes an address. Throws `ADDRESS_NOT_FOUND`, `STATE_CONFLICT` for a deleted corporation. */
export async function deleteCorporationAddress(
  trx: Trx,
  corporation: Corporation,
  type: CorporationAddressType,
): Promise<void> {
  refuseDeleted(corporation);
  const { numDeletedRows } = await trx
    .deleteFrom('corporation_addresses')
    .where('corporation_id', '=', corporation.corporationId)
    .where('type', '=', type)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw new Refusal('ADDRESS_NOT_FOUND', 'There is no address of this type.');
  await recordChange(trx, corporation, type);
}

function refuseDeleted({ state }: Corporation): void {
  if (state === 'DELETED') throw new Refusal('STATE_CONFLICT', 'The corporation is deleted.');
}

async function recordChange(trx: Trx, corporation: Corporation, type: CorporationAddressType): Promise<void> {
  await audit(trx, {
    action: 'corporation.address_changed',
    objectType: 'corporation',
    objectId: corporation.corporationId,
    after: { type },
    partnerId: corporation.partnerId,
  });
}
