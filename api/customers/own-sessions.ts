import { nowOf } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import { endSessions, listSessions, stepUpSession } from '../../db/customer-sessions.ts';
import { findInstallation } from '../../db/devices.ts';
import { STEP_UP_SECONDS } from '../../domain/customer-session.ts';
import { Refusal } from '../../domain/errors.ts';
import { customerRoute } from '../customer-principal.ts';
import { readPage } from '../pagination.ts';
import { ownSessionSchema, sessionSchema, toOwnSession } from '../schemas/customer-session.ts';
import { stepUpBody } from '../schemas/proof.ts';
import { date, listOf, page, uuid, z } from '../schemas/shared.ts';
import { startSession } from './open-session.ts';
import { prove } from './proof.ts';

const shared = { jwe: 'open', idempotency: 'ignored' } as const;

const refresh = customerRoute({
  ...shared,
  operation: 'refreshSession',
  method: 'POST',
  path: '/sessions/refresh',
  summary: 'Get a new token; the old one works for ten seconds more',
  answers: { 201: { description: 'the new session', schema: sessionSchema } },
  refusals: [],
  handle: async (call) => {
    const { programme, customerId, installationId, session: replaces } = call.principal;
    const body = await call.atomically((trx) =>
      startSession(trx, call.services.vault, { programme, customerId, installationId, replaces }),
    );
    return { status: 201, body };
  },
});

const logOut = customerRoute({
  ...shared,
  operation: 'logOut',
  method: 'DELETE',
  path: '/sessions/current',
  summary: 'Log out: the token is dead at once',
  answers: { 204: { description: 'logged out' } },
  refusals: [],
  handle: async (call) => {
    const { customerId, session } = call.principal;
    // With a token that was refreshed a moment ago, both are meant.
    await call.atomically((trx) =>
      endSessions(trx, { customerId, familyId: session.family_id }, 'LOGGED_OUT'),
    );
    return { status: 204 };
  },
});

const list = customerRoute({
  ...shared,
  operation: 'listOwnSessions',
  method: 'GET',
  path: '/me/sessions',
  summary: 'List your live sessions',
  query: z.strictObject(page),
  answers: { 200: { description: 'sessions, newest first', schema: listOf(ownSessionSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { customerId, programme, session, reader } = call.principal;
    const { vault, nowMs } = call.services;
    const body = await call.atomically((trx) =>
      readPage(
        vault,
        { principal: reader, operation: 'listOwnSessions', filters: null },
        call.query,
        nowMs(),
        (before, limit) =>
          listSessions(trx, customerId, programme.sessionMinutes, { limit, beforeId: before ?? null }),
        (row) => row.session_id,
        (row) => toOwnSession(row, session.session_id),
      ),
    );
    return { status: 200, body };
  },
});

const endOthers = customerRoute({
  ...shared,
  operation: 'endOtherSessions',
  method: 'DELETE',
  path: '/me/sessions',
  summary: 'End all your sessions but this one',
  answers: { 204: { description: 'ended' } },
  refusals: [],
  handle: async (call) => {
    const { customerId, session } = call.principal;
    await call.atomically((trx) =>
      endSessions(trx, { customerId, exceptFamilyId: session.family_id }, 'ENDED_BY_USER'),
    );
    return { status: 204 };
  },
});

const endOne = customerRoute({
  ...shared,
  operation: 'endOwnSession',
  method: 'DELETE',
  path: '/me/sessions/{sessionId}',
  summary: 'End one of your sessions',
  params: z.strictObject({ sessionId: uuid() }),
  answers: { 204: { description: 'ended' } },
  refusals: ['SESSION_NOT_FOUND'],
  handle: async (call) => {
    const { customerId } = call.principal;
    const { sessionId } = call.params;
    const ended = await call.atomically((trx) =>
      endSessions(trx, { customerId, sessionId }, 'ENDED_BY_USER'),
    );
    if (ended === 0) throw new Refusal('SESSION_NOT_FOUND', 'There is no such session.');
    return { status: 204 };
  },
});

const stepUp = customerRoute({
  ...shared,
  operation: 'stepUpOwnSession',
  method: 'POST',
  path: '/me/step-up',
  summary: 'Prove that you are there: opens sensitive calls of this session for two minutes',
  body: stepUpBody,
  answers: { 200: { description: 'stepped up', schema: z.strictObject({ stepUpUntil: date() }) } },
  refusals: ['INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS', 'DEVICE_NOT_ACTIVE'],
  handle: async (call) => {
    const { programme, installationId, session } = call.principal;
    const device = await call.atomically((trx) =>
      findInstallation(trx, programme.programmeId, installationId),
    );
    await prove(call, { programme, installationId, device }, call.body);
    const stepUpUntil = await call.atomically(async (trx) => {
      const until = new Date(nowOf(trx).getTime() + STEP_UP_SECONDS * 1000);
      await stepUpSession(trx, session.session_id, until);
      const { session_id: objectId } = session;
      await audit(trx, { action: 'session.stepped_up', objectType: 'session', objectId });
      return until.toISOString();
    });
    return { status: 200, body: { stepUpUntil } };
  },
});

export const ownSessions = [refresh, logOut, list, endOthers, endOne, stepUp];
