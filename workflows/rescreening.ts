import { continueAsNew, defineQuery, patched, setHandler } from '@temporalio/workflow';
import type { CompanyBlock } from '../activities/database/company-jobs.ts';
import { activitiesFor } from './activity-options.ts';

export interface RescreeningInput {
  /** The last customer that an earlier run has looked at. */
  readonly afterCustomerId?: number;
  /** Where an earlier run stopped with the companies; absent while it looked at customers. */
  readonly companies?: CompanyBlock;
  readonly screened?: number;
  readonly locked?: number;
  /** Blocks a run looks at before it goes on as a new one. */
  readonly blocksPerRun?: number;
}

export interface RescreeningState {
  /** Customers, applications of companies and corporations. */
  readonly screened: number;
  /** Customers and corporations who got the lock SCREENING_DETECTED. */
  readonly locked: number;
}

export const state = defineQuery<RescreeningState>('state');

const BLOCKS_PER_RUN = 200;

/**
 * Compares everybody with the lists as they are now (onboarding 6.7): customers, then companies and their persons;
 * after a new list, and every night.
 */
export async function rescreening(input: RescreeningInput): Promise<RescreeningState> {
  const { rescreenCustomers, rescreenCompanies } = activitiesFor('job');
  const { blocksPerRun = BLOCKS_PER_RUN } = input;
  let { afterCustomerId = 0, companies, screened = 0, locked = 0 } = input;
  setHandler(state, () => ({ screened, locked }));
  for (let block = 0; block < blocksPerRun; block += 1) {
    if (companies === undefined) {
      const done = await rescreenCustomers({ afterCustomerId });
      screened += done.screened;
      locked += done.locked;
      if (done.lastCustomerId !== null) {
        afterCustomerId = done.lastCustomerId;
        continue;
      }
      // A run that began before companies were looked at ends with the customers.
      if (!patched('companies')) return { screened, locked };
      companies = { part: 'APPLICATIONS', after: null };
    } else {
      const done = await rescreenCompanies(companies);
      screened += done.screened;
      locked += done.locked;
      if (done.next === null) return { screened, locked };
      companies = done.next;
    }
  }
  const { companies: _from, ...given } = input;
  return await continueAsNew<typeof rescreening>({
    ...given,
    afterCustomerId,
    ...(companies === undefined ? {} : { companies }),
    screened,
    locked,
  });
}
