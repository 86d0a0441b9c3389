import type { Kysely } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import {
  finishInstruction,
  nextInstruction,
  type InstructionOutcome,
  type ProcessorInstruction,
} from '../../db/processor-instructions.ts';
import { awayFailure } from '../errors.ts';
import type { Instructed, ProcessorClient } from './client.ts';

export interface CardInstructionCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly processor: ProcessorClient;
}

/** `NONE`: nothing waits for this card. */
export type SentInstruction = 'NONE' | 'DONE' | 'REFUSED';

const DEADLINE_MS = 13_000;
const OFFLINE_PIN_TRIES = 11;

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'processor-instruction' },
  requestId: 'processor-instruction',
  ip: null,
} as const;

/** Telling the processor of locks and unlocks (cards 4.5, 4.6). */
export function createCardInstructionActivities({ db, processor }: CardInstructionCollaborators) {
  return {
    /**
     * Sends the oldest waiting instruction of a card. A lock is tried until the processor takes it; an unlock
     * that it refuses is over. Throws PROCESSOR_AWAY to be run again.
     */
    async sendNextInstruction({ cardId }: { readonly cardId: number }): Promise<SentInstruction> {
      const instruction = await nextInstruction(db, cardId);
      if (instruction === undefined) return 'NONE';
      const said = await tell(processor, instruction);
      const outcome = outcomeOf(instruction, said);
      await atomically(db, caller, (trx) => finishInstruction(trx, instruction.instructionId, outcome));
      if (outcome.status !== 'WAITING') return outcome.status;
      const retryAfterMs = said.outcome === 'UNKNOWN' ? said.retryAfterMs : null;
      throw awayFailure('PROCESSOR_AWAY', 'the processor has not taken the instruction', retryAfterMs);
    },
  };
}

async function tell(processor: ProcessorClient, instruction: ProcessorInstruction): Promise<Instructed> {
  const { instructionId, processorCardId, kind, codes, createdAt } = instruction;
  const call = { idempotencyKey: `processor-instruction:${instructionId}`, deadlineMs: DEADLINE_MS };
  switch (kind) {
    case 'LOCK':
      return await processor.lock(processorCardId, { code: codes[0] as number, at: createdAt }, call);
    case 'UNLOCK': {
      const pinUnblock = codes.includes(OFFLINE_PIN_TRIES);
      return await processor.unlock(processorCardId, { codes, pinUnblock }, call);
    }
  }
}

function outcomeOf({ kind }: ProcessorInstruction, said: Instructed): InstructionOutcome {
  switch (said.outcome) {
    case 'DONE':
      return { status: 'DONE', outcome: 'DONE' };
    case 'REFUSED':
      // Declines rest on our own state, but a lock the processor does not know is no lock in stand-in.
      return { status: kind === 'LOCK' ? 'WAITING' : 'REFUSED', outcome: said.title };
    case 'UNKNOWN':
      return { status: 'WAITING', outcome: 'UNKNOWN' };
  }
}
