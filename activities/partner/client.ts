import { createHash, createHmac } from 'node:crypto';
import { Agent, type Dispatcher, request } from 'undici';
import type { DeliveryOutcome } from '../../domain/delivery.ts';
import { type AddressGuard, BLOCKED_ADDRESS } from './address-guard.ts';
import { createSlots, type Slots } from './slots.ts';

/** A partner's server with everything needed to call it, secrets opened. */
export interface PartnerEndpoint {
  readonly connectionId: number;
  readonly baseUrl: string;
  /** Our client certificate with its chain, and its key; null where the connection uses none. */
  readonly clientCertificate: { readonly certificatePem: string; readonly keyPem: string } | null;
  readonly basic: { readonly user: string; readonly password: string } | null;
  /** Trusted instead of the system's authorities when set. */
  readonly serverCaPem: string | null;
  /** Secrets of signatures, newest first; empty: bodies are not signed (partner-integrations 2.4). */
  readonly signingSecrets: readonly string[];
  readonly maxConcurrency: number;
}

export interface PartnerCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Begins with a slash; follows the base URL. */
  readonly path: string;
  readonly issuerCode?: string;
  /** Absent on reads. Also the id of the signature. */
  readonly idempotencyKey?: string;
  readonly sequence?: number;
  readonly body?: Uint8Array;
  /** True when the body is a JWE. */
  readonly encrypted?: boolean;
  readonly deadlineMs: number;
  /** Status codes that say yes. */
  readonly accepts: readonly number[];
}

export interface PartnerAnswer {
  readonly outcome: DeliveryOutcome;
  readonly httpStatus: number | null;
  /** The partner's `title`, upper case, when it looks like one. */
  readonly title: string | null;
  readonly retryAfterMs: number | null;
  readonly durationMs: number;
  /** Body of an accepted answer. */
  readonly text: string;
}

export interface PartnerClient {
  /** One attempt, never repeated here. A fault of the way or of the partner is an outcome, not an error. */
  call(endpoint: PartnerEndpoint, call: PartnerCall): Promise<PartnerAnswer>;
  close(): Promise<void>;
}

export interface PartnerClientOptions {
  readonly guard: AddressGuard;
  /** `Cardloom/{version}` */
  readonly userAgent: string;
}

const CONNECT_MS = 2_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 30_000;

interface Way {
  readonly agent: Agent;
  readonly slots: Slots;
}

/** HTTP towards partners (partner-integrations 2.1): pinned trust, no redirects, small answers, guarded addresses. */
export function createPartnerClient({ guard, userAgent }: PartnerClientOptions): PartnerClient {
  const ways = new Map<string, Way>();

  const wayTo = (endpoint: PartnerEndpoint): Way => {
    const id = fingerprint(endpoint);
    const known = ways.get(id);
    if (known !== undefined) return known;
    const agent = new Agent({
      connections: endpoint.maxConcurrency,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      maxResponseSize: MAX_BODY_BYTES,
      connect: {
        timeout: CONNECT_MS,
        lookup: guard.lookup,
        allowH2: false,
        minVersion: 'TLSv1.2',
        ...(endpoint.serverCaPem === null ? {} : { ca: endpoint.serverCaPem }),
        ...(endpoint.clientCertificate === null
          ? {}
          : { cert: endpoint.clientCertificate.certificatePem, key: endpoint.clientCertificate.keyPem }),
      },
    });
    const way = { agent, slots: createSlots(endpoint.maxConcurrency) };
    ways.set(id, way);
    return way;
  };

  return {
    async call(endpoint, call) {
      const url = parseUrl(`${endpoint.baseUrl}${call.path}`);
      if (url === null || guard.urlFault(url) !== null) return failed('BLOCKED_ADDRESS', 0);
      const { agent, slots } = wayTo(endpoint);
      return await slots.run(async () => {
        const startedAt = performance.now();
        const headers = headersOf(endpoint, call, userAgent);
        try {
          const answer = await send(agent, url, headers, call);
          return { ...answer, durationMs: performance.now() - startedAt };
        } catch (error) {
          return failed(outcomeOf(error), performance.now() - startedAt);
        }
      });
    },
    async close() {
      await Promise.all([...ways.values()].map(({ agent }) => agent.destroy()));
      ways.clear();
    },
  };
}

type Undated = Omit<PartnerAnswer, 'durationMs'>;

async function send(
  agent: Agent,
  url: URL,
  headers: Record<string, string>,
  call: PartnerCall,
): Promise<Undated> {
  const response = await request(url, {
    dispatcher: agent,
    method: call.method,
    headers,
    signal: AbortSignal.timeout(call.deadlineMs),
    headersTimeout: call.deadlineMs,
    bodyTimeout: call.deadlineMs,
    ...(call.body === undefined ? {} : { body: call.body }),
  });
  const encoding = response.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    response.body.on('error', () => undefined).destroy();
    return { ...NOTHING, outcome: 'MALFORMED', httpStatus: response.statusCode };
  }
  const text = await response.body.text();
  return judge(response, text, call.accepts);
}

const NOTHING = { httpStatus: null, title: null, retryAfterMs: null, text: '' } as const;

function judge(
  { statusCode, headers }: Dispatcher.ResponseData,
  text: string,
  accepts: readonly number[],
): Undated {
  if (accepts.includes(statusCode)) return { ...NOTHING, outcome: 'ACCEPTED', httpStatus: statusCode, text };
  const title = titleOf(text);
  const refused = statusCode >= 400 && statusCode < 500 && statusCode !== 408 && title !== null;
  return {
    outcome: refused ? 'REFUSED' : 'HTTP_ERROR',
    httpStatus: statusCode,
    title,
    retryAfterMs: retryAfterMs(headers['retry-after']),
    text: '',
  };
}

const TITLE = /^[A-Z0-9_]{1,64}$/;

/** Only what looks like a title is kept: whatever else a partner writes may hold personal data. */
function titleOf(text: string): string | null {
  try {
    const body = JSON.parse(text) as { title?: unknown } | null;
    const title = typeof body?.title === 'string' ? body.title.toUpperCase() : '';
    return TITLE.test(title) ? title : null;
  } catch {
    return null;
  }
}

const retryAfterMs = (header: string | string[] | undefined): number | null =>
  typeof header === 'string' && /^[0-9]{1,6}$/.test(header) ? Number(header) * 1_000 : null;

function headersOf(endpoint: PartnerEndpoint, call: PartnerCall, userAgent: string): Record<string, string> {
  const { basic } = endpoint;
  return {
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    'User-Agent': userAgent,
    ...(call.issuerCode === undefined ? {} : { 'Issuer-Code': call.issuerCode }),
    ...(call.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(call.idempotencyKey === undefined ? {} : { 'X-Idempotency-Key': call.idempotencyKey }),
    ...(call.sequence === undefined ? {} : { 'X-Event-Sequence': String(call.sequence) }),
    ...(call.encrypted ? { 'Encrypted-Request': 'true' } : {}),
    ...(basic === null ? {} : { Authorization: `Basic ${base64(`${basic.user}:${basic.password}`)}` }),
    ...signatureHeaders(endpoint.signingSecrets, call),
  };
}

/** Standard Webhooks: HMAC over id, time of the attempt and body, one for each live secret (2.4). */
function signatureHeaders(secrets: readonly string[], call: PartnerCall): Record<string, string> {
  if (secrets.length === 0 || call.body === undefined || call.idempotencyKey === undefined) return {};
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const signed = createHmac('sha256', key).update(`${call.idempotencyKey}.${timestamp}.`);
    return `v1,${signed.update(call.body as Uint8Array).digest('base64')}`;
  });
  return {
    'webhook-id': call.idempotencyKey,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

/** Calls with the same certificate, trust and server share their sockets; a changed secret opens new ones. */
const fingerprint = (endpoint: PartnerEndpoint): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        endpoint.connectionId,
        endpoint.clientCertificate,
        endpoint.serverCaPem,
        endpoint.maxConcurrency,
      ]),
    )
    .digest('hex');

const failed = (outcome: DeliveryOutcome, durationMs: number): PartnerAnswer => ({
  ...NOTHING,
  outcome,
  durationMs,
});

const CONNECT_CODES = new Set([
  ...['UND_ERR_CONNECT_TIMEOUT', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ETIMEDOUT', 'EADDRNOTAVAIL', 'EAI_FAIL', 'ENODATA'],
]);
const TLS_CODE =
  /^(ERR_SSL_|ERR_TLS_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_|EPROTO$|INVALID_CA$)/;
const MALFORMED_CODE =
  /^(HPE_|HTTPParserError$|UND_ERR_HEADERS_OVERFLOW$|UND_ERR_RES_EXCEEDED_MAX_SIZE$|UND_ERR_RES_CONTENT_LENGTH)/;

/** The outcome that an error of the HTTP library stands for. */
function outcomeOf(error: unknown): DeliveryOutcome {
  const causes = error instanceof AggregateError ? error.errors : [error];
  const codes = causes.map(codeOf);
  if (codes.includes(BLOCKED_ADDRESS)) return 'BLOCKED_ADDRESS';
  if (codes.some((code) => code === 'TimeoutError' || /^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(code))) {
    return 'TIMEOUT';
  }
  if (codes.some((code) => TLS_CODE.test(code))) return 'TLS_FAILED';
  if (codes.some((code) => CONNECT_CODES.has(code))) return 'CONNECT_FAILED';
  if (codes.some((code) => MALFORMED_CODE.test(code))) return 'MALFORMED';
  return 'RESET';
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error && typeof error.name === 'string' ? error.name : '';
}
