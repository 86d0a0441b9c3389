import { audit } from '../../db/audit-log.ts';
import { endOperatorSession } from '../../db/operator-sessions.ts';
import { OPERATOR_ROLES, OPERATOR_SCOPES } from '../../domain/operator.ts';
import { permissionsOf } from '../../domain/permission.ts';
import { adminRoute, type OperatorPrincipal } from '../operator-principal.ts';
import { date, z } from '../schemas/shared.ts';
import { sessionCookie } from './token.ts';

/** The operator of a session, as the operator is told. */
export const sessionOperatorSchema = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    firstName: z.string(),
    lastName: z.string(),
    role: z.enum(OPERATOR_ROLES),
    scope: z.enum(OPERATOR_SCOPES),
    permissions: z.array(z.string()),
  })
  .openapi('SessionOperator');

/** Who an operator is and what the matrix lets them do. */
export const sessionOperatorBody = (
  operator: Pick<
    OperatorPrincipal,
    'operatorId' | 'email' | 'firstName' | 'lastName' | 'role' | 'scope' | 'programmes'
  >,
) => ({
  id: operator.operatorId,
  email: operator.email,
  firstName: operator.firstName,
  lastName: operator.lastName,
  role: operator.role,
  scope: operator.scope,
  permissions: permissionsOf(operator),
});

const read = adminRoute({
  operation: 'readSession',
  method: 'GET',
  path: '/session',
  summary: 'Who is signed in, and what they may do',
  permission: 'self',
  jwe: 'open',
  idempotency: 'ignored',
  answers: {
    200: {
      description: 'the operator and the session',
      schema: z.strictObject({
        operator: sessionOperatorSchema,
        expiresAt: date(),
        absoluteExpiresAt: date(),
      }),
    },
  },
  refusals: [],
  handle: async ({ principal }) => ({
    status: 200,
    body: {
      operator: sessionOperatorBody(principal),
      expiresAt: principal.expiresAt.toISOString(),
      absoluteExpiresAt: principal.absoluteExpiresAt.toISOString(),
    },
  }),
});

const end = adminRoute({
  operation: 'endSession',
  method: 'DELETE',
  path: '/session',
  summary: 'Sign out',
  permission: 'self',
  jwe: 'open',
  idempotency: 'ignored',
  answers: { 204: { description: 'the session is dead' } },
  refusals: [],
  handle: async (call) => {
    const { sessionId, operatorId } = call.principal;
    await call.asEngine(async (trx) => {
      await endOperatorSession(trx, sessionId);
      await audit(trx, { action: 'operator.signed_out', objectType: 'operator', objectId: operatorId });
    });
    const { secureCookie } = call.services.operators;
    return { status: 204, headers: { 'Set-Cookie': sessionCookie(null, secureCookie, 0) } };
  },
});

export const session = [read, end];
