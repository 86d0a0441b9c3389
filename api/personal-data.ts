import {
  type Customer,
  lockReasonPlace,
  personalPlace,
  type SealedPerson,
  type StoredSubjectKey,
} from '../db/customers.ts';
import { ageOn, type PersonalData } from '../domain/customer.ts';
import { Refusal } from '../domain/errors.ts';
import { indexPersonal, openPersonal, sealPersonal } from '../vault/personal-data.ts';
import type { Vault } from '../vault/vault.ts';

/** A person as the database keeps one: sealed, found by keyed indexes of phone and e-mail. */
export const sealPerson = (vault: Vault, key: StoredSubjectKey, personal: PersonalData): SealedPerson => ({
  personal: sealPersonal(vault, key, personalPlace(key.subjectId), personal),
  phoneIndex: phoneIndex(vault, personal.phone),
  emailIndex: emailIndex(vault, personal.email),
});

/** The person behind a customer's row. */
export const openPerson = (vault: Vault, { subjectKey, personal }: Customer): PersonalData =>
  openPersonal<PersonalData>(vault, subjectKey, personalPlace(subjectKey.subjectId), personal);

/** What was said of a lock, as the audit log keeps it; null when nothing was. */
export const sealLockReason = (
  vault: Vault,
  { subjectKey }: { readonly subjectKey: StoredSubjectKey },
  reason: string | null | undefined,
): Buffer | null =>
  reason === null || reason === undefined
    ? null
    : sealPersonal(vault, subjectKey, lockReasonPlace(subjectKey.subjectId), reason);

/** By which a phone number is found. */
export const phoneIndex = (vault: Vault, phone: string): Buffer => indexPersonal(vault, 'phone', phone);

/** By which an e-mail address is found. */
export const emailIndex = (vault: Vault, email: string): Buffer => indexPersonal(vault, 'email', email);

/** Refuses a person below the programme's age on `today` (`YYYY-MM-DD`). Throws `UNDERAGE`. */
export function refuseUnderage(birthDate: string, minAge: number, today: string): void {
  if (ageOn(birthDate, today) >= minAge) return;
  throw new Refusal('UNDERAGE', `A user of this programme must be at least ${minAge} years old.`);
}
