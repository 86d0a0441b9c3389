import { defineQuery, proxyActivities, setHandler } from '@temporalio/workflow';
import type { createVerificationActivities } from '../activities/database/verifications.ts';
import { showStage } from './stage.ts';

export interface ExternalVerificationInput {
  readonly customerId: number;
  /** Counts the customer's changes to kyc SUCCESS. */
  readonly n: number;
}

export type ExternalVerificationStage = 'SCREENING' | 'BALANCE' | 'CLOSED';

export interface ExternalVerificationState {
  readonly stage: ExternalVerificationStage;
  /** True when a sanction list had the customer, who then got the lock SCREENING_DETECTED. */
  readonly locked: boolean;
  readonly since: string;
}

export const state = defineQuery<ExternalVerificationState>('state');

// One short database transaction each; nothing but our own faults can fail them, so they repeat without end.
const database = proxyActivities<ReturnType<typeof createVerificationActivities>>({
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

/** What follows when a partner says that it has verified a customer itself (onboarding 6.5). */
export async function externalVerification(
  input: ExternalVerificationInput,
): Promise<ExternalVerificationState> {
  const { customerId } = input;
  const subjectId = String(customerId);
  const run = { stage: 'SCREENING' as ExternalVerificationStage, locked: false, since: '' };
  setHandler(state, () => ({ ...run }));

  run.since = showStage({ stage: 'SCREENING', needsOperator: false, subjectId });
  const { partnerId, programmeId, locked } = await database.screenCustomer({ customerId });
  run.locked = locked;

  run.stage = 'BALANCE';
  run.since = showStage({ stage: 'BALANCE', needsOperator: false, subjectId, partnerId, programmeId });
  await database.openDefaultBalance({ customerId });

  run.stage = 'CLOSED';
  run.since = showStage({ stage: 'CLOSED', needsOperator: false, subjectId, partnerId, programmeId });
  return { ...run };
}
