import { activityInfo } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import { atomically, nowOf, type Trx } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import {
  type KybApplication,
  lockKybApplication,
  readKybApplication,
  sectionMarks,
} from '../../db/kyb-applications.ts';
import { kybPersons } from '../../db/kyb-form.ts';
import { queueKybMail, remindKybReviewers as remind } from '../../db/kyb-mails.ts';
import { applyKybCommand as apply, endKybWait as endWait, type SealText } from '../../db/kyb-reviews.ts';
import { flagPersonChecks, personsToCheck, type PersonToCheck } from '../../db/kyb-person-checks.ts';
import { flagKyb, kybHits, markScreened } from '../../db/kyb-screening.ts';
import type { Actor, Caller } from '../../domain/actor.ts';
import type { KybCommand, KybStatus, SectionMark } from '../../domain/kyb-application.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { toFailure } from '../errors.ts';
import { screenCompany, screenKybPerson as screenPerson } from './company-screening.ts';
import { makeCorporation } from './kyb-corporation.ts';

export interface KybCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
}

/** Where an application stands; ids and marks only. */
export interface KybState {
  readonly partnerId: number;
  readonly programmeId: number;
  readonly status: KybStatus;
  readonly round: number;
  readonly sections: readonly SectionMark[];
}

interface Of {
  readonly applicationId: string;
}

/** What is left to be done of a round, once the company is screened. */
export interface ScreenedCompany {
  readonly persons: readonly string[];
  /** Absent in runs that began before there were any. */
  readonly checks?: readonly PersonToCheck[];
}

/** Steps of company applications that are one database transaction each (onboarding 8.5). */
export function createKybActivities({ db, vault }: KybCollaborators) {
  const inOneCommit = <T>(work: (trx: Trx) => Promise<T>, actor: Actor = SYSTEM): Promise<T> =>
    atomically(db, callerOf(actor), work);

  return {
    /** Mail 1: the resume link, or an invitation to what an operator has prepared. */
    async startKyb({ applicationId }: Of): Promise<KybState> {
      return await inOneCommit(async (trx) => {
        const application = await lockKybApplication(trx, 'every', applicationId);
        const mail = application.channel === 'ADMIN' ? 'invitation' : 'started';
        await queueKybMail(trx, application, { applicationId, mail }, '1');
        return await stateOf(trx, application);
      });
    },

    /** Where the application stands now. */
    async readKyb({ applicationId }: Of): Promise<KybState> {
      return await inOneCommit(async (trx) =>
        stateOf(trx, await readKybApplication(trx, 'every', applicationId)),
      );
    },

    /** Reminds of a draft, each time once. */
    async remindKybApplicant({ applicationId, reminder }: Of & { readonly reminder: number }): Promise<void> {
      await inOneCommit(async (trx) => {
        const application = await lockKybApplication(trx, 'every', applicationId);
        if (application.status !== 'DRAFT') return;
        await queueKybMail(trx, application, { applicationId, mail: 'reminder' }, `reminder:${reminder}`);
      });
    },

    /** Reminds reviewers of an application that waits for them. */
    async remindKybReviewers({ applicationId }: Of): Promise<void> {
      await inOneCommit(async (trx) => {
        const application = await lockKybApplication(trx, 'every', applicationId);
        if (application.status === 'SUBMITTED' || application.status === 'IN_REVIEW') {
          await remind(trx, application);
        }
      });
    },

    /** Ends a wait for the applicant, unless they were at work meanwhile; then `leftMs` are left of it. */
    async endKybWait(
      of: Of & { readonly status: 'DRAFT' | 'NEEDS_CORRECTION'; readonly untouchedMs: number },
    ): Promise<{ readonly state: KybState; readonly leftMs: number }> {
      const { applicationId, untouchedMs } = of;
      return await inOneCommit(async (trx) => {
        const application = await lockKybApplication(trx, 'every', applicationId);
        await endWait(trx, application, of);
        const idleMs = nowOf(trx).getTime() - application.touchedAt.getTime();
        const state = await stateOf(trx, await readKybApplication(trx, 'every', applicationId));
        return { state, leftMs: Math.max(0, untouchedMs - idleMs) };
      });
    },

    /**
     * Compares the company with all lists; gives the persons that were not screened since they changed, and those
     * whom the provider is to look at.
     */
    async screenKybCompany({ applicationId }: Of): Promise<ScreenedCompany> {
      return await inOneCommit(async (trx) => {
        const application = await lockKybApplication(trx, 'every', applicationId);
        await screenCompany(trx, application);
        const persons = await kybPersons(trx, applicationId);
        return {
          persons: persons.filter((one) => one.screenedRound === null).map((one) => one.personId),
          checks: await personsToCheck(trx, application),
        };
      });
    },

    /** Compares one person of the company with all lists. */
    async screenKybPerson({ applicationId, personId }: Of & { readonly personId: string }): Promise<void> {
      await inOneCommit(async (trx) => {
        const application = await lockKybApplication(trx, 'every', applicationId);
        const stored = (await kybPersons(trx, applicationId)).find((one) => one.personId === personId);
        if (stored === undefined) return;
        await screenPerson(trx, vault, application, stored);
        await markScreened(trx, application, personId);
      });
    },

    /** Flags what the reviewer must know, and mails 2; once for each round. */
    async concludeKybScreening(
      of: Of & { readonly round: number; readonly complete: boolean },
    ): Promise<KybState> {
      const { applicationId } = of;
      return await inOneCommit(async (trx) => {
        const application = await lockKybApplication(trx, 'every', applicationId);
        const hits = await kybHits(trx, applicationId);
        if (!of.complete) await flagKyb(trx, applicationId, 'SCREENING_MISSING');
        if (hits.openHit) await flagKyb(trx, applicationId, 'SCREENING_HIT');
        await flagPersonChecks(trx, applicationId);
        await queueKybMail(trx, application, { applicationId, mail: 'submitted' }, `2:${of.round}`);
        return await stateOf(trx, await readKybApplication(trx, 'every', applicationId));
      });
    },

    /** Does what an operator asked for, once for each `key`; refusals are final under their title. */
    async applyKybCommand(
      of: Of & { readonly command: KybCommand; readonly key: string },
    ): Promise<KybState> {
      const { applicationId, command, key } = of;
      try {
        return await inOneCommit(async (trx) => {
          const { subjectKey } = await readKybApplication(trx, 'every', applicationId);
          const seal: SealText = (place, text) => sealPersonal(vault, subjectKey, place, text);
          const after = await apply(trx, applicationId, command, { key, seal });
          if (after.status === 'ACCEPTED') await makeCorporation(trx, vault, after);
          return await stateOf(trx, after);
        }, actorOf(command.operatorId));
      } catch (error) {
        throw toFailure(error);
      }
    },
  };
}

async function stateOf(trx: Trx, application: KybApplication): Promise<KybState> {
  const { partnerId, programmeId, status, round } = application;
  return {
    partnerId,
    programmeId,
    status,
    round,
    sections: await sectionMarks(trx, application.applicationId),
  };
}

const SYSTEM: Actor = { type: 'SYSTEM', id: 'onboarding' };

const actorOf = (operatorId: string): Actor =>
  operatorId.startsWith('cli:')
    ? { type: 'CLI', id: operatorId.slice('cli:'.length) }
    : { type: 'OPERATOR', id: operatorId };

const callerOf = (actor: Actor): Caller => ({
  partnerId: null,
  actor,
  requestId: activityInfo().workflowExecution?.workflowId ?? 'onboarding',
  ip: null,
});
