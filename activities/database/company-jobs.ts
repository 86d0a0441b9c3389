import { activityInfo } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import { atomically, type Trx } from '../../db/atomically.ts';
import { holdCorporation } from '../../db/corporations.ts';
import type { Database } from '../../db/database.ts';
import { lockKybApplication } from '../../db/kyb-applications.ts';
import { applicationsToScreen, corporationsToScreen } from '../../db/screening-lists.ts';
import { isFinal } from '../../domain/kyb-application.ts';
import type { Caller } from '../../domain/actor.ts';
import type { Vault } from '../../vault/vault.ts';
import { rescreenApplication, screenCorporation as screen } from './company-screening.ts';

export interface CompanyJobCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
}

/** Where a rescreening of companies stands: what is looked at, and after which id. */
export interface CompanyBlock {
  readonly part: 'APPLICATIONS' | 'CORPORATIONS';
  readonly after: string | null;
}

/** What a block came to. */
export interface RescreenedCompanies {
  readonly screened: number;
  readonly locked: number;
  /** Where the next block begins; null when there is nobody left. */
  readonly next: CompanyBlock | null;
}

const BLOCK = 50;

/** Screening of companies outside of their applications (onboarding 4, 6.7); each company is a commit of its own. */
export function createCompanyJobActivities({ db, vault }: CompanyJobCollaborators) {
  const inOneCommit = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(db, jobCaller(), work);

  const screenOne = (corporationId: string): Promise<boolean> =>
    inOneCommit(async (trx) => screen(trx, vault, await holdCorporation(trx, 'every', corporationId)));

  return {
    /** Screens one corporation, after the partner said that it has verified it. */
    async screenCorporation({
      corporationId,
    }: {
      readonly corporationId: string;
    }): Promise<ScreenedCorporation> {
      return await inOneCommit(async (trx) => {
        const corporation = await holdCorporation(trx, 'every', corporationId);
        const { partnerId, programmeId } = corporation;
        return { partnerId, programmeId, locked: await screen(trx, vault, corporation) };
      });
    },

    /** Compares the next block of companies, and their persons, with the lists as they are now. */
    async rescreenCompanies({ part, after }: CompanyBlock): Promise<RescreenedCompanies> {
      if (part === 'APPLICATIONS') {
        const ids = await applicationsToScreen(db, after, BLOCK);
        for (const applicationId of ids) {
          await inOneCommit(async (trx) => {
            const application = await lockKybApplication(trx, 'every', applicationId);
            if (!isFinal(application.status)) await rescreenApplication(trx, vault, application);
          });
        }
        const last = ids.at(-1);
        const next: CompanyBlock =
          last === undefined ? { part: 'CORPORATIONS', after: null } : { part, after: last };
        return { screened: ids.length, locked: 0, next };
      }
      const ids = await corporationsToScreen(db, after, BLOCK);
      let locked = 0;
      for (const corporationId of ids) if (await screenOne(corporationId)) locked += 1;
      const last = ids.at(-1);
      return { screened: ids.length, locked, next: last === undefined ? null : { part, after: last } };
    },
  };
}

/** What the screening of one corporation came to. */
export interface ScreenedCorporation {
  readonly partnerId: number;
  readonly programmeId: number;
  /** True when it got the lock SCREENING_DETECTED now. */
  readonly locked: boolean;
}

const jobCaller = (): Caller => ({
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'company-jobs' },
  requestId: activityInfo().workflowExecution?.workflowId ?? 'company-jobs',
  ip: null,
});
