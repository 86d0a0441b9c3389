import { audit } from '../../db/audit-log.ts';
import type { Trx } from '../../db/atomically.ts';
import type { Corporation } from '../../db/corporations.ts';
import { type KybApplication, kybPersonPlace, readKybApplication } from '../../db/kyb-applications.ts';
import { kybPersons, type StoredPerson } from '../../db/kyb-form.ts';
import {
  companyEntries,
  flagKyb,
  isCompanySanctioned,
  kybHits,
  recordKybHits,
} from '../../db/kyb-screening.ts';
import { recordHits, screeningEntriesFor, screeningThresholdOf } from '../../db/screening.ts';
import { addTransactionalLock } from '../../db/transactional-locks.ts';
import type { KybPerson } from '../../domain/kyb-form.ts';
import { companyMatchesOf, matchesOf, type ScreeningMatch } from '../../domain/screening.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';

/** Compares a company, under all its names, with all lists and stores the hits on its application (onboarding 6.7). */
export async function screenCompany(
  trx: Trx,
  application: KybApplication,
  names: readonly (string | null)[] = [application.companyName],
): Promise<void> {
  const matches = await matchesOfCompany(trx, application.programmeId, names);
  await recordKybHits(trx, application, { type: 'CORPORATION' }, matches);
}

/** Compares one person of an application with all lists and stores the hits. */
export async function screenKybPerson(
  trx: Trx,
  vault: Vault,
  application: KybApplication,
  { personId, personal }: StoredPerson,
): Promise<void> {
  const { subjectKey } = application;
  const person = openPersonal<KybPerson>(vault, subjectKey, kybPersonPlace(personId), personal);
  const birthYear = Number((person.birthDate ?? '').slice(0, 4));
  const named = { firstName: person.firstName ?? '', lastName: person.lastName ?? '', birthYear };
  const threshold = await screeningThresholdOf(trx, application.programmeId);
  const matches = matchesOf(named, await screeningEntriesFor(trx, birthYear), threshold);
  await recordKybHits(trx, application, { type: 'PERSON', personId }, matches);
}

/** Compares the company and the persons of an application under review with the lists as they are now. */
export async function rescreenApplication(
  trx: Trx,
  vault: Vault,
  application: KybApplication,
): Promise<void> {
  const { applicationId } = application;
  await screenCompany(trx, application);
  await screenPersons(trx, vault, application);
  if ((await kybHits(trx, applicationId)).openHit) await flagKyb(trx, applicationId, 'SCREENING_HIT');
}

/**
 * Screens a corporation outside of an application (onboarding 4, 6.7), with its persons where it was made of one: a
 * sanction hit that nobody found false locks it at once. Answers whether it was locked now.
 */
export async function screenCorporation(trx: Trx, vault: Vault, corporation: Corporation): Promise<boolean> {
  const { corporationId, partnerId, programmeId, kybApplicationId, name, state } = corporation;
  if (state === 'DELETED') return false;
  if (kybApplicationId === null) {
    const matches = await matchesOfCompany(trx, programmeId, [name]);
    const subject = { type: 'CORPORATION', ref: corporationId } as const;
    await recordHits(trx, subject, { partnerId, verificationId: null }, matches);
  } else {
    // The hits hang on the application, so that what was found false during its review stays so.
    const application = await readKybApplication(trx, 'every', kybApplicationId);
    await screenCompany(trx, application, [application.companyName, name]);
    await screenPersons(trx, vault, application);
  }
  const sanctioned = await isCompanySanctioned(trx, corporationId);
  await audit(trx, {
    action: 'corporation.screened',
    objectType: 'corporation',
    objectId: corporationId,
    partnerId,
    after: { sanctioned },
  });
  if (!sanctioned) return false;
  const lock = { reason: 'SCREENING_DETECTED', origin: 'SYSTEM' } as const;
  return (await addTransactionalLock(trx, corporation, lock)) === 'ADDED';
}

async function screenPersons(trx: Trx, vault: Vault, application: KybApplication): Promise<void> {
  for (const person of await kybPersons(trx, application.applicationId)) {
    await screenKybPerson(trx, vault, application, person);
  }
}

/** Entries that a company may be under any of its names, each once. */
async function matchesOfCompany(
  trx: Trx,
  programmeId: number,
  names: readonly (string | null)[],
): Promise<ScreeningMatch[]> {
  const threshold = await screeningThresholdOf(trx, programmeId);
  const entries = await companyEntries(trx);
  const found = new Map<string, ScreeningMatch>();
  for (const name of new Set(names.filter((one) => one !== null))) {
    for (const match of companyMatchesOf(name, entries, threshold)) {
      const key = `${match.listCode}/${match.entryId}`;
      if (match.score > (found.get(key)?.score ?? 0)) found.set(key, match);
    }
  }
  return [...found.values()];
}
