import type { ZodType } from 'zod';
import { atomically, type Trx } from '../db/atomically.ts';
import { Refusal } from '../domain/errors.ts';
import type { AnyChannel, Arrival, Identified } from './channel.ts';
import { rateOf } from '../domain/rate-limit.ts';
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

/** After so long a wait for the body the caller may be another: it is asked again who they are and what they may. */
const LATE_BODY_MS = 1_000;

type AnyCall = Call<never, unknown, unknown, unknown>;

/**
 * Runs one request through the order of checks of channels 2; the first failure answers. Nothing is read
 * before the caller is known, nothing decrypted before the caller may do what is asked. A body that came late has the
 * caller checked once more: whoever held it back may have been shut out meanwhile.
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
  if (channel.anonymous === true) countAddress(services, route, exchange);
  const known = await channel.identify(services, arrival);
  facts.principal = `${known.caller.actor.type}:${known.caller.actor.id}`;
  facts.partnerId = known.caller.partnerId;
  if (known.rated !== null) services.rates.take(known.rated, facts);
  try {
    let admitted = await letIn(services, channel, route, arrival, known);
    const raw = await readRaw(route, exchange);
    if (services.nowMs() - receivedAtMs > LATE_BODY_MS) {
      const again = await channel.identify(services, arrival);
      admitted = await letIn(services, channel, route, arrival, again);
    }
    const call = await readCall(services, channel, route, exchange, {
      arrival,
      receivedAtMs,
      known: admitted,
      raw,
    });
    const answer = await (channel.run?.(route, call) ?? route.handle(call as never));
    return await write(answer, call, facts);
  } catch (error) {
    if (error instanceof Refusal && isForTheTrail(statusOf(error), known)) {
      const { partnerId } = known;
      const refused = { type: 'route', id: route.operation, title: error.code, partnerId } as const;
      await auditRefusedCall(services.engine, known.caller, refused);
    }
    throw error;
  }
}

/** Health is asked without bound, and who signs what they send is counted once they are known. */
function countAddress({ rates }: Services, route: Route, { ip, facts, method }: Exchange): void {
  if (route.uncounted === true || route.authenticate !== undefined) return;
  const address = rates.countedAddress(ip);
  if (address !== null) rates.take(rateOf.address(address, method === 'GET'), facts);
}

/** 403, and 401 to somebody who is known already: a wrong secret in the middle of a session (channels 3). */
const isForTheTrail = (status: number, { caller }: Identified<never>): boolean =>
  status === 403 || (status === 401 && caller.actor.type !== 'SYSTEM');

const maxBodyBytesOf = (route: Route): number => route.maxBodyBytes ?? JSON_BODY_BYTES;

/** Step 6: scope or role, and the conditions of the channel. */
async function letIn(
  services: Services,
  channel: AnyChannel,
  route: Route,
  arrival: Arrival,
  known: Identified<never>,
): Promise<Identified<never>> {
  if (channel.permit === undefined) refuseScope(route, known);
  else channel.permit(route, known.principal);
  return await channel.admit(services, arrival, known);
}

function refuseScope({ role }: Route, known: Identified<never>): void {
  if (role === 'nobody-asked') return;
  if ('scopes' in role && role.scopes.some((scope) => known.scopes.includes(scope))) return;
  throw new Refusal('FORBIDDEN', 'This certificate has no scope for this call.');
}

interface Admitted {
  readonly arrival: Arrival;
  readonly receivedAtMs: number;
  readonly known: Identified<never>;
  readonly raw: Buffer;
}

const isForm = (route: Route): boolean => route.contentType === 'multipart/form-data';

/** The bytes of the body, of a type that the route takes. */
async function readRaw(route: Route, exchange: Exchange): Promise<Buffer> {
  if (route.authenticate === undefined) checkContentType(exchange, isForm(route));
  return await readBody(exchange, maxBodyBytesOf(route));
}

/** Steps 7 to 9 from there on: the body is decrypted and validated; throws the first failure. */
async function readCall(
  services: Services,
  channel: AnyChannel,
  route: Route,
  exchange: Exchange,
  { arrival, receivedAtMs, known, raw }: Admitted,
): Promise<AnyCall> {
  const multipart = isForm(route);
  const { header, param } = exchange;
  const contentType = header('content-type') ?? undefined;
  const rated = route.authenticate?.({ services, param, header, raw });
  if (rated !== undefined) services.rates.take(rated, exchange.facts);
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
  return makeCall(services, holding(channel, route, known.principal, params), known, {
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

type Work<T> = (trx: Trx) => Promise<T>;
type Run = <T>(work: Work<T>) => Promise<T>;
type ReplayCard = (cardId: number) => Promise<Answer>;

/** Makes of any work one whose transaction commits only while its caller still is who they were. */
function holding(
  { hold }: AnyChannel,
  { method }: Route,
  principal: never,
  params: unknown,
): <T>(work: Work<T>) => Work<T> {
  if (hold === undefined || method === 'GET') return (work) => work;
  return (work) => async (trx) => {
    const done = await work(trx);
    // Last, so that rows are locked in one order: whoever ends a session holds its user before.
    await hold(trx, { principal, params });
    return done;
  };
}

function makeCall(
  services: Services,
  held: <T>(work: Work<T>) => Work<T>,
  known: Identified<never>,
  facts: CallFacts,
): AnyCall {
  const db = known.caller.partnerId === null ? services.engine : services.app;
  const run: Run = (work) => atomically(db, known.caller, held(work));
  const asEngine: Run = (work) => atomically(services.engine, known.caller, held(work));
  const once = async (open: Run, work: Work<Answer>, replayCard?: ReplayCard) => {
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
    conclude: (work) => atomically(db, known.caller, work),
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
