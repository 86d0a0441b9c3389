import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Garbage } from './faults/garbage.ts';
import type { Exchange, Post } from './wire/post.ts';

interface ClientTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

const FLUSH_MS = 20;
const MAX_ANSWER_BYTES = 64 * 1024;

/** Headers of every message to the platform. */
export const headersOf = (post: Post): Record<string, string> => ({
  'content-type': 'application/json',
  'x-idempotency-key': post.idempotencyKey,
  'x-request-id': post.requestId,
});

/** One request on a connection of its own that is destroyed on the way. */
export function postAndCut(
  url: string,
  tls: ClientTls,
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

/** One request on a connection of its own whose body is garbage; the platform's answer to it, if it gives one. */
export function postGarbage(url: string, tls: ClientTls, post: Post, garbage: Garbage): Promise<Exchange> {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const latencyMs = (): number => Math.round(performance.now() - startedAt);
  const unknown = (): void => resolve({ outcome: 'unknown', latencyMs: latencyMs() });
  const outgoing = httpsRequest(url, {
    ...tls,
    agent: false,
    method: 'POST',
    signal: AbortSignal.timeout(post.deadlineMs),
    headers: {
      ...headersOf(post),
      'content-type': garbage.contentType,
      'content-length': garbage.pieces.reduce((sum, piece) => sum + piece.length, 0),
    },
  });
  outgoing.on('error', unknown);
  outgoing.on('response', (answer) => {
    let text = '';
    answer.on('data', (chunk: Buffer) => {
      if (text.length <= MAX_ANSWER_BYTES) text += chunk.toString();
    });
    answer.on('error', unknown);
    answer.on('end', () => {
      const body = parseOrUndefined(text);
      if (body === undefined) return unknown();
      resolve({ outcome: 'answered', status: answer.statusCode ?? 0, body, latencyMs: latencyMs() });
    });
  });
  void drip(outgoing, garbage).catch(unknown);
  return promise;
}

async function drip(
  outgoing: { write(chunk: Buffer): boolean; end(): unknown; readonly destroyed: boolean },
  garbage: Garbage,
): Promise<void> {
  for (const piece of garbage.pieces) {
    if (outgoing.destroyed) return;
    outgoing.write(piece);
    if (garbage.pauseMs > 0) await sleep(garbage.pauseMs);
  }
  if (!outgoing.destroyed) outgoing.end();
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
