import { defineQuery, setHandler } from '@temporalio/workflow';
import { activitiesFor } from './activity-options.ts';
import { showStage } from './stage.ts';

export interface CustomerRemovalInput {
  readonly customerId: number;
}

export type CustomerRemovalStage = 'CARDS' | 'DEVICES' | 'VERIFICATIONS' | 'BALANCES' | 'CLOSED';

export interface CustomerRemovalState {
  readonly stage: CustomerRemovalStage;
  /** ISO 8601, start of the stage. */
  readonly since: string;
}

export const state = defineQuery<CustomerRemovalState>('state');

/**
 * Cleans up after a customer who was deleted (onboarding 2). Balances come last: a clearing that was posted after
 * the deletion may hold one open, and nothing else waits for it.
 */
export async function customerRemoval({ customerId }: CustomerRemovalInput): Promise<CustomerRemovalState> {
  const steps = activitiesFor('removal');
  const run: { stage: CustomerRemovalStage; since: string } = { stage: 'CARDS', since: '' };
  setHandler(state, () => ({ ...run }));
  const owner = await steps.readLeaver({ customerId });

  enter('CARDS');
  await steps.removeCards({ customerId });
  enter('DEVICES');
  await steps.unpairDevices({ customerId });
  enter('VERIFICATIONS');
  await steps.closeVerifications({ customerId });
  enter('BALANCES');
  await steps.closeBalances({ customerId });
  enter('CLOSED');
  return { ...run };

  function enter(stage: CustomerRemovalStage): void {
    run.stage = stage;
    run.since = showStage({ stage, needsOperator: false, subjectId: String(customerId), ...owner });
  }
}
