import type { Scenario } from '../scenario.ts';
import { notificationScenarios } from './notification.ts';
import { processorInstructionScenarios } from './processor-instruction.ts';
import { verificationScenarios } from './verification.ts';

/** Every path that is recorded; a new workflow adds a file beside this and a line here. */
export const scenarios: readonly Scenario[] = [
  ...notificationScenarios,
  ...processorInstructionScenarios,
  ...verificationScenarios,
];
