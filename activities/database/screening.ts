import { audit } from '../../db/audit-log.ts';
import type { Trx } from '../../db/atomically.ts';
import { type Customer, personalPlace } from '../../db/customers.ts';
import {
  customerSubject,
  type HitSummary,
  hitSummary,
  recordHits,
  screeningEntriesFor,
  screeningThresholdOf,
} from '../../db/screening.ts';
import { addTransactionalLock } from '../../db/transactional-locks.ts';
import { formPlace, type Verification } from '../../db/verifications.ts';
import type { PersonalData } from '../../domain/customer.ts';
import { matchesOf } from '../../domain/screening.ts';
import type { VerificationForm } from '../../domain/verification.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';

/** Compares a customer, or the person of their form, with all lists and stores the hits (onboarding 6.7). */
export async function screen(
  trx: Trx,
  vault: Vault,
  customer: Customer,
  verification: Verification | null,
): Promise<HitSummary> {
  const person = verification === null ? personOf(vault, customer) : formOf(vault, customer, verification);
  const birthYear = Number(person.birthDate.slice(0, 4));
  const entries = await screeningEntriesFor(trx, birthYear);
  const { customerId, partnerId, programmeId } = customer;
  const threshold = await screeningThresholdOf(trx, programmeId);
  const matches = matchesOf({ ...person, birthYear }, entries, threshold);
  const verificationId = verification?.verificationId ?? null;
  const subject = customerSubject(customerId);
  await recordHits(trx, subject, { partnerId, verificationId }, matches);
  await audit(trx, {
    action: 'verification.screened',
    objectType: verification === null ? 'customer' : 'verification',
    objectId: verificationId ?? customerId,
    partnerId,
    after: { entries: entries.length, matches: matches.length },
  });
  return await hitSummary(trx, subject);
}

/** Screens a customer outside of a verification: a sanction hit that nobody found false locks them at once. */
export async function screenAndLock(
  trx: Trx,
  vault: Vault,
  customer: Customer,
): Promise<{ readonly sanction: boolean; readonly newlyLocked: boolean }> {
  const { sanction } = await screen(trx, vault, customer, null);
  if (!sanction) return { sanction, newlyLocked: false };
  const lock = { reason: 'SCREENING_DETECTED', origin: 'SYSTEM' } as const;
  return { sanction, newlyLocked: (await addTransactionalLock(trx, customer, lock)) === 'ADDED' };
}

/** A customer's personal data in clear. */
export const personOf = (vault: Vault, { subjectKey, personal }: Customer): PersonalData =>
  openPersonal<PersonalData>(vault, subjectKey, personalPlace(subjectKey.subjectId), personal);

/** The form of a verification in clear. */
export const formOf = (
  vault: Vault,
  { subjectKey }: Customer,
  { verificationId, form }: Verification,
): VerificationForm => openPersonal<VerificationForm>(vault, subjectKey, formPlace(verificationId), form);
