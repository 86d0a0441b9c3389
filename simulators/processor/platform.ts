import { createPublicKey } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import { Agent, errors, request } from 'undici';
import { SimulatorError } from './errors.ts';
import type { Garbage } from './faults/garbage.ts';
import type { Exchange, Post } from './wire/post.ts';
import { headersOf, postAndCut, postGarbage } from './raw-post.ts';

export interface PlatformOptions {
  /** Address of the certificate listener; a function when it is known only later. */
  readonly url: string | (() => string);
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface Platform {
  post(post: Post): Promise<Exchange>;
  /** Sends and cuts the connection: in the middle of the body, or before the answer. */
  postAndCut(post: Post, stage: 'request' | 'answer'): Promise<Exchange>;
  /** Sends other bytes than the message's. */
  postGarbage(post: Post, garbage: Garbage): Promise<Exchange>;
  /** Encrypts an object for the platform: compact JWE, RSA-OAEP-256 and A256GCM. Error: 503. */
  encrypt(content: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
}

const MAX_ANSWER_BYTES = 64 * 1024;
const KEY_LIFE_MS = 3_600_000;
const KEY_DEADLINE_MS = 3_000;

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
    postAndCut: (post, stage) => postAndCut(url() + post.path, tls, post, stage),
    postGarbage: (post, garbage) => postGarbage(url() + post.path, tls, post, garbage),
    encrypt: async (content) =>
      new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content)))
        .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
        .encrypt(await publicKey()),
    close: () => agent.destroy(),
  };
}

function neverSent(error: unknown): boolean {
  if (error instanceof errors.ConnectTimeoutError) return true;
  if (error instanceof AggregateError) return error.errors.every(neverSent);
  return error instanceof Error && 'code' in error && NEVER_SENT.has(String(error.code));
}
