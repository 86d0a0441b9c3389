import type { Context } from 'hono';
import type { ZodType } from 'zod';
import { audit } from '../db/audit-log.ts';
import { atomically, type Trx } from '../db/atomically.ts';
import { Refusal } from '../domain/errors.ts';
import type { AnyChannel, Arrival, Identified } from './channel.ts';
import { statusOf } from './errors.ts';
import { checkDeclaredLength, parseForm, parseJson, readBody } from './middleware/body.ts';
import { fingerprintOf, readKey, underKey } from './middleware/idempotency.ts';
import { openRequest, sealAnswer } from './middleware/jwe.ts';
import { requestIdOf } from './middleware/request-id.ts';
import { validatePart } from './middleware/validate.ts';
import { addressOf, type RequestFacts, socketOf } from './request-facts.ts';
import type { Answer, Call, Route } from './route.ts';
import { z } from './schemas/shared.ts';
import type { Services } from './services.ts';

const JSON_BODY_BYTES = 64 * 1024;

type AnyCall = Call<never, unknown, unknown, unknown>;

/**
 * Runs one request through the order of checks of channels 2; the first failure answers. Nothing is read
 * before the caller is known, nothing decrypted before the caller may do what is asked.
 */
export async function serveRoute(
  services: Services,
  channel: AnyChannel,
  route: Route,
  context: Context,
): Promise<Response> {
  const receivedAtMs = services.nowMs();
  const facts = context.get('facts') as RequestFacts;
  facts.route = `${route.method} ${channel.prefix}${route.path}`;
  const header = (name: string): string | null => context.req.header(name) ?? null;
  const arrival: Arrival = {
    header,
    ip: addressOf(context),
    socket: socketOf(context),
    requestId: requestIdOf(context.req.header('x-request-id')),
  };
  const maxBodyBytes = route.maxBodyBytes ?? JSON_BODY_BYTES;
  checkDeclaredLength(context, maxBodyBytes);
  const known = await admit(services, channel, route, arrival, facts);
  const raw = await readBody(context, maxBodyBytes);
  const multipart = route.contentType === 'multipart/form-data';
  const contentType = context.req.header('content-type');
  const sent = multipart ? await parseForm(raw, contentType) : parseJson(raw, contentType);
  const opened = await openRequest(services.vault, {
    jwe: route.jwe,
    headers: {
      encryptedRequest: context.req.header('encrypted-request'),
      encryptResponse: context.req.header('encrypt-response'),
      publicKey: context.req.header('public-key'),
    },
    body: sent,
    multipart,
    pinnedPublicKeys: known.pinnedPublicKeys,
  });
  const params = validatePart<unknown>(route.params ?? NOTHING, context.req.param());
  const query = validatePart<unknown>(route.query ?? NOTHING, queryOf(context));
  const key = readKey(context.req.header('x-idempotency-key'), route.idempotency);
  const body = validatePart<unknown>(route.body ?? NOTHING, opened.body ?? {});
  const call = makeCall(services, known, {
    params,
    query,
    body,
    raw,
    header,
    requestId: arrival.requestId,
    ip: arrival.ip,
    receivedAtMs,
    recipient: opened.recipient,
    idempotency:
      key === null
        ? null
        : {
            key,
            scope: `${known.idempotencyScope} ${route.method} ${channel.prefix}${route.path}`,
            fingerprint: fingerprintOf(params, query, body),
          },
  });
  return await write(await route.handle(call as never), call);
}

async function admit(
  services: Services,
  channel: AnyChannel,
  route: Route,
  arrival: Arrival,
  facts: RequestFacts,
): Promise<Identified<never>> {
  const known = await channel.identify(services, arrival);
  facts.principal = `${known.caller.actor.type}:${known.caller.actor.id}`;
  facts.partnerId = known.caller.partnerId;
  try {
    const { role } = route;
    if (role !== 'nobody-asked' && !role.scopes.some((scope) => known.scopes.includes(scope))) {
      throw new Refusal('FORBIDDEN', 'This certificate has no scope for this call.');
    }
    return await channel.admit(services, arrival, known);
  } catch (error) {
    if (error instanceof Refusal && statusOf(error) === 403)
      await auditRefusal(services, known, route, error);
    throw error;
  }
}

async function auditRefusal(
  services: Services,
  known: Identified<never>,
  route: Route,
  refusal: Refusal,
): Promise<void> {
  await atomically(services.engine, known.caller, async (trx) => {
    await audit(trx, {
      action: 'call.refused',
      objectType: 'route',
      objectId: route.operation,
      result: 'DENIED',
      after: { title: refusal.code },
    });
  });
}

const NOTHING: ZodType<unknown> = z.strictObject({});

function queryOf(context: Context): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(context.req.queries())) {
    query[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return query;
}

type CallFacts = Pick<
  AnyCall,
  | 'params'
  | 'query'
  | 'body'
  | 'raw'
  | 'header'
  | 'requestId'
  | 'ip'
  | 'receivedAtMs'
  | 'recipient'
  | 'idempotency'
>;

function makeCall(services: Services, known: Identified<never>, facts: CallFacts): AnyCall {
  const db = known.caller.partnerId === null ? services.engine : services.app;
  const run = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(db, known.caller, work);
  return {
    ...facts,
    principal: known.principal,
    services,
    caller: known.caller,
    atomically: run,
    once: async (work, replayCard) => {
      const { idempotency } = facts;
      const { partnerId } = known.caller;
      if (idempotency === null || partnerId === null) return await run(work);
      const outcome = await run((trx) =>
        underKey(trx, services.vault, { ...idempotency, partnerId }, () => work(trx), replayCard),
      );
      if (outcome instanceof Refusal) throw outcome;
      return outcome;
    },
  };
}

async function write(answer: Answer, call: AnyCall): Promise<Response> {
  const headers = new Headers(answer.headers);
  headers.set('X-Request-Id', call.requestId);
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
  headers.set('X-Content-Type-Options', 'nosniff');
  if (answer.location !== undefined) headers.set('Location', answer.location);
  if (answer.replayed === true) headers.set('Idempotency-Replayed', 'true');
  const text = await textOf(answer, call);
  if (text === null) return new Response(null, { status: answer.status, headers });
  headers.set('Content-Type', 'application/json; charset=UTF-8');
  return new Response(text, { status: answer.status, headers });
}

async function textOf(answer: Answer, call: AnyCall): Promise<string | null> {
  if (answer.sealed !== undefined) return JSON.stringify({ payload: answer.sealed });
  const { recipient } = call;
  if (answer.text !== undefined) {
    return recipient === null
      ? answer.text
      : JSON.stringify(await sealAnswer(recipient, JSON.parse(answer.text)));
  }
  if (answer.body === undefined) return null;
  const encrypted = recipient !== null && answer.status < 300;
  return JSON.stringify(encrypted ? await sealAnswer(recipient, answer.body) : answer.body);
}
