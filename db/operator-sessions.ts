import { type Kysely, sql } from 'kysely';
import { OPERATOR_SESSION, type OperatorRole, type OperatorScope } from '../domain/operator.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import { endLoginsOf } from './operator-logins.ts';
import { dropStepUpCode } from './operator-step-ups.ts';

/** The operator behind a session, as the database has them now. */
export interface SessionOperator {
  readonly sessionId: string;
  readonly operatorId: string;
  readonly partnerId: number | null;
  readonly role: OperatorRole;
  readonly scope: OperatorScope;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly steppedUpAt: Date;
  readonly expiresAt: Date;
  readonly absoluteExpiresAt: Date;
  /** The time of the database at which this was read. */
  readonly now: Date;
}

export type UsedSession =
  | { readonly kind: 'live'; readonly operator: SessionOperator }
  /** It was a session once; who it belonged to, for the audit trail. */
  | { readonly kind: 'ended'; readonly operatorId: string; readonly partnerId: number | null };

/** Opens a session whose token has `tokenHash`; a code has just been given. Engine only. */
export async function openOperatorSession(
  trx: Trx,
  session: {
    readonly operatorId: string;
    readonly partnerId: number | null;
    readonly tokenHash: Buffer;
    readonly ip: string | null;
  },
): Promise<{ readonly sessionId: string; readonly expiresAt: Date; readonly absoluteExpiresAt: Date }> {
  const now = nowOf(trx);
  const sessionId = newId(trx);
  const absoluteExpiresAt = new Date(now.getTime() + OPERATOR_SESSION.absoluteSeconds * 1_000);
  await trx
    .insertInto('operator_sessions')
    .values({
      token_hash: session.tokenHash,
      session_id: sessionId,
      operator_id: session.operatorId,
      partner_id: session.partnerId,
      created_at: now,
      last_used_at: now,
      stepped_up_at: now,
      absolute_expires_at: absoluteExpiresAt,
      code_hash: null,
      code_expires_at: null,
      ended_at: null,
      ip: session.ip,
    })
    .execute();
  return { sessionId, expiresAt: idleEnd(now, absoluteExpiresAt), absoluteExpiresAt };
}

const idleEnd = (lastUsedAt: Date, absoluteExpiresAt: Date): Date =>
  new Date(
    Math.min(lastUsedAt.getTime() + OPERATOR_SESSION.idleSeconds * 1_000, absoluteExpiresAt.getTime()),
  );

/**
 * Uses the session stored under one of `tokenHashes`: 15 minutes since the last use and 8 hours in all by the clock
 * of the database, of an operator who is ACTIVE (channels 12). A lock-out closes the door to new sessions only: who
 * knows nothing but an address could end those of its operator otherwise. Undefined when there never was one.
 * Engine only.
 */
export async function useOperatorSession(
  engine: Kysely<Database>,
  tokenHashes: readonly Buffer[],
): Promise<UsedSession | undefined> {
  if (tokenHashes.length === 0) return undefined;
  const { rows } = await sql<{
    session_id: string;
    operator_id: string;
    partner_id: number | null;
    role: OperatorRole;
    scope: OperatorScope;
    email: string;
    first_name: string;
    last_name: string;
    stepped_up_at: Date;
    absolute_expires_at: Date;
    now: Date;
  }>`
    update operator_sessions s set last_used_at = cardloom_now()
    from operators o
    where s.token_hash = any(${tokenHashes}) and o.operator_id = s.operator_id and s.ended_at is null
      and s.last_used_at > cardloom_now() - make_interval(secs => ${OPERATOR_SESSION.idleSeconds})
      and s.absolute_expires_at > cardloom_now()
      and o.state = 'ACTIVE'
    returning s.session_id, s.operator_id, o.partner_id, o.role, o.scope, o.email, o.first_name, o.last_name,
      s.stepped_up_at, s.absolute_expires_at, cardloom_now() as now`.execute(engine);
  const [row] = rows;
  if (row === undefined) return await endedSession(engine, tokenHashes);
  return {
    kind: 'live',
    operator: {
      sessionId: row.session_id,
      operatorId: row.operator_id,
      partnerId: row.partner_id,
      role: row.role,
      scope: row.scope,
      email: row.email,
      firstName: row.first_name,
      lastName: row.last_name,
      steppedUpAt: row.stepped_up_at,
      expiresAt: idleEnd(row.now, row.absolute_expires_at),
      absoluteExpiresAt: row.absolute_expires_at,
      now: row.now,
    },
  };
}

/**
 * Holds a session until the transaction ends, so that nobody ends it before, and tells the role that its operator has
 * now; undefined when it has ended, unless the transaction itself has ended it. The last row a transaction locks.
 */
export async function holdOperatorSession(trx: Trx, sessionId: string): Promise<OperatorRole | undefined> {
  const { rows } = await sql<{ role: OperatorRole | null }>`
    select hold_operator_session(${sessionId}, ${nowOf(trx)}) as role`.execute(trx);
  return rows[0]?.role ?? undefined;
}

async function endedSession(
  engine: Kysely<Database>,
  tokenHashes: readonly Buffer[],
): Promise<UsedSession | undefined> {
  const row = await engine
    .selectFrom('operator_sessions')
    .select(['operator_id', 'partner_id'])
    .where('token_hash', 'in', tokenHashes)
    .executeTakeFirst();
  return row && { kind: 'ended', operatorId: row.operator_id, partnerId: row.partner_id };
}

/** Ends one session; it is dead at once. Engine only. */
export async function endOperatorSession(trx: Trx, sessionId: string): Promise<void> {
  await trx
    .updateTable('operator_sessions')
    .set({ ended_at: nowOf(trx) })
    .where('session_id', '=', sessionId)
    .where('ended_at', 'is', null)
    .execute();
}

/**
 * Ends every session of an operator, or every one but `except`; answers how many. Log-ins under way end too, and so
 * does a code that was mailed for a session that stays. Engine only.
 */
export async function endSessionsOf(trx: Trx, operatorId: string, except?: string): Promise<number> {
  await endLoginsOf(trx, operatorId);
  if (except !== undefined) await dropStepUpCode(trx, except);
  const ended = await trx
    .updateTable('operator_sessions')
    .set({ ended_at: nowOf(trx) })
    .where('operator_id', '=', operatorId)
    .where('ended_at', 'is', null)
    .$if(except !== undefined, (query) => query.where('session_id', '<>', except as string))
    .executeTakeFirst();
  return Number(ended.numUpdatedRows);
}
