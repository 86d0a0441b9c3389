import { continueAsNew, defineQuery, setHandler } from '@temporalio/workflow';
import { activitiesFor } from './activity-options.ts';

export interface RescreeningInput {
  /** The last customer that an earlier run has looked at. */
  readonly afterCustomerId?: number;
  readonly screened?: number;
  readonly locked?: number;
  /** Blocks of customers a run looks at before it goes on as a new one. */
  readonly blocksPerRun?: number;
}

export interface RescreeningState {
  readonly screened: number;
  /** Customers who got the lock SCREENING_DETECTED. */
  readonly locked: number;
}

export const state = defineQuery<RescreeningState>('state');

const BLOCKS_PER_RUN = 200;

/** Compares everybody with the lists as they are now (onboarding 6.7): after a new list, and every night. */
export async function rescreening(input: RescreeningInput): Promise<RescreeningState> {
  const { rescreenCustomers } = activitiesFor('job');
  const { blocksPerRun = BLOCKS_PER_RUN } = input;
  let { afterCustomerId = 0, screened = 0, locked = 0 } = input;
  setHandler(state, () => ({ screened, locked }));
  for (let block = 0; block < blocksPerRun; block += 1) {
    const done = await rescreenCustomers({ afterCustomerId });
    screened += done.screened;
    locked += done.locked;
    if (done.lastCustomerId === null) return { screened, locked };
    afterCustomerId = done.lastCustomerId;
  }
  return await continueAsNew<typeof rescreening>({ ...input, afterCustomerId, screened, locked });
}
