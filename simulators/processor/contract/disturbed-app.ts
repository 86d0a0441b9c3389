import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContractCall } from '../faults/body.ts';
import type { Disturbance } from '../faults/disturbance.ts';
import type { Faults } from '../faults/faults.ts';
import { garbageOf } from '../faults/garbage.ts';
import type { App, AppContext } from '../http.ts';
import { readText } from '../validation.ts';
import type { Cards, ProcessorCard } from '../store/cards.ts';
import type { MessageLog } from '../store/messages.ts';

/** Names of the contract's calls by route; faults and the message log use them. */
const CALLS: readonly (readonly [method: string, path: RegExp, name: ContractCall])[] = [
  ['POST', /^\/v1\/cards\/virtual$/, 'generateVirtualCard'],
  ['GET', /^\/v1\/cards$/, 'findCards'],
  ['POST', /^\/v1\/cards\/[^/]+\/lock$/, 'lock'],
  ['POST', /^\/v1\/cards\/[^/]+\/unlock$/, 'unlock'],
  ['POST', /^\/v1\/cards\/[^/]+\/cvc$/, 'resetCvv'],
  ['GET', /^\/v1\/clearing-files\/[^/]+$/, 'getClearingFile'],
  ['GET', /^\/v1\/health$/, 'health'],
  ['GET', /^\/v1\/public-key$/, 'publicKey'],
];

interface Parts {
  readonly faults: Faults;
  readonly cards: Cards;
  readonly messages: MessageLog;
  now(): Date;
}

/** Puts `outer` around the calls of `inner`: logs each, and lets faults of direction `fromPlatform` act on it. */
export function mountDisturbed(outer: App, inner: App, parts: Parts): void {
  outer.all('/v1/*', async (c) => {
    const message = callOf(c.req.method, c.req.path);
    const text = await readText(c.req.raw);
    const disturbance = parts.faults.disturb('fromPlatform', message, cardOf(parts.cards, c.req.path, text));
    const at = parts.now().toISOString();
    const startedAt = performance.now();
    const answer = await disturbed(c, inner, text, disturbance);
    // Every call but liveness: health checks would bury the rest of the log.
    if (message !== 'health') {
      parts.messages.add({
        traceId: null,
        direction: 'fromPlatform',
        message,
        path: c.req.path,
        at,
        attempt: 1,
        fault: disturbance.kinds.length === 0 ? null : disturbance.kinds.join(','),
        request: parseOrNull(text),
        status: answer?.status ?? null,
        response: await loggedBody(answer),
        latencyMs: Math.round(performance.now() - startedAt),
      });
    }
    return answer ?? (await untilClosed(c));
  });
}

/** The answer to give, or null when the platform gets none. */
async function disturbed(
  c: AppContext,
  inner: App,
  text: string,
  fault: Disturbance,
): Promise<Response | null> {
  const run = async (): Promise<Response> => inner.fetch(requestOf(c, text), c.env);
  if (fault.delayMs > 0) await sleep(fault.delayMs);
  if (fault.status !== null) {
    const retryAfter = fault.status.retryAfterSeconds;
    return Response.json(
      { title: 'SIMULATED_FAULT', detail: 'Made by a fault of the simulator; nothing was done.' },
      {
        status: fault.status.code,
        headers: retryAfter === null ? {} : { 'retry-after': String(retryAfter) },
      },
    );
  }
  if (fault.drop === 'request') return null;
  if (fault.reset === 'request') return cut(c);
  const copies = Array.from({ length: fault.duplicates.times }, async (_, index) => {
    await sleep(fault.duplicates.gapMs * (index + 1));
    await run();
  });
  const answer = await run();
  await Promise.all(copies);
  if (fault.drop === 'answer') return null;
  if (fault.reset === 'answer') return cut(c);
  return fault.garbage === null ? answer : unreadable(answer, fault.garbage);
}

/** The answer with its status, but with bytes that nobody can read. */
async function unreadable(answer: Response, form: NonNullable<Disturbance['garbage']>): Promise<Response> {
  const { pieces, pauseMs, contentType } = garbageOf(form, await answer.text());
  async function* dripped() {
    for (const piece of pieces) {
      yield piece;
      await sleep(pauseMs);
    }
  }
  const body = Readable.toWeb(Readable.from(dripped())) as ReadableStream;
  return new Response(body, { status: answer.status, headers: { 'content-type': contentType } });
}

/** JSON answers only: a clearing file is kept by itself and would bury the log. */
async function loggedBody(answer: Response | null): Promise<unknown> {
  const type = answer?.headers.get('content-type') ?? '';
  return answer === null || !type.startsWith('application/json')
    ? null
    : parseOrNull(await answer.clone().text());
}

function requestOf(c: AppContext, text: string): Request {
  const { method, headers, url } = c.req.raw;
  return new Request(url, { method, headers, ...(method !== 'GET' && { body: text }) });
}

function cut(c: AppContext): null {
  c.env.incoming.socket.destroy();
  return null;
}

/** Leaves the caller waiting until it gives up; the response below then goes nowhere. */
function untilClosed(c: AppContext): Promise<Response> {
  const { socket } = c.env.incoming;
  const nothing = new Response(null, { status: 504 });
  return new Promise((resolve) => {
    if (socket.destroyed) resolve(nothing);
    else socket.once('close', () => resolve(nothing));
  });
}

function callOf(method: string, path: string): string {
  return CALLS.find(([one, pattern]) => one === method && pattern.test(path))?.[2] ?? 'unknown';
}

function cardOf(cards: Cards, path: string, text: string): ProcessorCard | null {
  const inPath = /^\/v1\/cards\/(pc_[^/]+)\//.exec(path)?.[1];
  if (inPath !== undefined) return cards.byId(inPath);
  const body = parseOrNull(text) as { externalCardId?: unknown } | null;
  return body?.externalCardId === undefined ? null : cards.byExternalId(String(body.externalCardId));
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
