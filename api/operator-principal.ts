import type { ZodType, z } from 'zod';
import type { SessionOperator } from '../db/operator-sessions.ts';
import type { Programme } from '../db/partners.ts';
import { Refusal } from '../domain/errors.ts';
import { type Permission, PERMISSIONS } from '../domain/permission.ts';
import type { NobodyPrincipal } from './partner-principal.ts';
import { type FourEyes, type Route, type RouteDeclaration, routesOf } from './route.ts';

/** A person of the back office, known by a session; the principal of `/admin`. */
export interface OperatorPrincipal extends SessionOperator {
  readonly kind: 'operator';
  /** Every programme in scope: those of the operator's partner, or all. */
  readonly programmes: readonly Programme[];
}

type AdminDeclaration<P extends ZodType, Q extends ZodType, B extends ZodType> = Omit<
  RouteDeclaration<OperatorPrincipal, P, Q, B>,
  'role' | 'owner'
> & {
  /** The row of the permission matrix that says who may (channels 13). */
  readonly permission: Permission;
  /** A code given in the last five minutes is asked for. */
  readonly stepUp?: boolean;
  readonly fourEyes?: FourEyes<z.output<P>, z.output<Q>, z.output<B>, OperatorPrincipal>;
};

const operatorRoute = routesOf<OperatorPrincipal>();

/**
 * Declares a route of `/admin`. A permission with `2` in the matrix makes the first call answer 202 and wait for a
 * second operator; its `handle` then must do all its work inside one `call.once`. Throws where the matrix asks for
 * two and the route does not say what they are shown.
 */
export function adminRoute<
  P extends ZodType = ZodType<unknown>,
  Q extends ZodType = ZodType<unknown>,
  B extends ZodType = ZodType<unknown>,
>(declaration: AdminDeclaration<P, Q, B>): Route {
  const { permission, stepUp = false, fourEyes, ...rest } = declaration;
  if (fourEyes === undefined && Object.values(PERMISSIONS[permission].roles).includes('2')) {
    throw new Error(`route ${declaration.operation} lacks fourEyes: ${permission} needs two`);
  }
  return operatorRoute<P, Q, B>({
    ...rest,
    owner: 'operator',
    role: { permission, stepUp, fourEyes: (fourEyes as FourEyes<never, never, never> | undefined) ?? null },
  });
}

/** A route of `/admin` before anybody is signed in. */
export const doorRoute = routesOf<NobodyPrincipal>();

/** Identity columns start at 1: a scope without programmes finds nothing, and SQL has no empty list. */
const NO_PROGRAMME = 0;

/** Inner ids of the programmes an operator may touch: the tenant part of every look-up; never empty. */
export const operatorProgrammeIds = (principal: OperatorPrincipal): readonly number[] =>
  principal.programmes.length === 0 ? [NO_PROGRAMME] : principal.programmes.map((one) => one.programmeId);

/** The programme of a public id in the operator's scope. Throws `PROGRAMME_NOT_FOUND`. */
export function programmeNamed(principal: OperatorPrincipal, publicId: string): Programme {
  const found = principal.programmes.find((one) => one.publicId === publicId);
  if (found === undefined) throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
  return found;
}

/** As `programmeNamed`, by the issuer code that bodies of new things name. */
export function programmeOfCode(principal: OperatorPrincipal, issuerCode: string): Programme {
  const found = principal.programmes.find((one) => one.issuerCode === issuerCode);
  if (found === undefined) throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
  return found;
}

/** The programme of a resource the operator has already been allowed to see. */
export function programmeOfResource(principal: OperatorPrincipal, programmeId: number): Programme {
  const found = principal.programmes.find((one) => one.programmeId === programmeId);
  if (found === undefined) throw new Error("a resource outside the operator's scope was loaded");
  return found;
}
