import { nowOf, type Trx } from './atomically.ts';

const LIFE_MS = 10 * 60 * 1_000;
/** Wrong codes that kill a mailed one, as they end a log-in. */
const CODES = 3;

/** Keeps the hash of a mailed step-up code for ten minutes; an older one dies. Engine only. */
export async function keepStepUpCode(trx: Trx, sessionId: string, codeHash: Buffer): Promise<void> {
  await trx
    .updateTable('operator_sessions')
    .set({ code_hash: codeHash, code_expires_at: new Date(nowOf(trx).getTime() + LIFE_MS), code_wrong: 0 })
    .where('session_id', '=', sessionId)
    .execute();
}

/** The hash of the code that a session waits for, null without one; locks the session. Engine only. */
export async function lockStepUpCode(trx: Trx, sessionId: string): Promise<Buffer | null> {
  const row = await trx
    .selectFrom('operator_sessions')
    .select('code_hash')
    .where('session_id', '=', sessionId)
    .where('code_expires_at', '>', nowOf(trx))
    .forUpdate()
    .executeTakeFirst();
  return row?.code_hash ?? null;
}

/** Counts a wrong code of a locked session; the third kills the mailed one. Engine only. */
export async function countWrongStepUp(trx: Trx, sessionId: string): Promise<void> {
  const row = await trx
    .updateTable('operator_sessions')
    .set((set) => ({ code_wrong: set('code_wrong', '+', 1) }))
    .where('session_id', '=', sessionId)
    .returning('code_wrong')
    .executeTakeFirst();
  if (row !== undefined && row.code_wrong >= CODES) await dropStepUpCode(trx, sessionId);
}

/** Kills the mailed code of a session. Engine only. */
export async function dropStepUpCode(trx: Trx, sessionId: string): Promise<void> {
  await trx
    .updateTable('operator_sessions')
    .set({ code_hash: null, code_expires_at: null })
    .where('session_id', '=', sessionId)
    .execute();
}

/** A code was given: the session is stepped up, the code used up. Engine only. */
export async function stepUpSession(trx: Trx, sessionId: string): Promise<void> {
  await trx
    .updateTable('operator_sessions')
    .set({ stepped_up_at: nowOf(trx), code_hash: null, code_expires_at: null })
    .where('session_id', '=', sessionId)
    .execute();
}
