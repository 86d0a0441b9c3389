import type { ZodType } from 'zod';
import { atomically, type Trx } from '../db/atomically.ts';
import { Refusal } from '../domain/errors.ts';
import type { AnyChannel, Arrival, Identified } from './channel.ts';
import { statusOf } from './errors.ts';
import { checkContentType, checkDeclaredLength, parseForm, parseJson, readBody } from './middleware/body.ts';
import { fingerprintOf, readKey, underKey } from './middleware/idempotency.ts';
import { openRequest, sealAnswer } from './middleware/jwe.ts';
import { validatePart } from './middleware/validate.ts';
import type { Exchange, Written } from './exchange.ts';
import type { RequestFacts } from './request-facts.ts';
import { auditRefusedCall } from './refused-call.ts';
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
  exchange: Exchange,
): Promise<Written> {
  const receivedAtMs = services.nowMs();
  const { facts, header, ip, socket } = exchange;
  facts.route = `${route.method} ${channel.prefix}${route.path}`;
  const arrival: Arrival = { method: route.method, header, ip, socket, requestId: facts.requestId };
  checkDeclaredLength(exchange, maxBodyBytesOf(route));
  const known = await channel.identify(services, arrival);
  facts.principal = `${known.caller.actor.type}:${known.caller.actor.id}`;
  facts.partnerId = known.caller.partnerId;
  try {
    if (channel.permit === undefined) refuseScope(route, known);
    else channel.permit(route, known.principal);
    const admitted = await channel.admit(services, arrival, known);
    const call = await readCall(services, channel, route, exchange, {
      arrival,
      receivedAtMs,
      known: admitted,
    });
    const answer = await (channel.run?.(route, call) ?? route.handle(call as never));
    return await write(answer, call, facts);
  } catch (error) {
    if (error instanceof Refusal && statusOf(error) === 403) {
      const { partnerId } = known;
      const refused = { type: 'route', id: route.operation, title: error.code, partnerId } as const;
      await auditRefusedCall(services.engine, known.caller, refused);
    }
    throw error;
  }
}

const maxBodyBytesOf = (route: Route): number => route.maxBodyBytes ?? JSON_BODY_BYTES;

function refuseScope({ role }: Route, known: Identified<never>): void {
  if (role === 'nobody-asked') return;
  if ('scopes' in role && role.scopes.some((scope) => known.scopes.includes(scope))) return;
  throw new Refusal('FORBIDDEN', 'This certificate has no scope for this call.');
}

interface Admitted {
  readonly arrival: Arrival;
  readonly receivedAtMs: number;
  readonly known: Identified<never>;
}

/** Steps 7 to 9: the body is read, decrypted and validated; throws the first failure. */
async function readCall(
  services: Services,
  channel: AnyChannel,
  route: Route,
  exchange: Exchange,
  { arrival, receivedAtMs, known }: Admitted,
): Promise<AnyCall> {
  const multipart = route.contentType === 'multipart/form-data';
  const { header, param } = exchange;
  const contentType = header('content-type') ?? undefined;
  if (route.authenticate === undefined) checkContentType(exchange, multipart);
  const raw = await readBody(exchange, maxBodyBytesOf(route));
  route.authenticate?.({ services, param, header, raw });
  checkContentType(exchange, multipart);
  const opened = await openRequest(services.vault, {
    jwe: route.jwe,
    headers: {
      encryptedRequest: header('encrypted-request') ?? undefined,
      encryptResponse: header('encrypt-response') ?? undefined,
      publicKey: header('public-key') ?? undefined,
    },
    body: multipart ? await parseForm(raw, contentType) : parseJson(raw, contentType),
    multipart,
    pinnedPublicKeys: known.pinnedPublicKeys,
  });
  const sent = { params: exchange.params(), query: queryOf(exchange), body: opened.body ?? {} };
  const params = validatePart<unknown>(route.params ?? NOTHING, sent.params);
  const query = validatePart<unknown>(route.query ?? NOTHING, sent.query);
  const key = readKey(header('x-idempotency-key') ?? undefined, route.idempotency);
  const body = validatePart<unknown>(route.body ?? NOTHING, opened.body === undefined ? {} : opened.body);
  const scope = `${known.idempotencyScope} ${route.method} ${channel.prefix}${route.path}`;
  return makeCall(services, known, {
    sent,
    params,
    query,
    body,
    raw,
    header,
    requestId: arrival.requestId,
    ip: arrival.ip,
    receivedAtMs,
    recipient: opened.recipient,
    idempotency: key === null ? null : { key, scope, fingerprint: fingerprintOf(params, query, body) },
  });
}

const NOTHING: ZodType<unknown> = z.strictObject({});

function queryOf({ search }: Exchange): Record<string, string | string[]> {
  if (search === '') return {};
  const searchParams = new URLSearchParams(search);
  // Without a prototype, a name like __proto__ is a member like any other.
  const query = Object.create(null) as Record<string, string | string[]>;
  for (const name of searchParams.keys()) {
    const values = searchParams.getAll(name);
    query[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return query;
}

type CallFacts = Pick<
  AnyCall,
  | 'sent'
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

type Run = <T>(work: (trx: Trx) => Promise<T>) => Promise<T>;
type ReplayCard = (cardId: number) => Promise<Answer>;

function makeCall(services: Services, known: Identified<never>, facts: CallFacts): AnyCall {
  const db = known.caller.partnerId === null ? services.engine : services.app;
  const run: Run = (work) => atomically(db, known.caller, work);
  const asEngine: Run = (work) => atomically(services.engine, known.caller, work);
  const once = async (open: Run, work: (trx: Trx) => Promise<Answer>, replayCard?: ReplayCard) => {
    const { idempotency } = facts;
    const { partnerId } = known.caller;
    if (idempotency === null) return await open(work);
    const outcome = await open((trx) =>
      underKey(trx, services.vault, { ...idempotency, partnerId }, () => work(trx), replayCard),
    );
    if (outcome instanceof Refusal) throw outcome;
    return outcome;
  };
  return {
    ...facts,
    principal: known.principal,
    services,
    caller: known.caller,
    atomically: run,
    asEngine,
    once: (work, replayCard) => once(run, work, replayCard),
    onceAsEngine: (work) => once(asEngine, work),
  };
}

async function write(answer: Answer, call: AnyCall, facts: RequestFacts): Promise<Written> {
  const headers: Record<string, string> = { ...answer.headers };
  if (answer.location !== undefined) headers['Location'] = answer.location;
  if (answer.replayed === true) headers['Idempotency-Replayed'] = 'true';
  if (answer.csv !== undefined) {
    facts.bytes = Buffer.byteLength(answer.csv);
    headers['Content-Type'] = 'text/csv; charset=UTF-8';
    return { status: answer.status, headers, content: answer.csv };
  }
  if (answer.file !== undefined) {
    const { bytes, mediaType } = answer.file;
    facts.bytes = bytes.length;
    return {
      status: answer.status,
      headers: { ...headers, ...fileHeaders(mediaType) },
      content: Buffer.from(bytes),
    };
  }
  const text = await textOf(answer, call);
  if (text !== null) {
    facts.bytes = Buffer.byteLength(text);
    headers['Content-Type'] = 'application/json; charset=UTF-8';
  }
  return { status: answer.status, headers, content: text };
}

/** What somebody sent us is never run or shown on our own origin (onboarding 5). */
const fileHeaders = (mediaType: string) => ({
  'Content-Type': mediaType,
  'Content-Disposition': 'attachment',
  'Content-Security-Policy': "default-src 'none'; sandbox",
});

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
