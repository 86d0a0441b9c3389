import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineSignal,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { activitiesFor } from './activity-options.ts';

export interface ProcessorInstructionInput {
  readonly cardId: number;
}

/** One more instruction of this card is stored. */
export const instructionWaiting = defineSignal('instructionWaiting');

// An outage during which a card is locked and unlocked hundreds of times; histories must stay readable.
const EVENTS_A_RUN = 4_000;

/**
 * Tells the processor what waits for a card, in order, each until it has taken it (cards 4.5). A new
 * instruction signals the run; it ends when none waits.
 */
export async function processorInstruction({ cardId }: ProcessorInstructionInput): Promise<void> {
  const run = { waiting: true };
  setHandler(instructionWaiting, () => void (run.waiting = true));
  const { sendNextInstruction } = activitiesFor('processor');
  while (run.waiting) {
    run.waiting = false;
    while ((await sendNextInstruction({ cardId })) !== 'NONE') {
      if (workflowInfo().historyLength > EVENTS_A_RUN) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof processorInstruction>({ cardId });
      }
    }
  }
  await condition(allHandlersFinished);
}
