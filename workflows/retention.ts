import { activitiesFor } from './activity-options.ts';

/** What a night's run has deleted. */
export interface Deleted {
  readonly importFiles: number;
  readonly verifications: number;
  readonly applications: number;
  readonly deliveryBodies: number;
  readonly idempotencyKeys: number;
}

/** Deletes what was kept long enough (operations 7.3); what one kind waits for does not hold up the others. */
export async function retention(): Promise<Deleted> {
  const { deleteDueFiles, shredKybApplications, purgeDeliveryBodies, forgetIdempotencyKeys } =
    activitiesFor('job');
  const [importFiles, verifications, applications, deliveryBodies, idempotencyKeys] = await Promise.all([
    deleteDueFiles({ kind: 'import' }),
    deleteDueFiles({ kind: 'verification' }),
    shredKybApplications(),
    purgeDeliveryBodies(),
    forgetIdempotencyKeys(),
  ]);
  return { importFiles, verifications, applications, deliveryBodies, idempotencyKeys };
}
