import { activitiesFor } from './activity-options.ts';

export interface RetentionResult {
  /** Applications of companies that were shredded. */
  readonly applications: number;
  /** Verifications whose files were shredded. */
  readonly verifications: number;
}

/** More blocks than this are left to the next night. */
const MOST_BLOCKS = 500;

/** A night's end of what may be kept no longer (onboarding 5, operations 7.3). */
export async function retention(): Promise<RetentionResult> {
  const { shredKybApplications, shredVerificationFiles } = activitiesFor('job');
  return {
    applications: await untilNoneIsLeft(shredKybApplications),
    verifications: await untilNoneIsLeft(shredVerificationFiles),
  };
}

async function untilNoneIsLeft(shred: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let block = 0; block < MOST_BLOCKS; block += 1) {
    const shredded = await shred();
    if (shredded === 0) break;
    total += shredded;
  }
  return total;
}
