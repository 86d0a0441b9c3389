import type { Trx } from '../db/atomically.ts';
import { changeAddress, listAddresses } from '../db/customer-addresses.ts';
import { addressPlace, type Customer } from '../db/customers.ts';
import { corporationAddressPlace } from '../db/corporation-addresses.ts';
import type { StoredSubjectKey } from '../db/customers.ts';
import { type Address, ADDRESS_TYPES, type AddressType } from '../domain/customer.ts';
import { invalid } from '../domain/errors.ts';
import { openPersonal, type PersonalField, sealPersonal } from '../vault/personal-data.ts';
import type { Vault } from '../vault/vault.ts';
import type { Answer } from './route.ts';
import { type addressBody, toAddress } from './schemas/address.ts';
import type { z } from './schemas/shared.ts';

/** What the address calls of users and corporations share (onboarding 2, 4). */

export type PlaceOf = (subjectId: string, type: string) => PersonalField;

export const ofCustomer: PlaceOf = addressPlace;
export const ofCorporation: PlaceOf = corporationAddressPlace;

/** An address sealed under its owner's key. */
export const sealAddress = (
  vault: Vault,
  key: StoredSubjectKey,
  placeOf: PlaceOf,
  type: string,
  address: Address,
): Buffer => sealPersonal(vault, key, placeOf(key.subjectId, type), address);

/** The wire's address. */
export const presentAddress = (
  vault: Vault,
  key: StoredSubjectKey,
  placeOf: PlaceOf,
  { type, address }: { readonly type: string; readonly address: Buffer },
) => ({ type, ...openPersonal<Address>(vault, key, placeOf(key.subjectId, type), address) });

/** The wire's addresses of a user. */
export async function userAddresses(trx: Trx, vault: Vault, customer: Customer) {
  const addresses = await listAddresses(trx, customer);
  return addresses.map((one) => presentAddress(vault, customer.subjectKey, ofCustomer, one));
}

/** Stores the one address of its type of a user held by `lockCustomer`. Throws `STATE_CONFLICT`, `VALIDATION_ERROR`. */
export async function putUserAddress(
  trx: Trx,
  vault: Vault,
  customer: Customer,
  sent: { readonly type: AddressType | undefined; readonly body: z.output<typeof addressBody> },
): Promise<Answer> {
  const type = namedType(ADDRESS_TYPES, sent.type, sent.body.type);
  const address = toAddress(sent.body);
  const sealed = sealAddress(vault, customer.subjectKey, ofCustomer, type, address);
  const result = await changeAddress(trx, customer, { type, address: sealed });
  return { status: result === 'ADDED' ? 201 : 200, body: { type, ...address } };
}

/** The one type that path or body names. Throws `VALIDATION_ERROR` when both, none or a word of no type does. */
export function namedType<Type extends string>(
  types: readonly Type[],
  inPath: string | undefined,
  inBody: unknown,
): Type {
  if (inPath !== undefined && inBody !== undefined) {
    throw invalid([{ field: 'type', message: 'is not known here' }]);
  }
  const sent = inPath ?? inBody;
  const found = typeof sent === 'string' ? types.find((one) => one === sent.trim().toUpperCase()) : undefined;
  if (found === undefined) throw invalid([{ field: 'type', message: `must be one of ${types.join(', ')}` }]);
  return found;
}
