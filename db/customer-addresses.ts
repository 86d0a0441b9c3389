import { Refusal } from '../domain/errors.ts';
import type { AddressType } from '../domain/customer.ts';
import { audit } from './audit-log.ts';
import type { Trx } from './atomically.ts';
import { type Customer, putAddress } from './customers.ts';

/** An address as it is stored, sealed for `addressPlace`. */
export interface SealedAddress<Type extends string> {
  readonly type: Type;
  readonly address: Buffer;
}

/** Addresses of a customer by type; of a deleted one none is shown. */
export async function listAddresses(trx: Trx, customer: Customer): Promise<SealedAddress<AddressType>[]> {
  if (customer.state === 'DELETED') return [];
  return await trx
    .selectFrom('customer_addresses')
    .select(['type', 'address'])
    .where('customer_id', '=', customer.customerId)
    .orderBy('type')
    .execute();
}

/**
 * Stores or replaces the one address of its type of a customer held by `lockCustomer`. Throws `STATE_CONFLICT` for
 * a deleted customer.
 */
export async function changeAddress(
  trx: Trx,
  customer: Customer,
  { type, address }: SealedAddress<AddressType>,
): Promise<'ADDED' | 'REPLACED'> {
  refuseDeleted(customer);
  const before = await trx
    .selectFrom('customer_addresses')
    .select('type')
    .where('customer_id', '=', customer.customerId)
    .where('type', '=', type)
    .executeTakeFirst();
  await putAddress(trx, customer, type, address);
  await recordChange(trx, customer, type);
  return before === undefined ? 'ADDED' : 'REPLACED';
}

/** Deletes an address of a customer held by `lockCustomer`. Throws `ADDRESS_NOT_FOUND`, `STATE_CONFLICT`. */
export async function deleteAddress(trx: Trx, customer: Customer, type: AddressType): Promise<void> {
  refuseDeleted(customer);
  const { numDeletedRows } = await trx
    .deleteFrom('customer_addresses')
    .where('customer_id', '=', customer.customerId)
    .where('type', '=', type)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw new Refusal('ADDRESS_NOT_FOUND', 'There is no address of this type.');
  await recordChange(trx, customer, type);
}

function refuseDeleted({ state }: Customer): void {
  if (state === 'DELETED') throw new Refusal('STATE_CONFLICT', 'The user is deleted.');
}

async function recordChange(trx: Trx, customer: Customer, type: AddressType): Promise<void> {
  await audit(trx, {
    action: 'customer.address_changed',
    objectType: 'customer',
    objectId: customer.customerId,
    after: { type },
    partnerId: customer.partnerId,
  });
}
