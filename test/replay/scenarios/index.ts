import type { Scenario } from '../scenario.ts';
import { clearingFileScenarios } from './clearing-file.ts';
import { corporationOnboardingScenarios } from './corporation-onboarding.ts';
import { customerJobScenarios } from './customer-jobs.ts';
import { holdReleaseScenarios } from './hold-release.ts';
import { notificationScenarios } from './notification.ts';
import { personVerificationScenarios } from './person-verification.ts';
import { processorInstructionScenarios } from './processor-instruction.ts';
import { reconciliationScenarios } from './reconciliation.ts';
import { removalScenarios } from './removal.ts';
import { retentionScenarios } from './retention.ts';
import { userImportScenarios } from './user-import.ts';
import { verificationScenarios } from './verification.ts';

/** Every path that is recorded; a new workflow adds a file beside this and a line here. */
export const scenarios: readonly Scenario[] = [
  ...clearingFileScenarios,
  ...corporationOnboardingScenarios,
  ...customerJobScenarios,
  ...holdReleaseScenarios,
  ...notificationScenarios,
  ...personVerificationScenarios,
  ...processorInstructionScenarios,
  ...reconciliationScenarios,
  ...removalScenarios,
  ...retentionScenarios,
  ...userImportScenarios,
  ...verificationScenarios,
];
