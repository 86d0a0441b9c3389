import { type Kysely, type Selectable, sql } from 'kysely';
import { ABSOLUTE_HOURS } from '../domain/customer-session.ts';
import { audit } from './audit-log.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import type { CustomerSessionsTable, CustomersTable, Database } from './database.ts';

export type SessionRow = Selectable<CustomerSessionsTable>;

/** A session as a request finds it by its token. */
export type FoundSession = SessionRow & {
  readonly now: Date;
  readonly customerState: CustomersTable['state'];
  readonly thumbprint: string;
};

/** Why a session ended before its time. */
export type EndReason =
  | 'LOGGED_OUT'
  | 'ENDED_BY_USER'
  | 'SECRET_CHANGED'
  | 'PASSWORD_RESET'
  | 'DEVICE_LOCKED'
  | 'DEVICE_UNPAIRED'
  | 'DEVICE_REPLACED'
  | 'TOKEN_REUSED'
  | 'USER_LOCKED'
  | 'USER_DELETED'
  | 'OPERATOR';

/** The session of a token, by the hashes it may be stored under, or undefined. Engine only. */
export async function findSession(
  engine: Kysely<Database>,
  tokenHashes: readonly Buffer[],
): Promise<FoundSession | undefined> {
  if (tokenHashes.length === 0) return undefined;
  return await engine
    .selectFrom('customer_sessions')
    .innerJoin('customers', 'customers.customer_id', 'customer_sessions.customer_id')
    .innerJoin(
      'device_installations',
      'device_installations.installation_id',
      'customer_sessions.installation_id',
    )
    .selectAll('customer_sessions')
    .select([
      sql<Date>`cardloom_now()`.as('now'),
      'customers.state as customerState',
      'device_installations.public_key_thumbprint as thumbprint',
    ])
    .where('token_hash', 'in', tokenHashes)
    .executeTakeFirst();
}

/** Notes a use of a session; false when it has ended meanwhile. Engine only. */
export async function touchSession(engine: Kysely<Database>, sessionId: string): Promise<boolean> {
  const touched = await engine
    .updateTable('customer_sessions')
    .set({ last_used_at: sql<Date>`greatest(last_used_at, cardloom_now())` })
    .where('session_id', '=', sessionId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return Number(touched.numUpdatedRows) === 1;
}

/**
 * Holds a session until the transaction ends, so that nobody ends it before; false when it has ended. One that the
 * transaction itself has ended, as a log-out does, is none of those. The last row a transaction locks.
 */
export async function holdSession(trx: Trx, sessionId: string): Promise<boolean> {
  const held = await trx
    .selectFrom('customer_sessions')
    .select('session_id')
    .where('session_id', '=', sessionId)
    .where(({ eb, or }) => or([eb('ended_at', 'is', null), eb('ended_at', '=', nowOf(trx))]))
    .forShare()
    .executeTakeFirst();
  return held !== undefined;
}

export interface NewSession {
  readonly partnerId: number;
  readonly programmeId: number;
  readonly customerId: number;
  readonly installationId: string;
  readonly tokenHash: Buffer;
  /** Of a refresh: the session whose place it takes. */
  readonly replaces: Pick<SessionRow, 'session_id' | 'family_id' | 'absolute_expires_at'> | null;
}

/** Opens a session; one that replaces another ends when that one would have ended for good. */
export async function openSession(trx: Trx, session: NewSession): Promise<SessionRow> {
  const now = nowOf(trx);
  const sessionId = newId(trx);
  const { replaces } = session;
  if (replaces !== null) {
    await trx
      .updateTable('customer_sessions')
      .set((set) => ({ replaced_at: set.fn.coalesce('replaced_at', set.val(now)) }))
      .where('session_id', '=', replaces.session_id)
      .execute();
  }
  const opened = await trx
    .insertInto('customer_sessions')
    .values({
      session_id: sessionId,
      family_id: replaces?.family_id ?? sessionId,
      partner_id: session.partnerId,
      programme_id: session.programmeId,
      customer_id: session.customerId,
      installation_id: session.installationId,
      token_hash: session.tokenHash,
      created_at: now,
      last_used_at: now,
      absolute_expires_at:
        replaces?.absolute_expires_at ?? new Date(now.getTime() + ABSOLUTE_HOURS * 3_600_000),
      step_up_until: null,
      replaced_at: null,
      ended_at: null,
      end_reason: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(trx, {
    action: 'session.opened',
    objectType: 'session',
    objectId: sessionId,
    after: { installationId: session.installationId, refreshed: replaces !== null },
  });
  return opened;
}

interface EndWhich {
  readonly customerId: number;
  readonly installationId?: string;
  readonly sessionId?: string;
  readonly familyId?: string;
  /** All but those that came from the same sign-in as this family. */
  readonly exceptFamilyId?: string;
}

/** Ends the sessions of a user that are named, at once; tells how many were live. */
export async function endSessions(trx: Trx, which: EndWhich, reason: EndReason): Promise<number> {
  let query = trx
    .updateTable('customer_sessions')
    .set({ ended_at: nowOf(trx), end_reason: reason })
    .where('customer_id', '=', which.customerId)
    .where('ended_at', 'is', null);
  if (which.installationId !== undefined) query = query.where('installation_id', '=', which.installationId);
  if (which.sessionId !== undefined) query = query.where('session_id', '=', which.sessionId);
  if (which.familyId !== undefined) query = query.where('family_id', '=', which.familyId);
  if (which.exceptFamilyId !== undefined) query = query.where('family_id', '!=', which.exceptFamilyId);
  const [first, ...others] = await query.returning('partner_id').execute();
  if (first === undefined) return 0;
  const ended = 1 + others.length;
  await audit(trx, {
    action: 'session.ended',
    objectType: 'customer',
    objectId: which.customerId,
    after: { reason, sessions: ended },
    partnerId: first.partner_id,
  });
  return ended;
}

/** One page of the sessions of a user that could still be used at the time of the transaction, newest first. */
export async function listSessions(
  trx: Trx,
  customerId: number,
  sessionMinutes: number,
  page: { readonly limit: number; readonly beforeId: string | null } = { limit: 200, beforeId: null },
): Promise<SessionRow[]> {
  const idle = new Date(nowOf(trx).getTime() - sessionMinutes * 60_000);
  let query = trx
    .selectFrom('customer_sessions')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where('ended_at', 'is', null)
    .where('replaced_at', 'is', null)
    .where('last_used_at', '>', idle)
    .where('absolute_expires_at', '>', nowOf(trx));
  if (page.beforeId !== null) query = query.where('session_id', '<', page.beforeId);
  return await query.orderBy('session_id', 'desc').limit(page.limit).execute();
}

/** Steps a session up until the given time. */
export async function stepUpSession(trx: Trx, sessionId: string, until: Date): Promise<void> {
  await trx
    .updateTable('customer_sessions')
    .set({ step_up_until: until })
    .where('session_id', '=', sessionId)
    .execute();
}
