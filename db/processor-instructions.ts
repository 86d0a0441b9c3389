import type { Kysely } from 'kysely';
import { nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';

/** What the processor is to be told of a card. */
export interface ProcessorInstruction {
  readonly instructionId: number;
  readonly cardId: number;
  readonly processorCardId: string;
  readonly kind: 'LOCK' | 'UNLOCK';
  readonly codes: readonly number[];
  readonly createdAt: Date;
}

/** The oldest instruction of a card that still waits, or undefined (cards 4.5). */
export async function nextInstruction(
  db: Kysely<Database>,
  cardId: number,
): Promise<ProcessorInstruction | undefined> {
  const row = await db
    .selectFrom('processor_instructions')
    .innerJoin('cards', 'cards.card_id', 'processor_instructions.card_id')
    .select(['instruction_id', 'processor_card_id', 'processor_instructions.kind', 'codes'])
    .select('processor_instructions.created_at')
    .where('processor_instructions.card_id', '=', cardId)
    .where('status', '=', 'WAITING')
    .orderBy('instruction_id')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { processor_card_id: processorCardId } = row;
  // A card is locked only once it is made, and a made card has the processor's id (check of the table).
  if (processorCardId === null) throw new Error('a card without a processor card id has an instruction');
  return {
    instructionId: row.instruction_id,
    cardId,
    processorCardId,
    kind: row.kind,
    codes: row.codes,
    createdAt: row.created_at,
  };
}

/** How one attempt at an instruction ended; anything but `WAITING` ends it. */
export interface InstructionOutcome {
  readonly status: 'WAITING' | 'DONE' | 'REFUSED';
  /** What the processor said, in a word. */
  readonly outcome: string;
}

/** Stores the outcome of one attempt; an instruction that is finished stays as it is. */
export async function finishInstruction(
  trx: Trx,
  instructionId: number,
  { status, outcome }: InstructionOutcome,
): Promise<void> {
  await trx
    .updateTable('processor_instructions')
    .set((eb) => ({
      status,
      attempts: eb('attempts', '+', 1),
      last_outcome: outcome,
      finished_at: status === 'WAITING' ? null : nowOf(trx),
    }))
    .where('instruction_id', '=', instructionId)
    .where('status', '=', 'WAITING')
    .execute();
}
