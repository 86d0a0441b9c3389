import { createPublicKey } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { CompactEncrypt } from 'jose';
import { Agent, errors, request } from 'undici';
import { SimulatorError } from './errors.ts';

export interface PlatformOptions {
  /** Address of the certificate listener; a function when it is known only later. */
  readonly url: string | (() => string);
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** How an exchange ended: `answered`; `notSent`: it cannot have arrived; `unknown`: it may have. */
export type Exchange =
  | {
      readonly outcome: 'answered';
      readonly status: number;
      readonly body: unknown;
      readonly latencyMs: number;
    }
  | { readonly outcome: 'notSent' | 'unknown'; readonly latencyMs: number };

export interface Post {
  readonly path: string;
  readonly text: string;
  readonly idempotencyKey: string;
  readonly requestId: string;
  readonly deadlineMs: number;
}

export interface Platform {
  post(post: Post): Promise<Exchange>;
  /** Sends and cuts the connection: in the middle of the body, or before the answer. */
  postAndCut(post: Post, stage: 'request' | 'answer'): Promise<Exchange>;
  /** Encrypts an object for the platform: compact JWE, RSA-OAEP-256 and A256GCM. Error: 503. */
  encrypt(content: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
}

const MAX_ANSWER_BYTES = 64 * 1024;
const KEY_LIFE_MS = 3_600_000;
const KEY_DEADLINE_MS = 3_000;
const FLUSH_MS = 20;

/** Errors after which nothing can have reached the platform. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Client of the platform's certificate listener, with our client certificate and its CA pinned. */
export function createPlatform(options: PlatformOptions): Platform {
  const tls = { cert: options.cert, key: options.key, ca: options.ca };
  // Shorter than any server's keep-alive limit, so that no request is lost on a connection just being closed.
  const agent = new Agent({ connect: { ...tls, timeout: 2_000 }, connections: 256, keepAliveTimeout: 3_000 });
  const url = (): string =>
    (typeof options.url === 'string' ? options.url : options.url()).replace(/\/+$/, '');
  let known: { key: ReturnType<typeof createPublicKey>; until: number } | null = null;

  async function publicKey() {
    if (known !== null && known.until > Date.now()) return known.key;
    try {
      const answer = await request(`${url()}/public-key`, {
        dispatcher: agent,
        signal: AbortSignal.timeout(KEY_DEADLINE_MS),
      });
      const body = (await answer.body.json()) as { publicKey: string };
      if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
      known = {
        key: createPublicKey(Buffer.from(body.publicKey, 'base64')),
        until: Date.now() + KEY_LIFE_MS,
      };
      return known.key;
    } catch {
      throw new SimulatorError(503, 'SERVICE_UNAVAILABLE', 'The public key of the platform cannot be read.', {
        retryAfterSeconds: 1,
      });
    }
  }

  return {
    post: async (post) => {
      const startedAt = performance.now();
      const latencyMs = (): number => Math.round(performance.now() - startedAt);
      try {
        const answer = await request(url() + post.path, {
          dispatcher: agent,
          method: 'POST',
          headers: headersOf(post),
          body: post.text,
          signal: AbortSignal.timeout(post.deadlineMs),
        });
        const text = await answer.body.text();
        if (text.length > MAX_ANSWER_BYTES) return { outcome: 'unknown', latencyMs: latencyMs() };
        return {
          outcome: 'answered',
          status: answer.statusCode,
          body: JSON.parse(text),
          latencyMs: latencyMs(),
        };
      } catch (error) {
        return { outcome: neverSent(error) ? 'notSent' : 'unknown', latencyMs: latencyMs() };
      }
    },
    postAndCut: (post, stage) => cut(url() + post.path, tls, post, stage),
    encrypt: async (content) =>
      new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content)))
        .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
        .encrypt(await publicKey()),
    close: () => agent.destroy(),
  };
}

function headersOf(post: Post): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-idempotency-key': post.idempotencyKey,
    'x-request-id': post.requestId,
  };
}

function neverSent(error: unknown): boolean {
  if (error instanceof errors.ConnectTimeoutError) return true;
  if (error instanceof AggregateError) return error.errors.every(neverSent);
  return error instanceof Error && 'code' in error && NEVER_SENT.has(String(error.code));
}

/** One request on a connection of its own that is destroyed on the way. */
function cut(
  url: string,
  tls: { cert: string; key: string; ca: string },
  post: Post,
  stage: 'request' | 'answer',
): Promise<Exchange> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const bytes = Buffer.from(post.text);
    const outgoing = httpsRequest(url, {
      ...tls,
      agent: false,
      method: 'POST',
      timeout: post.deadlineMs,
      headers: { ...headersOf(post), 'content-length': bytes.length },
    });
    const end = (): void => {
      outgoing.destroy();
      resolve({ outcome: 'unknown', latencyMs: Math.round(performance.now() - startedAt) });
    };
    outgoing.on('error', end);
    outgoing.on('timeout', end);
    outgoing.on('response', end);
    const flushed = (): void => void setTimeout(end, FLUSH_MS);
    if (stage === 'request') outgoing.write(bytes.subarray(0, Math.floor(bytes.length / 2)), flushed);
    else outgoing.end(bytes, flushed);
  });
}
