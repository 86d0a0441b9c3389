import { ApplicationFailure } from '@temporalio/common';
import { begin, neverEnds, type Scenario, type Stage, untilItEnds, untilItWaits } from '../scenario.ts';

/** Paths of `processor-instruction`. */
export const processorInstructionScenarios: readonly Scenario[] = [
  {
    workflow: 'processor-instruction',
    path: 'two-sent',
    activities: { sendNextInstruction: answering('DONE', 'REFUSED', 'NONE') },
    play: async (stage) => await untilItEnds(await tell(stage, 1)),
  },
  {
    workflow: 'processor-instruction',
    path: 'sent-at-second-try',
    activities: { sendNextInstruction: awayOnce() },
    play: async (stage) => await untilItEnds(await tell(stage, 2)),
  },
  {
    workflow: 'processor-instruction',
    path: 'signalled-meanwhile',
    activities: { sendNextInstruction: slowly(answering('DONE', 'NONE', 'DONE', 'NONE')) },
    async play(stage) {
      const handle = await tell(stage, 3);
      await untilItWaits(handle, 'ACTIVITY');
      await handle.signal('instructionWaiting');
      return await untilItEnds(handle);
    },
  },
  {
    workflow: 'processor-instruction',
    path: 'in-flight-sending',
    activities: { sendNextInstruction: neverEnds },
    play: async (stage) => await untilItWaits(await tell(stage, 4), 'ACTIVITY'),
  },
];

const tell = (stage: Stage, cardId: number) =>
  begin(stage, 'processorInstruction', `processor-instruction:${cardId}`, { cardId });

type Answer = 'NONE' | 'DONE' | 'REFUSED';

function answering(...answers: Answer[]) {
  const left = [...answers];
  return async (): Promise<Answer> => left.shift() ?? 'NONE';
}

function slowly(answer: () => Promise<Answer>) {
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    return await answer();
  };
}

function awayOnce() {
  const answer = answering('DONE', 'NONE');
  let away = true;
  return async () => {
    if (!away) return await answer();
    away = false;
    throw ApplicationFailure.create({ type: 'PROCESSOR_AWAY', category: 'BENIGN', nextRetryDelay: 10 });
  };
}
