import { activitiesFor } from './activity-options.ts';

/** A day's look at documents that are no longer good: locks, and mails to those whose document ends soon (onboarding 6.6). */
export async function documentExpiry(): Promise<{ readonly locked: number; readonly told: number }> {
  const { lockExpiredDocuments, tellEndingDocuments } = activitiesFor('job');
  const locked = await lockExpiredDocuments();
  return { locked, told: await tellEndingDocuments() };
}
