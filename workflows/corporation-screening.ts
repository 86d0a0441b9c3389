import { defineQuery, proxyActivities, setHandler } from '@temporalio/workflow';
import type { createCompanyJobActivities } from '../activities/database/company-jobs.ts';
import { showStage } from './stage.ts';

export interface CorporationScreeningInput {
  readonly corporationId: string;
}

export interface CorporationScreeningState {
  readonly stage: 'SCREENING' | 'CLOSED';
  /** True when a sanction list had the company or one of its persons, and it got the lock SCREENING_DETECTED. */
  readonly locked: boolean;
  /** ISO 8601, start of the stage. */
  readonly since: string;
}

export const state = defineQuery<CorporationScreeningState>('state');

// One database transaction; nothing but our own faults can fail it, so it repeats without end.
const database = proxyActivities<ReturnType<typeof createCompanyJobActivities>>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

/** What follows when a corporation's kyb is sent or comes from an application: it is screened (onboarding 4). */
export async function corporationScreening(
  input: CorporationScreeningInput,
): Promise<CorporationScreeningState> {
  const { corporationId } = input;
  const run: { stage: CorporationScreeningState['stage']; locked: boolean; since: string } = {
    stage: 'SCREENING',
    locked: false,
    since: '',
  };
  setHandler(state, () => ({ ...run }));
  const shown = { needsOperator: false, subjectId: corporationId };
  run.since = showStage({ stage: 'SCREENING', ...shown });
  const { partnerId, programmeId, locked } = await database.screenCorporation({ corporationId });
  run.locked = locked;
  run.stage = 'CLOSED';
  run.since = showStage({ stage: 'CLOSED', ...shown, partnerId, programmeId });
  return { ...run };
}
