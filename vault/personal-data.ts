import { newDataKey, open, openDataKey, type Place, seal, type WrappedKey } from './envelope.ts';
import { keyedHash } from './keyed-hash.ts';
import { type KeyRing, newestKey } from './key-ring.ts';
import type { Vault } from './vault.ts';

/** A row of `subject_keys`: the key of one person or company. Deleting it makes their data unreadable. */
export interface SubjectKey extends WrappedKey {
  readonly subjectId: string;
  readonly partnerId: number;
}

/** Column that holds a sealed value, and its row. */
export type PersonalField = Omit<Place, 'partnerId'>;

const placeOfKey = ({ subjectId, partnerId }: Omit<SubjectKey, keyof WrappedKey>): Place => ({
  partnerId,
  table: 'subject_keys',
  rowId: subjectId,
  field: 'wrapped',
});

/** A fresh key for a subject, wrapped; the caller stores it in the transaction that stores the subject. */
export function newSubjectKey(
  vault: Vault,
  subject: { readonly subjectId: string; readonly partnerId: number },
): SubjectKey {
  const { wrapped, kekVersion } = newDataKey(vault.kek, placeOfKey(subject));
  return { ...subject, wrapped, kekVersion };
}

/** The subject's data key, opened for one use. Throws a `VaultFault` when it is another subject's. */
export const openSubjectKey = (vault: Vault, key: SubjectKey): KeyRing =>
  openDataKey(vault.kek, placeOfKey(key), key.wrapped);

/** Seals a JSON value for one column of one row. */
export function sealPersonal(vault: Vault, key: SubjectKey, field: PersonalField, value: unknown): Buffer {
  const place = { ...field, partnerId: key.partnerId };
  return seal(openSubjectKey(vault, key), place, Buffer.from(JSON.stringify(value)));
}

/** Opens what `sealPersonal` made for the same column and row. The caller knows the shape it sealed. */
export function openPersonal<T>(vault: Vault, key: SubjectKey, field: PersonalField, sealed: Uint8Array): T {
  const bytes = open(openSubjectKey(vault, key), { ...field, partnerId: key.partnerId }, sealed);
  return JSON.parse(bytes.toString('utf8')) as T;
}

/** Keyed index by which equal values of one kind (phone, email) are found without storing them in clear. */
export const indexPersonal = (vault: Vault, kind: string, value: string): Buffer =>
  keyedHash(newestKey(vault.personalDataIndex), kind, value);
