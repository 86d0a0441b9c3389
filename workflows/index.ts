/** All workflows: the entry of the bundle. */
export { clearingFile } from './clearing-file.ts';
export { corporationOnboarding } from './corporation-onboarding.ts';
export { customerVerification } from './customer-verification.ts';
export { documentExpiry } from './document-expiry.ts';
export { employeeScreening } from './employee-screening.ts';
export { externalVerification } from './external-verification.ts';
export { holdRelease } from './hold-release.ts';
export { lockExpiry } from './lock-expiry.ts';
export { notificationBatch } from './notification-batch.ts';
export { notificationDelivery } from './notification-delivery.ts';
export { processorInstruction } from './processor-instruction.ts';
export { reconciliation } from './reconciliation.ts';
export { rescreening } from './rescreening.ts';
export { scheduledJob } from './scheduled-job.ts';
export { userImport } from './user-import.ts';
