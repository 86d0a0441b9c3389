import { defineQuery, setHandler } from '@temporalio/workflow';
import { activitiesFor } from './activity-options.ts';
import { showStage } from './stage.ts';

export interface CorporationRemovalInput {
  readonly corporationId: string;
}

export type CorporationRemovalStage = 'CARDS' | 'BALANCES' | 'CLOSED';

export interface CorporationRemovalState {
  readonly stage: CorporationRemovalStage;
  /** ISO 8601, start of the stage. */
  readonly since: string;
}

export const state = defineQuery<CorporationRemovalState>('state');

/** Cleans up after a corporation that was deleted (onboarding 4): as `customerRemoval`, without a person's things. */
export async function corporationRemoval(input: CorporationRemovalInput): Promise<CorporationRemovalState> {
  const { corporationId } = input;
  const steps = activitiesFor('removal');
  const run: { stage: CorporationRemovalStage; since: string } = { stage: 'CARDS', since: '' };
  setHandler(state, () => ({ ...run }));
  const owner = await steps.readLeaver({ corporationId });

  enter('CARDS');
  await steps.removeCards({ corporationId });
  enter('BALANCES');
  await steps.closeBalances({ corporationId });
  enter('CLOSED');
  return { ...run };

  function enter(stage: CorporationRemovalStage): void {
    run.stage = stage;
    run.since = showStage({ stage, needsOperator: false, subjectId: corporationId, ...owner });
  }
}
