import { defineQuery, proxyActivities, setHandler } from '@temporalio/workflow';
import type { createVerificationActivities } from '../activities/database/verifications.ts';
import { showStage } from './stage.ts';

export interface EmployeeScreeningInput {
  readonly customerId: number;
}

export interface EmployeeScreeningState {
  readonly stage: 'SCREENING' | 'CLOSED';
  /** True when a sanction list had the employee, who then got the lock SCREENING_DETECTED. */
  readonly locked: boolean;
  readonly since: string;
}

export const state = defineQuery<EmployeeScreeningState>('state');

// Nothing but our own faults can fail it, so it repeats without end.
const database = proxyActivities<ReturnType<typeof createVerificationActivities>>({
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

/** Screens an employee whose kyc the programme waives; no card is made for them before (onboarding 4). */
export async function employeeScreening({
  customerId,
}: EmployeeScreeningInput): Promise<EmployeeScreeningState> {
  const subject = { needsOperator: false, subjectId: String(customerId) };
  let run: EmployeeScreeningState = { stage: 'SCREENING', locked: false, since: '' };
  setHandler(state, () => run);
  run = { ...run, since: showStage({ stage: 'SCREENING', ...subject }) };
  const { partnerId, programmeId, locked } = await database.screenCustomer({ customerId });
  const since = showStage({ stage: 'CLOSED', ...subject, partnerId, programmeId });
  run = { stage: 'CLOSED', locked, since };
  return run;
}
