import type { HoldRelease, HoldReleaseResult } from '../domain/hold-release.ts';
import { activitiesFor } from './activity-options.ts';

/** An operator's release of a hold, decided once however often it is tried (money 5). */
export async function holdRelease(release: HoldRelease): Promise<HoldReleaseResult> {
  return await activitiesFor('posting').releaseHold(release);
}
