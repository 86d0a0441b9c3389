import { createHash } from 'node:crypto';
import { parseJson, readText } from '../validation.ts';
import { invalid, SimulatorError } from '../errors.ts';
import type { AppContext } from '../http.ts';
import type { Answers } from '../store/answers.ts';

/** What a contract call answers; only 2xx answers are kept for repeats. */
export interface Answer {
  readonly status: 200 | 201;
  readonly body: unknown;
}

export type AnswerOnce = (
  c: AppContext,
  act: (body: unknown) => Promise<Answer> | Answer,
) => Promise<Response>;

/**
 * Same key, same effect and same answer (spec 2). A repeat that comes while the first call runs joins it.
 * Errors: 400 without a key, 422 when the key was used with another body.
 */
export function createAnswerOnce(answers: Answers): AnswerOnce {
  const running = new Map<string, { fingerprint: string; answer: Promise<Answer> }>();
  return async (c, act) => {
    const key = c.req.header('x-idempotency-key') ?? '';
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw invalid([{ field: 'X-Idempotency-Key', message: 'must be 1 to 255 visible characters' }]);
    }
    const text = await readText(c.req.raw);
    const fingerprint = createHash('sha256').update(`${c.req.method} ${c.req.path}\n${text}`).digest('hex');
    const kept = answers.find(key);
    const earlier = kept ?? running.get(key);
    if (earlier !== undefined && earlier.fingerprint !== fingerprint) {
      throw new SimulatorError(422, 'IDEMPOTENCY_KEY_REUSED', 'The key was used with another request.');
    }
    if (kept !== null) return reply(kept.status, kept.body, true);
    const joined = running.get(key);
    if (joined !== undefined) {
      const answer = await joined.answer;
      return reply(answer.status, JSON.stringify(answer.body), true);
    }
    const answer = Promise.resolve(parseJson(text)).then(act);
    running.set(key, { fingerprint, answer });
    try {
      const { status, body } = await answer;
      const bytes = JSON.stringify(body);
      answers.keep(key, { fingerprint, status, body: bytes });
      return reply(status, bytes, false);
    } finally {
      running.delete(key);
    }
  };
}

function reply(status: number, body: string, replayed: boolean): Response {
  const headers = { 'content-type': 'application/json', ...(replayed && { 'idempotency-replayed': 'true' }) };
  return new Response(body, { status, headers });
}

/** 409 for a second key of a finished operation; the caller counts it as success. */
export const alreadyDone = (): SimulatorError =>
  new SimulatorError(409, 'ALREADY_DONE', 'This operation was finished under another key.');
