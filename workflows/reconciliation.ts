import { setCurrentDetails } from '@temporalio/workflow';
import type { ReconciliationJob, ReconciliationVerdict } from '../domain/reconciliation.ts';
import { activitiesFor } from './activity-options.ts';

export interface ReconciliationInput {
  readonly job: ReconciliationJob;
}

/** One run of a job that a schedule has started (authorization 16). */
export async function reconciliation({ job }: ReconciliationInput): Promise<ReconciliationVerdict> {
  const { reconcile } = activitiesFor('job');
  const verdict = await reconcile({ job });
  if (!verdict.ok) setCurrentDetails(`**DIFFERENCE** in ${verdict.invariants.join(', ')}`);
  return verdict;
}
