import type { ZodType } from 'zod';
import type { Trx } from '../db/atomically.ts';
import { nowOf } from '../db/atomically.ts';
import type { FoundSession } from '../db/customer-sessions.ts';
import type { Programme } from '../db/partners.ts';
import { Refusal } from '../domain/errors.ts';
import type { Reach } from './reach.ts';
import { type Route, type RouteDeclaration, routesOf } from './route.ts';

/** A user of the mobile app, known by the session; the principal of `/customers/me`. */
export interface CustomerPrincipal extends Reach {
  readonly kind: 'customer';
  readonly customerId: number;
  readonly programme: Programme;
  readonly installationId: string;
  readonly session: Pick<FoundSession, 'session_id' | 'family_id' | 'absolute_expires_at' | 'step_up_until'>;
}

/** Somebody on the way in: all that is known is the programme of `Issuer-Code`. */
export interface EntryPrincipal {
  readonly kind: 'entry';
  readonly programme: Programme;
}

type Declaration<Principal, P extends ZodType, Q extends ZodType, B extends ZodType> = Omit<
  RouteDeclaration<Principal, P, Q, B>,
  'role' | 'owner'
>;

const sessionRoute = routesOf<CustomerPrincipal>();
const doorRoute = routesOf<EntryPrincipal>();

/** Declares a route of a user who is signed in: it touches what is the user's own and nothing else. */
export const customerRoute = <
  P extends ZodType = ZodType<unknown>,
  Q extends ZodType = ZodType<unknown>,
  B extends ZodType = ZodType<unknown>,
>(
  declaration: Declaration<CustomerPrincipal, P, Q, B>,
): Route => sessionRoute<P, Q, B>({ ...declaration, role: { session: 'user' }, owner: 'user' });

/** Declares a route of the way in, before anybody is signed in. Answers hold secrets, so none is kept (channels 7). */
export const entryRoute = <
  P extends ZodType = ZodType<unknown>,
  Q extends ZodType = ZodType<unknown>,
  B extends ZodType = ZodType<unknown>,
>(
  declaration: Omit<Declaration<EntryPrincipal, P, Q, B>, 'jwe' | 'idempotency'>,
): Route =>
  doorRoute<P, Q, B>({
    ...declaration,
    role: 'nobody-asked',
    owner: 'none',
    jwe: 'open',
    idempotency: 'ignored',
  });

/** Asks for a session that was stepped up within two minutes (channels 11). Throws `STEP_UP_REQUIRED`. */
export function requireStepUp(trx: Trx, { programme, session }: CustomerPrincipal): void {
  if (programme.stepUp === 'APP') return;
  if (session.step_up_until !== null && session.step_up_until > nowOf(trx)) return;
  throw new Refusal(
    'STEP_UP_REQUIRED',
    'Confirm with app PIN or device key first: POST /customers/me/step-up.',
  );
}
