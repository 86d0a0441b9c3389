import type { Trx } from '../../db/atomically.ts';
import {
  auditOperator,
  changeOperator,
  disableOperator,
  enableOperator,
  inviteOperator,
  unlockOperator,
} from '../../db/operator-changes.ts';
import { forgetTries } from '../../db/operator-sign-ins.ts';
import { endSessionsOf } from '../../db/operator-sessions.ts';
import { findOperator, listOperators, lockOperator, type Operator } from '../../db/operators.ts';
import { findPartner, partnerPublicIds } from '../../db/partner-names.ts';
import { Refusal } from '../../domain/errors.ts';
import { OPERATOR_ROLES, OPERATOR_SCOPES, operatorStateAt } from '../../domain/operator.ts';
import { adminRoute, type OperatorPrincipal } from '../operator-principal.ts';
import { readPage } from '../pagination.ts';
import type { Call } from '../route.ts';
import { email, personName } from '../schemas/customer.ts';
import { date, listOf, page, uuid, word, z } from '../schemas/shared.ts';
import { mailLink } from './links.ts';
import { emailHashOf } from './second-factor.ts';
import { waiting } from './waiting.ts';

const operatorSchema = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    firstName: z.string(),
    lastName: z.string(),
    role: z.enum(OPERATOR_ROLES),
    scope: z.enum(OPERATOR_SCOPES),
    partnerId: z.string().nullable(),
    state: z.enum(['INVITED', 'ACTIVE', 'LOCKED', 'DISABLED']),
    lockedUntil: date().nullable(),
    secondFactor: z.enum(['EMAIL_CODE', 'TOTP']),
    lastLoginAt: date().nullable(),
    createdAt: date(),
    version: z.int(),
  })
  .openapi('Operator');

async function operatorBody(trx: Trx, one: Operator) {
  const partners = await partnerPublicIds(trx, one.partnerId === null ? [] : [one.partnerId]);
  return bodyOf(one, partners);
}

const bodyOf = (one: Operator, partners: ReadonlyMap<number, string>) => {
  const state = operatorStateAt(one, one.now);
  return {
    id: one.operatorId,
    email: one.email,
    firstName: one.firstName,
    lastName: one.lastName,
    role: one.role,
    scope: one.scope,
    partnerId: one.partnerId === null ? null : (partners.get(one.partnerId) ?? null),
    state,
    lockedUntil: state === 'LOCKED' ? (one.lockedUntil?.toISOString() ?? null) : null,
    secondFactor: one.totp ? 'TOTP' : 'EMAIL_CODE',
    lastLoginAt: one.lastLoginAt?.toISOString() ?? null,
    createdAt: one.createdAt.toISOString(),
    version: one.version,
  };
};

const list = adminRoute({
  operation: 'listOperators',
  method: 'GET',
  path: '/operators',
  summary: 'Operators in scope',
  permission: 'operators.read',
  jwe: 'open',
  idempotency: 'ignored',
  query: z.strictObject({ ...page, role: word(OPERATOR_ROLES).optional() }),
  answers: { 200: { description: 'newest first', schema: listOf(operatorSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { query, principal, services, receivedAtMs } = call;
    const { limit, cursor, ...filter } = query;
    const { items, nextCursor } = await readPage(
      services.vault,
      { principal: principal.operatorId, operation: 'listOperators', filters: filter },
      { limit, cursor },
      receivedAtMs,
      (before, count) => call.atomically((trx) => listOperators(trx, filter, before, count)),
      (one) => one.operatorId,
      (one) => one,
    );
    const ids = items.flatMap(({ partnerId }) => (partnerId === null ? [] : [partnerId]));
    const partners = await call.atomically((trx) => partnerPublicIds(trx, ids));
    return { status: 200, body: { items: items.map((one) => bodyOf(one, partners)), nextCursor } };
  },
});

const params = z.strictObject({ operatorId: uuid() });

const read = adminRoute({
  operation: 'readOperator',
  method: 'GET',
  path: '/operators/{operatorId}',
  summary: 'One operator',
  permission: 'operators.read',
  jwe: 'open',
  idempotency: 'ignored',
  params,
  answers: { 200: { description: 'the operator', schema: operatorSchema } },
  refusals: ['OPERATOR_NOT_FOUND'],
  handle: async (call) => await call.atomically(async (trx) => await shown(trx, call.params.operatorId)),
});

async function shown(trx: Trx, operatorId: string) {
  const operator = await findOperator(trx, operatorId);
  if (operator === undefined) throw new Refusal('OPERATOR_NOT_FOUND', 'There is no such operator.');
  return { status: 200, body: await operatorBody(trx, operator) };
}

const invite = adminRoute({
  operation: 'inviteOperator',
  method: 'POST',
  path: '/operators',
  summary: 'Invite an operator: a link to a first password is mailed; to invite an Admin takes two',
  description:
    'An operator of the platform names the partner of the new one; without it the new one is of the platform.',
  permission: 'operators.invite',
  fourEyes: {
    kind: 'ADMIN_GRANT',
    permission: 'operators.makeAdmin',
    when: ({ body }) => body.role === 'Admin',
    summary: () => 'Invite an Admin',
    // The address itself is personal data.
    subject: ({ body, services }) => ({
      type: 'invitation',
      id: emailHashOf(services.vault, body.email).toString('hex'),
    }),
  },
  jwe: 'open',
  idempotency: 'accepted',
  body: z.strictObject({
    email: email(),
    firstName: personName(),
    lastName: personName(),
    role: word(OPERATOR_ROLES),
    partnerId: uuid().optional(),
  }),
  answers: { 201: { description: 'INVITED', schema: operatorSchema }, 202: waiting },
  refusals: ['EMAIL_ALREADY_REGISTERED', 'PARTNER_NOT_FOUND', 'APPROVAL_PENDING'],
  handle: async (call) => {
    const { body, principal, services } = call;
    return await call.once(async (trx) => {
      const partnerId = await partnerOfNew(trx, principal, body.partnerId);
      const operator = await inviteOperator(trx, { ...body, partnerId });
      await mailLink(trx, services, operator, 'INVITATION');
      return {
        status: 201,
        body: await operatorBody(trx, operator),
        location: `/admin/operators/${operator.operatorId}`,
      };
    });
  },
});

/** Inner id of the partner a new operator belongs to; a partner's operator invites for that partner alone. */
async function partnerOfNew(
  trx: Trx,
  { partnerId }: OperatorPrincipal,
  named: string | undefined,
): Promise<number | null> {
  if (named === undefined) return partnerId;
  const partner = await findPartner(trx, named);
  if (partner === undefined) throw new Refusal('PARTNER_NOT_FOUND', 'There is no such partner.');
  return partner.partnerId;
}

const inviteAgain = adminRoute({
  operation: 'inviteOperatorAgain',
  method: 'POST',
  path: '/operators/{operatorId}/invitation',
  summary: 'Mail the invitation once more',
  permission: 'operators.invite',
  jwe: 'open',
  idempotency: 'accepted',
  params,
  answers: { 201: { description: 'mailed', schema: operatorSchema } },
  refusals: ['OPERATOR_NOT_FOUND', 'STATE_CONFLICT'],
  handle: async (call) =>
    await call.once(async (trx) => {
      const operator = await lockOperator(trx, call.params.operatorId);
      if (operator.state !== 'INVITED') {
        throw new Refusal('STATE_CONFLICT', 'This operator has accepted, or is disabled.');
      }
      await mailLink(trx, call.services, operator, 'INVITATION');
      await auditOperator(trx, 'operator.invited', operator);
      return { status: 201, body: await operatorBody(trx, operator) };
    }),
});

const change = adminRoute({
  operation: 'changeOperator',
  method: 'PUT',
  path: '/operators/{operatorId}',
  summary: 'Change names or role; to make an Admin takes two',
  permission: 'operators.manage',
  fourEyes: {
    kind: 'ADMIN_GRANT',
    permission: 'operators.makeAdmin',
    when: ({ body }) => body.role === 'Admin',
    summary: () => 'Operator becomes Admin',
    subject: ({ params: { operatorId } }) => ({ type: 'operator', id: operatorId }),
  },
  jwe: 'open',
  idempotency: 'accepted',
  params,
  body: z.strictObject({
    version: z.int('must be a whole number').min(1, 'must be at least 1'),
    firstName: personName().optional(),
    lastName: personName().optional(),
    role: word(OPERATOR_ROLES).optional(),
  }),
  answers: {
    200: { description: 'changed', schema: operatorSchema },
    202: waiting,
  },
  refusals: ['OPERATOR_NOT_FOUND', 'VERSION_CONFLICT', 'STATE_CONFLICT', 'APPROVAL_PENDING'],
  handle: async (call) =>
    await call.once(async (trx) => {
      await changeOperator(trx, call.params.operatorId, call.body);
      return await shown(trx, call.params.operatorId);
    }),
});

const act = {
  permission: 'operators.manage',
  jwe: 'open',
  // Doing it twice is doing it once: nothing is kept for a repeat.
  idempotency: 'ignored',
  params,
} as const;

type OperatorCall = Call<OperatorPrincipal, { readonly operatorId: string }, unknown, unknown>;

/** Locks the operator of the path as the engine, which alone reaches sessions and counters; only within the scope. */
async function withOperator(call: OperatorCall, work: (trx: Trx, operator: Operator) => Promise<unknown>) {
  return await call.asEngine(async (trx) => {
    const { partnerId } = call.principal;
    const seen = await findOperator(trx, call.params.operatorId);
    if (seen === undefined || (partnerId !== null && seen.partnerId !== partnerId)) {
      throw new Refusal('OPERATOR_NOT_FOUND', 'There is no such operator.');
    }
    await work(trx, await lockOperator(trx, seen.operatorId));
    return await shown(trx, seen.operatorId);
  });
}

const answers = { 200: { description: 'the operator', schema: operatorSchema } };

const unlock = adminRoute({
  ...act,
  operation: 'unlockOperator',
  method: 'POST',
  path: '/operators/{operatorId}/unlock',
  summary: 'Lift the lock-out after wrong passwords or codes',
  answers,
  refusals: ['OPERATOR_NOT_FOUND', 'STATE_CONFLICT'],
  handle: async (call) =>
    await withOperator(call, async (trx, operator) => {
      // It gives all tries back, which a session would buy guesses at its own code with.
      refuseSelf(call.principal, operator);
      await forgetTries(trx, emailHashOf(call.services.vault, operator.email));
      await unlockOperator(trx, operator);
    }),
});

const disable = adminRoute({
  ...act,
  operation: 'disableOperator',
  method: 'POST',
  path: '/operators/{operatorId}/disable',
  summary: 'Disable an operator; every session ends',
  answers,
  refusals: ['OPERATOR_NOT_FOUND', 'STATE_CONFLICT'],
  handle: async (call) =>
    await withOperator(call, async (trx, operator) => {
      refuseSelf(call.principal, operator);
      await disableOperator(trx, operator);
    }),
});

const enable = adminRoute({
  ...act,
  operation: 'enableOperator',
  method: 'POST',
  path: '/operators/{operatorId}/enable',
  summary: 'Enable a disabled operator',
  answers,
  refusals: ['OPERATOR_NOT_FOUND', 'STATE_CONFLICT'],
  handle: async (call) =>
    await withOperator(call, async (trx, operator) => {
      refuseSelf(call.principal, operator);
      await enableOperator(trx, operator);
    }),
});

function refuseSelf(principal: OperatorPrincipal, operator: Operator): void {
  if (principal.operatorId !== operator.operatorId) return;
  throw new Refusal('STATE_CONFLICT', 'Nobody does this to oneself.');
}

const endSessions = adminRoute({
  ...act,
  operation: 'endSessionsOfOperator',
  method: 'DELETE',
  path: '/operators/{operatorId}/sessions',
  summary: 'End every session of an operator',
  answers: { 204: { description: 'none is left' } },
  refusals: ['OPERATOR_NOT_FOUND'],
  handle: async (call) => {
    await withOperator(call, async (trx, operator) => {
      const sessions = await endSessionsOf(trx, operator.operatorId);
      await auditOperator(trx, 'operator.sessions_ended', operator, { sessions });
    });
    return { status: 204 };
  },
});

export const operators = [list, read, invite, inviteAgain, change, unlock, disable, enable, endSessions];
