import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { ZodType } from 'zod';
import { MAX_FILE_BYTES } from '../../domain/clearing-file.ts';
import {
  cardStatus,
  type FoundCard,
  foundCards,
  type GeneratedCard,
  generatedCard,
  health,
  publicKey,
  refusal,
} from './schemas.ts';

export interface ProcessorClientOptions {
  /** Base URL without `/v1`. */
  readonly url: string;
  /** Paths: our client certificate, its key, and the authority that the processor's certificate is pinned to. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface CallOptions {
  /** Same key, same effect and same answer. */
  readonly idempotencyKey: string;
  /** For the whole call, its repeat included. */
  readonly deadlineMs: number;
  readonly requestId?: string;
  readonly issuerCode?: string;
}

export interface VirtualCardOrder {
  /** 32 hexadecimal characters: our name of the order. */
  readonly reference: string;
  readonly externalCardId: string;
  readonly productId: string;
  readonly currency: string;
  readonly expiryMonths: number;
  readonly cardholder: { readonly name: string; readonly country: string };
}

/** `UNKNOWN`: late, missing or unreadable; it may have happened. Repeat with the same key. */
export type Generated =
  | { readonly outcome: 'GENERATED'; readonly card: GeneratedCard }
  | { readonly outcome: 'REFUSED'; readonly title: string }
  | { readonly outcome: 'UNKNOWN' };

/** `DONE`: also when it was done before. `retryAfterMs`: a pause the processor asked for. */
export type Instructed =
  | { readonly outcome: 'DONE' }
  | { readonly outcome: 'REFUSED'; readonly title: string }
  | { readonly outcome: 'UNKNOWN'; readonly retryAfterMs: number | null };

export type Found =
  { readonly outcome: 'FOUND'; readonly cards: readonly FoundCard[] } | { readonly outcome: 'UNKNOWN' };

/** `MISSING`: the processor has no such file. The body ends with an error when it is late or too large. */
export type FetchedFile =
  | { readonly outcome: 'OPEN'; readonly body: AsyncIterable<Uint8Array> }
  | { readonly outcome: 'MISSING' }
  | { readonly outcome: 'UNKNOWN'; readonly retryAfterMs: number | null };

/** The processor's contract (processor 2). No call throws for what the processor does or fails to do. */
export interface ProcessorClient {
  generateVirtualCard(order: VirtualCardOrder, options: CallOptions): Promise<Generated>;
  /** Cards of one reference: what an unknown outcome is resolved by. */
  findCards(reference: string, options: Pick<CallOptions, 'deadlineMs'>): Promise<Found>;
  lock(
    processorCardId: string,
    lock: { readonly code: number; readonly at: Date },
    options: CallOptions,
  ): Promise<Instructed>;
  unlock(
    processorCardId: string,
    unlock: { readonly codes: readonly number[]; readonly pinUnblock: boolean },
    options: CallOptions,
  ): Promise<Instructed>;
  /** Opens a clearing file to be read as it comes; `deadlineMs` ends with its last byte. */
  getClearingFile(fileId: string, deadlineMs: number): Promise<FetchedFile>;
  isUp(deadlineMs: number): Promise<boolean>;
  /** Base64 of the processor's public key as PEM or DER SPKI, or null. */
  publicKey(deadlineMs: number): Promise<string | null>;
  close(): Promise<void>;
}

const REPEAT_NEEDS_MS = 2_000;
const CONNECT_MS = 2_000;
const MAX_BODY_BYTES = 64 * 1024;
const CONNECTIONS = 32;
const FILE_CONNECTIONS = 4;
const ALREADY_DONE = 'ALREADY_DONE';

/** One answer, or `null` for none that can be believed. */
interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterMs: number | null;
}

interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

/** A client over mTLS with the processor's authority pinned. Throws when a file cannot be read. */
export function createProcessorClient(options: ProcessorClientOptions): ProcessorClient {
  const connect = {
    timeout: CONNECT_MS,
    allowH2: false,
    minVersion: 'TLSv1.2',
    cert: readFileSync(options.certificateFile),
    key: readFileSync(options.keyFile),
    ca: readFileSync(options.caFile),
  } as const;
  const shared = { pipelining: 1, maxHeaderSize: 16 * 1024, connect };
  const agent = new Agent({ ...shared, connections: CONNECTIONS, maxResponseSize: MAX_BODY_BYTES });
  const files = new Agent({ ...shared, connections: FILE_CONNECTIONS, maxResponseSize: MAX_FILE_BYTES });

  async function once(ask: Ask, call: Partial<CallOptions>, deadlineMs: number): Promise<Reply | null> {
    try {
      const response = await request(`${options.url}/v1${ask.path}`, {
        dispatcher: agent,
        method: ask.method,
        headers: headersOf(ask, call),
        signal: AbortSignal.timeout(deadlineMs),
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      });
      const text = await response.body.text();
      return {
        status: response.statusCode,
        body: parse(text),
        retryAfterMs: retryAfterOf(response.headers),
      };
    } catch {
      return null;
    }
  }

  /** At most two attempts with one key inside the deadline: the second where 2 s remain. */
  async function ask(what: Ask, call: Partial<CallOptions> & { deadlineMs: number }): Promise<Reply | null> {
    const endsAt = performance.now() + call.deadlineMs;
    const firstMs = Math.max(call.deadlineMs - REPEAT_NEEDS_MS, call.deadlineMs / 2);
    const first = await once(what, call, firstMs);
    if (first !== null && !isPassing(first.status)) return first;
    const leftMs = endsAt - performance.now();
    if (leftMs < REPEAT_NEEDS_MS) return first;
    return await once(what, call, leftMs);
  }

  async function instruct(what: Ask, call: CallOptions): Promise<Instructed> {
    const reply = await ask(what, call);
    if (reply === null) return { outcome: 'UNKNOWN', retryAfterMs: null };
    if (reply.status === 200 && cardStatus.safeParse(reply.body).success) return { outcome: 'DONE' };
    const title = refusalOf(reply);
    if (title === ALREADY_DONE) return { outcome: 'DONE' };
    return title === null
      ? { outcome: 'UNKNOWN', retryAfterMs: reply.retryAfterMs }
      : { outcome: 'REFUSED', title };
  }

  return {
    async generateVirtualCard(order, call) {
      const { reference, externalCardId, productId, currency, expiryMonths, cardholder } = order;
      const body = { reference, externalCardId, productId, currency, expiryMonths, cardholder };
      const reply = await ask({ method: 'POST', path: '/cards/virtual', body }, call);
      if (reply === null) return { outcome: 'UNKNOWN' };
      const card = reply.status === 201 ? read(generatedCard, reply) : null;
      if (card !== null) return { outcome: 'GENERATED', card };
      const title = refusalOf(reply);
      return title === null ? { outcome: 'UNKNOWN' } : { outcome: 'REFUSED', title };
    },
    async findCards(reference, call) {
      const path = `/cards?reference=${encodeURIComponent(reference)}`;
      const reply = await ask({ method: 'GET', path }, call);
      const found = reply?.status === 200 ? read(foundCards, reply) : null;
      return found === null ? { outcome: 'UNKNOWN' } : { outcome: 'FOUND', cards: found.items };
    },
    lock: (processorCardId, { code, at }, call) =>
      instruct(
        { method: 'POST', path: cardPath(processorCardId, 'lock'), body: { code, at: at.toISOString() } },
        call,
      ),
    unlock: (processorCardId, { codes, pinUnblock }, call) =>
      instruct(
        { method: 'POST', path: cardPath(processorCardId, 'unlock'), body: { codes, pinUnblock } },
        call,
      ),
    async getClearingFile(fileId, deadlineMs) {
      const path = `/v1/clearing-files/${encodeURIComponent(fileId)}`;
      const signal = AbortSignal.timeout(deadlineMs);
      const headers = { Accept: 'application/x-ndjson', 'X-Request-Id': randomUUID() };
      try {
        const {
          statusCode,
          headers: told,
          body,
        } = await request(options.url + path, {
          dispatcher: files,
          headers,
          signal,
        });
        if (statusCode === 200) return { outcome: 'OPEN', body };
        await body.dump();
        if (statusCode === 404) return { outcome: 'MISSING' };
        return { outcome: 'UNKNOWN', retryAfterMs: retryAfterOf(told) };
      } catch {
        return { outcome: 'UNKNOWN', retryAfterMs: null };
      }
    },
    async isUp(deadlineMs) {
      const reply = await once({ method: 'GET', path: '/health' }, {}, deadlineMs);
      return reply?.status === 200 && read(health, reply) !== null;
    },
    async publicKey(deadlineMs) {
      const reply = await ask({ method: 'GET', path: '/public-key' }, { deadlineMs });
      return reply?.status === 200 ? (read(publicKey, reply)?.publicKey ?? null) : null;
    },
    close: async () => void (await Promise.all([agent.destroy(), files.destroy()])),
  };
}

const cardPath = (processorCardId: string, call: string): string =>
  `/cards/${encodeURIComponent(processorCardId)}/${call}`;

function headersOf(ask: Ask, call: Partial<CallOptions>): Record<string, string> {
  return {
    Accept: 'application/json',
    'X-Request-Id': call.requestId ?? randomUUID(),
    ...(ask.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(call.idempotencyKey === undefined ? {} : { 'X-Idempotency-Key': call.idempotencyKey }),
    ...(call.issuerCode === undefined ? {} : { 'Issuer-Code': call.issuerCode }),
  };
}

function retryAfterOf(headers: Readonly<Record<string, string | string[] | undefined>>): number | null {
  const after = headers['retry-after'];
  return typeof after === 'string' && /^[0-9]{1,5}$/.test(after) ? Number(after) * 1_000 : null;
}

/** Statuses that say nothing about the request itself. */
const isPassing = (status: number): boolean =>
  status >= 500 || status < 200 || (status >= 300 && status < 400) || [408, 425, 429].includes(status);

/** Why the processor will not do it; null when it did not say so. */
function refusalOf(reply: Reply): string | null {
  if (reply.status < 400 || isPassing(reply.status)) return null;
  return read(refusal, reply)?.title ?? `HTTP_${reply.status}`;
}

function read<T>(schema: ZodType<T>, reply: Reply): T | null {
  const parsed = schema.safeParse(reply.body);
  return parsed.success ? parsed.data : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
