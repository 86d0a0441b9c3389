import { activityInfo } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import { atomically, type Trx } from '../../db/atomically.ts';
import {
  addressPlace,
  type Customer,
  lockCustomer,
  personalPlace,
  readCustomer,
} from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import { type DefaultBalance, openDefaultBalance as openBalanceFor } from '../../db/default-balance.ts';
import { remindReviewers as queueReminders } from '../../db/review-reminders.ts';
import { customerSubject, type HitSummary, hitSummary } from '../../db/screening.ts';
import {
  type Applied,
  applyDecision as decide,
  type RenewedData,
  screeningFacts,
  type VerificationOutcome,
} from '../../db/verification-decisions.ts';
import {
  lockVerification,
  notePlace,
  markPep,
  picturesOf,
  setStage as storeStage,
  type Verification,
} from '../../db/verifications.ts';
import type { Actor, Caller } from '../../domain/actor.ts';
import type { Address, PersonalData, RiskLevel } from '../../domain/customer.ts';
import type { KycMode, PictureKind, RejectionReason, VerificationStage } from '../../domain/verification.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { formOf, personOf, screen, screenAndLock } from './screening.ts';

export interface VerificationCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
}

/** What screening says about a running verification; ids and marks only. */
export interface ScreenedVerification {
  readonly customerId: number;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly mode: KycMode;
  readonly openHit: boolean;
  readonly sanctionConfirmed: boolean;
  readonly pep: boolean;
  readonly riskLevel: RiskLevel;
  /** Kinds of pictures that the form brought. */
  readonly pictures: readonly PictureKind[];
}

interface Of {
  readonly verificationId: string;
}

/** Steps of verifications that are one database transaction each (onboarding 6.2, 6.5). */
export function createVerificationActivities({ db, vault }: VerificationCollaborators) {
  const inOneCommit = <T>(work: (trx: Trx) => Promise<T>, actor: Actor = SYSTEM): Promise<T> =>
    atomically(db, callerOf(actor), work);

  return {
    /** Compares the person of the form with all lists and stores hits; a confirmed PEP marks the case. */
    async screenPerson({ verificationId }: Of): Promise<ScreenedVerification> {
      const screening = { db, vault, caller: callerOf(SYSTEM) };
      const facts = await screen(screening, (trx) => lockVerification(trx, verificationId), conclude);
      // There is always a form: its row is never deleted.
      if (facts === null) throw new Error('a verification without a person');
      return facts;
    },

    /** The facts of `screenPerson` again, after a hit was decided. */
    async readScreening({ verificationId }: Of): Promise<ScreenedVerification> {
      return await inOneCommit(async (trx) => {
        const { verification, customer } = await lockVerification(trx, verificationId);
        const hits = await hitSummary(trx, customerSubject(customer.customerId));
        return await conclude(trx, { verification, customer }, hits);
      });
    },

    /** Shows where a running verification stands. */
    async setStage(of: Of & { readonly stage: Exclude<VerificationStage, 'CLOSED'> }): Promise<void> {
      await inOneCommit((trx) => storeStage(trx, of.verificationId, of.stage));
    },

    /** Mails the reviewers of a case that still waits for them; answers how many. */
    async remindReviewers({ verificationId }: Of): Promise<number> {
      return await inOneCommit(async (trx) => {
        const { verification } = await lockVerification(trx, verificationId);
        return await queueReminders(trx, verification);
      });
    },

    /** Ends a verification in one commit (6.2, step 5), or refers it to a person; repeated: nothing more happens. */
    async applyDecision(of: Of & AppliedDecision): Promise<Applied> {
      return await inOneCommit(async (trx) => {
        const { verification, customer } = await lockVerification(trx, of.verificationId);
        const outcome: VerificationOutcome = {
          status: of.status,
          reason: of.reason,
          decidedBy: of.decidedBy,
          note:
            of.note === null
              ? null
              : sealPersonal(vault, customer.subjectKey, notePlace(of.verificationId), of.note),
          notify: of.notify,
        };
        const renewed = of.status === 'ACCEPTED' ? renew(vault, customer, verification) : null;
        return await decide(trx, { verification, customer }, outcome, renewed);
      }, actorOf(of.decidedBy));
    },

    /** Opens the balance that comes with kyc SUCCESS (6.4); repeated: it is there. */
    async openDefaultBalance(of: { readonly customerId: number }): Promise<DefaultBalance['kind']> {
      return await inOneCommit(async (trx) => (await openBalanceFor(trx, of.customerId)).kind);
    },

    /** Screens a customer whom the partner verified; a hit on a sanction list locks them at once (6.5). */
    async screenCustomer(of: { readonly customerId: number }): Promise<ScreenedCustomer> {
      const screening = { db, vault, caller: callerOf(SYSTEM) };
      const { customerId } = of;
      const { sanction } = await screenAndLock(screening, (trx) => lockCustomer(trx, 'every', customerId));
      return await inOneCommit(async (trx) =>
        ownerOf(await readCustomer(trx, 'every', customerId), sanction),
      );
    },
  };
}

export interface AppliedDecision {
  readonly status: 'ACCEPTED' | 'REJECTED';
  readonly reason: RejectionReason | null;
  readonly decidedBy: string;
  readonly note: string | null;
  readonly notify: boolean;
}

export interface ScreenedCustomer {
  readonly partnerId: number;
  readonly programmeId: number;
  readonly locked: boolean;
}

const ownerOf = ({ partnerId, programmeId }: Customer, locked: boolean): ScreenedCustomer => ({
  partnerId,
  programmeId,
  locked,
});

const SYSTEM: Actor = { type: 'SYSTEM', id: 'verification' };

/** Who stands in the audit trail: `cli:<user>`, an operator's id, or the platform for itself and the provider. */
function actorOf(decidedBy: string): Actor {
  if (decidedBy === 'PROVIDER' || decidedBy === 'SYSTEM') return SYSTEM;
  if (decidedBy.startsWith('cli:')) return { type: 'CLI', id: decidedBy.slice('cli:'.length) };
  return { type: 'OPERATOR', id: decidedBy };
}

const callerOf = (actor: Actor): Caller => ({
  partnerId: null,
  actor,
  requestId: activityInfo().workflowExecution?.workflowId ?? 'verification',
  ip: null,
});

async function conclude(
  trx: Trx,
  { verification, customer }: { readonly verification: Verification; readonly customer: Customer },
  hits: HitSummary,
): Promise<ScreenedVerification> {
  if (hits.pepConfirmed && !verification.pep) await markPep(trx, verification.verificationId);
  const pictures = await picturesOf(trx, verification.verificationId);
  return {
    customerId: verification.customerId,
    partnerId: verification.partnerId,
    programmeId: verification.programmeId,
    mode: verification.mode,
    ...screeningFacts({ verification, customer }, hits),
    sanctionConfirmed: hits.sanctionConfirmed,
    pictures: pictures.map((one) => one.kind),
  };
}

/** Names, birth date, nationality and residence as the accepted form has them. */
function renew(vault: Vault, customer: Customer, verification: Verification): RenewedData {
  const { subjectKey } = customer;
  const form = formOf(vault, customer, verification);
  const person: PersonalData = {
    ...personOf(vault, customer),
    firstName: form.firstName,
    lastName: form.lastName,
    birthDate: form.birthDate,
    nationality: form.nationality,
  };
  const residence: Address = {
    street: form.street,
    number: form.number,
    apartment: form.apartment,
    city: form.city,
    postCode: form.postCode,
    country: form.country,
    region: null,
  };
  const { subjectId } = subjectKey;
  return {
    personal: sealPersonal(vault, subjectKey, personalPlace(subjectId), person),
    residence: sealPersonal(vault, subjectKey, addressPlace(subjectId, 'RESIDENCE'), residence),
  };
}
