import type { Selectable } from 'kysely';
import { newId, nowOf, type Trx } from './atomically.ts';
import type { OperatorLoginsTable } from './database.ts';

export type SecondFactor = OperatorLoginsTable['second_factor'];

const LIFE_MS = 10 * 60 * 1_000;
/** Wrong codes that end a log-in. */
const CODES = 3;

export interface Login {
  readonly loginId: string;
  readonly operatorId: string;
  readonly secondFactor: SecondFactor;
  readonly codeHash: Buffer | null;
}

/** A new id for a log-in: the code is hashed for it before the log-in is stored. */
export const newLoginId = (trx: Trx): string => newId(trx);

/** Opens a log-in after the password, good for ten minutes. Engine only. */
export async function openLogin(
  trx: Trx,
  login: Login & { readonly partnerId: number | null },
): Promise<{ readonly expiresAt: Date }> {
  const expiresAt = new Date(nowOf(trx).getTime() + LIFE_MS);
  await trx
    .insertInto('operator_logins')
    .values({
      login_id: login.loginId,
      operator_id: login.operatorId,
      partner_id: login.partnerId,
      second_factor: login.secondFactor,
      code_hash: login.codeHash,
      expires_at: expiresAt,
      ended_at: null,
    })
    .execute();
  return { expiresAt };
}

/** Who a log-in belongs to, open or not; the counters of the operator are locked before the log-in is. */
export async function ownerOfLogin(trx: Trx, loginId: string): Promise<string | undefined> {
  const row = await trx
    .selectFrom('operator_logins')
    .select('operator_id')
    .where('login_id', '=', loginId)
    .executeTakeFirst();
  return row?.operator_id;
}

/** Locks a log-in that waits for its code; undefined when it is over. */
export async function lockLogin(trx: Trx, loginId: string): Promise<Login | undefined> {
  const row = await trx
    .selectFrom('operator_logins')
    .selectAll()
    .where('login_id', '=', loginId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', nowOf(trx))
    .forUpdate()
    .executeTakeFirst();
  return row && toLogin(row);
}

const toLogin = (row: Selectable<OperatorLoginsTable>): Login => ({
  loginId: row.login_id,
  operatorId: row.operator_id,
  secondFactor: row.second_factor,
  codeHash: row.code_hash,
});

/** Counts a wrong code of a locked log-in; the third ends it. */
export async function countWrongLogin(trx: Trx, loginId: string): Promise<void> {
  const row = await trx
    .updateTable('operator_logins')
    .set((set) => ({ wrong: set('wrong', '+', 1) }))
    .where('login_id', '=', loginId)
    .returning('wrong')
    .executeTakeFirstOrThrow();
  if (row.wrong >= CODES) await endLogin(trx, loginId);
}

/** Ends a log-in: it takes no code any more. */
export async function endLogin(trx: Trx, loginId: string): Promise<void> {
  await trx
    .updateTable('operator_logins')
    .set({ ended_at: nowOf(trx) })
    .where('login_id', '=', loginId)
    .execute();
}

/** Ends every log-in of an operator that waits for its code: what began before a new password goes no further. */
export async function endLoginsOf(trx: Trx, operatorId: string): Promise<void> {
  await trx
    .updateTable('operator_logins')
    .set({ ended_at: nowOf(trx) })
    .where('operator_id', '=', operatorId)
    .where('ended_at', 'is', null)
    .execute();
}
