import { addressPlace } from '../db/customers.ts';
import { corporationAddressPlace } from '../db/corporation-addresses.ts';
import type { StoredSubjectKey } from '../db/customers.ts';
import type { Address } from '../domain/customer.ts';
import { invalid } from '../domain/errors.ts';
import { openPersonal, type PersonalField, sealPersonal } from '../vault/personal-data.ts';
import type { Vault } from '../vault/vault.ts';

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
