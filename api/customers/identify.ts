import type { Kysely } from 'kysely';
import { atomically, type Trx } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import {
  endSessions,
  findSession,
  type FoundSession,
  holdSession,
  touchSession,
} from '../../db/customer-sessions.ts';
import type { Database } from '../../db/database.ts';
import { findProgramme, findProgrammeByCode, isPartnerActive } from '../../db/partners.ts';
import type { Caller } from '../../domain/actor.ts';
import { judgeSession } from '../../domain/customer-session.ts';
import { Refusal } from '../../domain/errors.ts';
import { rateOf } from '../../domain/rate-limit.ts';
import { tokenHashes } from '../../vault/session-token.ts';
import type { Arrival, Identified } from '../channel.ts';
import type { CustomerPrincipal, EntryPrincipal } from '../customer-principal.ts';
import { auditRefusedCall } from '../refused-call.ts';
import type { Services } from '../services.ts';

/** Knows a user by the session token. Throws `UNAUTHENTICATED`, `SESSION_EXPIRED`. */
export async function identifyCustomer(
  services: Services,
  arrival: Arrival,
): Promise<Identified<CustomerPrincipal>> {
  const { engine, vault } = services;
  const session = await findSession(engine, tokenHashes(vault, 'cst', tokenOf(arrival)));
  if (session === undefined) throw unauthenticated();
  const caller: Caller = {
    partnerId: session.partner_id,
    actor: { type: 'USER', id: String(session.customer_id) },
    requestId: arrival.requestId,
    ip: arrival.ip,
  };
  const programme = await findProgramme(engine, session.programme_id);
  if (programme === undefined) throw new Error('a session of no programme');
  if (!(await isLive(services, caller, session, programme.sessionMinutes))) {
    const refused = { type: 'session', id: session.session_id, title: 'SESSION_EXPIRED' } as const;
    await auditRefusedCall(engine, caller, refused);
    throw sessionExpired();
  }
  const user = `user:${session.customer_id}`;
  return {
    principal: {
      kind: 'customer',
      partnerId: session.partner_id,
      customerId: session.customer_id,
      programme,
      programmes: [programme],
      reader: user,
      installationId: session.installation_id,
      session,
    },
    caller,
    partnerId: session.partner_id,
    scopes: [],
    // Answers are encrypted to the key that was registered at pairing and to no other (channels 8).
    pinnedPublicKeys: [session.thumbprint],
    idempotencyScope: user,
    rated: rateOf.user(session.customer_id),
  };
}

/** Holds the session of a call. Throws `SESSION_EXPIRED` when it was ended since the call came in. */
export async function holdOwnSession(
  trx: Trx,
  { principal }: { readonly principal: CustomerPrincipal },
): Promise<void> {
  if (!(await holdSession(trx, principal.session.session_id))) throw sessionExpired();
}

/** The session was valid once. */
export const sessionExpired = (): Refusal =>
  new Refusal('SESSION_EXPIRED', 'This session is over. Sign in again.');

/** Refuses users of a suspended partner. Throws `PARTNER_SUSPENDED`. */
export async function admitCustomer(
  services: Services,
  _arrival: Arrival,
  known: Identified<CustomerPrincipal>,
): Promise<Identified<CustomerPrincipal>> {
  await refuseSuspended(services.engine, known.principal.partnerId);
  return known;
}

/**
 * Knows the programme that somebody wants into. Throws `ISSUER_CODE_REQUIRED`, `ISSUER_CODE_NOT_ALLOWED`,
 * `PARTNER_SUSPENDED`; without a principal these leave no audit row.
 */
export async function identifyEntry(
  services: Services,
  arrival: Arrival,
): Promise<Identified<EntryPrincipal>> {
  const issuerCode = arrival.header('issuer-code');
  if (issuerCode === null) throw new Refusal('ISSUER_CODE_REQUIRED', 'Send the Issuer-Code header.');
  const programme = await findProgrammeByCode(services.engine, issuerCode);
  if (programme === undefined) {
    throw new Refusal('ISSUER_CODE_NOT_ALLOWED', 'This Issuer-Code is unknown.');
  }
  await refuseSuspended(services.engine, programme.partnerId);
  return {
    principal: { kind: 'entry', programme },
    caller: {
      partnerId: programme.partnerId,
      actor: { type: 'SYSTEM', id: 'customers' },
      requestId: arrival.requestId,
      ip: arrival.ip,
    },
    partnerId: programme.partnerId,
    scopes: [],
    pinnedPublicKeys: [],
    idempotencyScope: `programme:${issuerCode}`,
    rated: null,
  };
}

async function refuseSuspended(engine: Kysely<Database>, partnerId: number): Promise<void> {
  if (await isPartnerActive(engine, partnerId)) return;
  throw new Refusal('PARTNER_SUSPENDED', 'This partner is suspended.');
}

/** The one token of the two headers. Throws `UNAUTHENTICATED` for none, for two that differ, for another scheme. */
function tokenOf({ header }: Arrival): string {
  const authorization = header('authorization');
  const bearer = authorization === null ? null : (/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '');
  const alias = header('x-session-token');
  const token = bearer ?? alias;
  if (token === null || (alias !== null && alias !== token)) throw unauthenticated();
  return token;
}

const unauthenticated = (): Refusal =>
  new Refusal('UNAUTHENTICATED', 'Send the session token as Authorization: Bearer.');

async function isLive(
  { engine, logger }: Services,
  caller: Caller,
  session: FoundSession,
  sessionMinutes: number,
): Promise<boolean> {
  const { customer_id: customerId, family_id: familyId, session_id: sessionId } = session;
  const end = async (reason: 'USER_LOCKED' | 'USER_DELETED' | 'TOKEN_REUSED'): Promise<void> =>
    await atomically(engine, caller, async (trx) => {
      const which = reason === 'TOKEN_REUSED' ? { customerId, familyId } : { customerId };
      await endSessions(trx, which, reason);
      if (reason !== 'TOKEN_REUSED') return;
      const security = { action: 'session.token_reused', objectType: 'session', result: 'DENIED' } as const;
      await audit(trx, { ...security, objectId: sessionId, after: { familyId } });
    });
  if (session.customerState === 'LOCKED' || session.customerState === 'DELETED') {
    await end(session.customerState === 'LOCKED' ? 'USER_LOCKED' : 'USER_DELETED');
    return false;
  }
  const times = {
    lastUsedAt: session.last_used_at,
    absoluteExpiresAt: session.absolute_expires_at,
    replacedAt: session.replaced_at,
    endedAt: session.ended_at,
  };
  switch (judgeSession(times, sessionMinutes, session.now)) {
    case 'LIVE':
      return await touchSession(engine, sessionId);
    case 'EXPIRED':
      return false;
    case 'REUSED':
      await end('TOKEN_REUSED');
      logger.warn(
        { requestId: caller.requestId, sessionId, familyId },
        'security: a session token was used again after its refresh; all sessions of its family end',
      );
      return false;
  }
}
