import { activitiesFor } from './activity-options.ts';

/** Lifts the temporary locks whose time has come (onboarding 7). */
export async function lockExpiry(): Promise<{ readonly lifted: number }> {
  const { liftExpiredLocks } = activitiesFor('job');
  return { lifted: await liftExpiredLocks() };
}
