import type { Trx } from '../../db/atomically.ts';
import { holdOperatorSession, type SessionOperator, useOperatorSession } from '../../db/operator-sessions.ts';
import { Refusal } from '../../domain/errors.ts';
import { grantOf, isGranted } from '../../domain/permission.ts';
import { rateOf } from '../../domain/rate-limit.ts';
import { tokenHashes } from '../../vault/session-token.ts';
import { isAllowedAddress } from '../address-list.ts';
import type { Arrival, Identified } from '../channel.ts';
import type { OperatorPrincipal } from '../operator-principal.ts';
import { auditRefusedCall } from '../refused-call.ts';
import type { Route } from '../route.ts';
import type { Services } from '../services.ts';
import { cookieToken, headerToken } from './token.ts';

/**
 * Knows an operator by the session token of the `Authorization` header, its alias, or the panel's cookie (channels
 * 12). Throws `UNAUTHENTICATED`, `SESSION_EXPIRED`, and `CSRF_FAILED` for a write that came with the cookie from
 * another origin.
 *
 * Operators of a suspended partner keep their reach: its servers and its users are refused while card traffic goes on
 * (administration 4.18), so that they alone are left to lock a card that is stolen meanwhile.
 */
export async function identifyOperator(
  services: Services,
  arrival: Arrival,
): Promise<Identified<OperatorPrincipal>> {
  const sent = headerToken(arrival);
  const token = sent ?? cookieToken(arrival);
  const hashes = token === null ? [] : tokenHashes(services.vault, 'ost', token);
  const found = await useOperatorSession(services.engine, hashes);
  if (found === undefined) throw new Refusal('UNAUTHENTICATED', 'Sign in first.');
  if (found.kind === 'ended') {
    const caller = callerOf(found, arrival);
    const refused = { type: 'route', id: 'session', title: 'SESSION_EXPIRED' } as const;
    await auditRefusedCall(services.engine, caller, refused);
    throw sessionExpired();
  }
  const { operator } = found;
  if (sent === null) await refuseForeignOrigin(services, arrival, operator);
  const { partnerId } = operator;
  const programmes = await programmesInScope(services, partnerId);
  return {
    principal: { kind: 'operator', ...operator, programmes },
    caller: callerOf(operator, arrival),
    partnerId,
    scopes: [],
    pinnedPublicKeys: [],
    idempotencyScope: `operator:${operator.operatorId}`,
    rated: rateOf.operator(operator.operatorId),
  };
}

/** Every programme that an operator of a partner, or of the platform (null), may touch. */
export const programmesInScope = ({ certificates }: Services, partnerId: number | null) =>
  partnerId === null ? certificates.allProgrammes() : certificates.programmes(partnerId);

const sessionExpired = (): Refusal =>
  new Refusal('SESSION_EXPIRED', 'This session has ended. Sign in again.');

/**
 * Holds the session of a call. Throws `SESSION_EXPIRED` when it was ended since the call came in, `FORBIDDEN` when its
 * operator has another role by now.
 */
export async function holdOperator(
  trx: Trx,
  { principal, params }: { readonly principal: OperatorPrincipal; readonly params: unknown },
): Promise<void> {
  const role = await holdOperatorSession(trx, principal.sessionId);
  if (role === undefined) throw sessionExpired();
  // Who gives up a role of their own has another one at the end of the very transaction.
  const own = (params as { readonly operatorId?: string }).operatorId === principal.operatorId;
  if (role === principal.role || own) return;
  throw new Refusal('FORBIDDEN', 'Your role was changed meanwhile. Send it again if you still may.');
}

const callerOf = (
  one: { readonly operatorId: string; readonly partnerId: number | null },
  { requestId, ip }: Arrival,
) => ({ partnerId: one.partnerId, actor: { type: 'OPERATOR', id: one.operatorId }, requestId, ip }) as const;

// Any page can make a browser send the cookie with a form; only ours can send our origin with it.
async function refuseForeignOrigin(
  { operators, engine }: Services,
  arrival: Arrival,
  operator: SessionOperator,
): Promise<void> {
  if (arrival.method === 'GET') return;
  if (arrival.header('origin') === new URL(operators.publicUrl).origin) return;
  const refused = { type: 'route', id: 'session', title: 'CSRF_FAILED' } as const;
  await auditRefusedCall(engine, callerOf(operator, arrival), refused);
  throw new Refusal('CSRF_FAILED', 'This request did not come from a page of ours.');
}

/** Refuses addresses from which nobody administers. Throws `IP_NOT_ALLOWED`. */
export async function admitAddress<Principal>(
  { operators }: Services,
  arrival: Arrival,
  known: Identified<Principal>,
): Promise<Identified<Principal>> {
  if (isAllowedAddress(operators.allowedCidrs, arrival.ip)) return known;
  throw new Refusal('IP_NOT_ALLOWED', 'Calls from this address are not allowed.');
}

/** The permission matrix at the door of a route (channels 13). Throws `FORBIDDEN`; `NOT_FOUND` for what is hidden. */
export function permitOperator({ role }: Route, operator: OperatorPrincipal): void {
  if (role === 'nobody-asked') return;
  if (!('permission' in role)) throw new Error('a route of /admin names no permission');
  const { permission } = role;
  if (grantOf(permission, operator) === 'hidden') throw new Refusal('NOT_FOUND', 'There is no such route.');
  if (!isGranted(permission, operator)) throw new Refusal('FORBIDDEN', 'This role may not do that.');
}
