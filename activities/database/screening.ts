import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { audit } from '../../db/audit-log.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import { type Customer, markScreened, personalPlace } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import {
  customerSubject,
  type HitSummary,
  hitSummary,
  listVersions,
  recordHits,
  screeningThresholdOf,
} from '../../db/screening.ts';
import { addTransactionalLock } from '../../db/transactional-locks.ts';
import { formPlace, type Verification } from '../../db/verifications.ts';
import type { Caller } from '../../domain/actor.ts';
import type { PersonalData } from '../../domain/customer.ts';
import { matchesOf, type ScreenedPerson, type ScreeningMatch } from '../../domain/screening.ts';
import type { VerificationForm } from '../../domain/verification.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { currentPersons, type ListedPersons, versionsMark } from './listed-persons.ts';

/** What screening works with. */
export interface Screening {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
  readonly caller: Caller;
}

/** Who is screened: a customer, or the person of their form. */
export interface Screened {
  readonly customer: Customer;
  readonly verification: Verification | null;
}

/**
 * Compares somebody with all lists, stores the hits (onboarding 6.7) and lets `conclude` go on in that commit. `hold`
 * reads them and holds their row; null from it is the end: there is nobody to be screened. Comparing takes seconds
 * where lists are long, so no transaction is open meanwhile; if a list or the person has changed when it is over,
 * it begins again.
 */
export async function screen<S extends Screened, T>(
  { db, vault, caller }: Screening,
  hold: (trx: Trx) => Promise<S | null>,
  conclude: (trx: Trx, screened: S, hits: HitSummary) => Promise<T>,
): Promise<T | null> {
  for (;;) {
    const before = await atomically(db, caller, async (trx) => {
      const held = await hold(trx);
      if (held === null) return null;
      return { held, threshold: await screeningThresholdOf(trx, held.customer.programmeId) };
    });
    if (before === null) return null;
    const persons = await currentPersons(db);
    const matches = await matchesAmong(personIn(vault, before.held), persons, before.threshold);
    const concluded = await atomically(db, caller, async (trx) => {
      const held = await hold(trx);
      if (held === null) return { value: null };
      const unchanged = sealedOf(held).equals(sealedOf(before.held));
      if (!unchanged || versionsMark(await listVersions(trx)) !== persons.versions) return null;
      return { value: await conclude(trx, held, await record(trx, held, persons, matches)) };
    });
    if (concluded !== null) return concluded.value;
  }
}

/** Screens a customer outside of a verification: a sanction hit that nobody found false locks them at once. */
export async function screenAndLock(
  screening: Screening,
  hold: (trx: Trx) => Promise<Customer>,
): Promise<{ readonly sanction: boolean; readonly newlyLocked: boolean }> {
  const found = await screen(
    screening,
    async (trx) => {
      const customer = await hold(trx);
      return customer.state === 'DELETED' ? null : { customer, verification: null };
    },
    async (trx, { customer }, { sanction }) => {
      if (!sanction) return { sanction, newlyLocked: false };
      const lock = { reason: 'SCREENING_DETECTED', origin: 'SYSTEM' } as const;
      return { sanction, newlyLocked: (await addTransactionalLock(trx, customer, lock)) === 'ADDED' };
    },
  );
  return found ?? { sanction: false, newlyLocked: false };
}

// Some ten milliseconds: as long as a worker may think without looking up.
const ENTRIES_A_TURN = 2_000;

/** The matches of one person; other work of this process goes on between the slices. */
export async function matchesAmong(
  person: ScreenedPerson,
  { lists }: Pick<ListedPersons, 'lists'>,
  threshold: number,
): Promise<ScreeningMatch[]> {
  const matches: ScreeningMatch[] = [];
  for (const entries of lists) {
    for (let at = 0; at < entries.length; at += ENTRIES_A_TURN) {
      matches.push(...matchesOf(person, entries.slice(at, at + ENTRIES_A_TURN), threshold));
      await nextTurn();
    }
  }
  return matches;
}

async function record(
  trx: Trx,
  { customer, verification }: Screened,
  { lists }: ListedPersons,
  matches: readonly ScreeningMatch[],
): Promise<HitSummary> {
  const { customerId, partnerId } = customer;
  const verificationId = verification?.verificationId ?? null;
  const subject = customerSubject(customerId);
  await recordHits(trx, subject, { partnerId, verificationId }, matches);
  await markScreened(trx, customerId);
  await audit(trx, {
    action: 'verification.screened',
    objectType: verification === null ? 'customer' : 'verification',
    objectId: verificationId ?? customerId,
    partnerId,
    after: { entries: lists.reduce((sum, one) => sum + one.length, 0), matches: matches.length },
  });
  return await hitSummary(trx, subject);
}

const sealedOf = ({ customer, verification }: Screened): Buffer => verification?.form ?? customer.personal;

function personIn(vault: Vault, { customer, verification }: Screened): ScreenedPerson {
  const person = verification === null ? personOf(vault, customer) : formOf(vault, customer, verification);
  const { firstName, lastName, birthDate } = person;
  return { firstName, lastName, birthYear: Number(birthDate.slice(0, 4)) };
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
