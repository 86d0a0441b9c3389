import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Product } from '../support/product.ts';
import { type Connection, openConnection, type Reply } from '../bench/load/connection.ts';
import { httpRequest } from '../bench/load/purchase.ts';

/** How the processor reaches the platform: it repeats every message until it is answered. */
export interface ProcessorLine {
  /** The body of the 200 that the message was answered with in the end; the same bytes are sent each time. */
  send(path: string, body: object): Promise<string>;
  readonly counts: LineCounts;
}

export interface LineCounts {
  messages: number;
  /** Sent again because a connection broke, nobody listened, or 503 was answered. */
  repeats: number;
  longestMs: number;
}

const ANSWER_MS = 6_000;
const PAUSE_MS = 100;

/** What is neither an answer nor a reason to try again. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** A line of its own for one caller; it goes to whichever API process takes its connection. */
export function createProcessorLine(product: Product, counts: LineCounts, giveUpMs: number): ProcessorLine {
  const secureContext = contextOf(product);
  let connection: Connection | null = null;
  let next = Math.floor(Math.random() * product.ports.length);

  async function once(request: string): Promise<Reply | null> {
    if (connection === null || connection.closed()) {
      next += 1;
      connection = await openConnection(
        product.ports[next % product.ports.length] as number,
        secureContext,
      ).catch(() => null);
    }
    const used = connection;
    if (used === null) return null;
    const answered = new Promise<Reply | null>((resolve) => used.send(request, resolve));
    const late = new AbortController();
    const reply = await Promise.race([
      answered,
      sleep(ANSWER_MS, null, { signal: late.signal }).catch(() => null),
    ]);
    late.abort();
    // An answer that comes too late would be taken for the next one.
    if (reply === null) used.end();
    return reply;
  }

  return {
    counts,
    async send(path, body) {
      const request = httpRequest(path, JSON.stringify(body));
      const startedAt = performance.now();
      counts.messages += 1;
      for (;;) {
        const reply = await once(request);
        const tookMs = performance.now() - startedAt;
        if (reply?.status === 200) {
          counts.longestMs = Math.max(counts.longestMs, tookMs);
          return reply.body;
        }
        if (reply !== null && reply.status !== 503) {
          throw new WrongAnswer(`${path}: ${reply.status} ${reply.body.slice(0, 300)}`);
        }
        if (tookMs > giveUpMs) throw new WrongAnswer(`${path}: not answered within ${giveUpMs} ms`);
        counts.repeats += 1;
        await sleep(PAUSE_MS);
      }
    },
  };
}

const contextOf = (product: Product): SecureContext =>
  createSecureContext({
    cert: readFileSync(product.certificates.of.processor.certificate),
    key: readFileSync(product.certificates.of.processor.key),
    ca: readFileSync(product.certificates.ca),
  });
