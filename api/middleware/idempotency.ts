import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { sql } from 'kysely';
import { sqlState, type Trx } from '../../db/atomically.ts';
import { openBody, sealBody } from '../../vault/message-bodies.ts';
import type { Vault } from '../../vault/vault.ts';
import {
  type Claim,
  claimKey,
  completeKey,
  type KeyUse,
  type StoredAnswer,
} from '../../db/idempotency-keys.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { statusOf, toErrorAnswer } from '../errors.ts';
import type { Answer, UploadedFile } from '../route.ts';

const LOCK_NOT_AVAILABLE = '55P03';

/** The key of `X-Idempotency-Key`, null when none was sent. Throws `VALIDATION_ERROR`. */
export function readKey(sent: string | undefined, rule: 'accepted' | 'required' | 'ignored'): string | null {
  if (rule === 'ignored') return null;
  if (sent === undefined) {
    if (rule === 'accepted') return null;
    throw invalid([{ field: 'X-Idempotency-Key', message: 'is required' }]);
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(sent)) {
    throw invalid([{ field: 'X-Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }]);
  }
  return sent;
}

/** SHA-256 of what a request asks for: path parameters, query and decrypted body (channels 7). */
export function fingerprintOf(params: unknown, query: unknown, body: unknown): Buffer {
  const canonical = canonicalize({ params, query, body: isForm(body) ? formOf(body) : (body ?? null) });
  return createHash('sha256')
    .update(canonical ?? '')
    .digest();
}

const isFile = (value: unknown): value is UploadedFile =>
  typeof value === 'object' && value !== null && 'bytes' in value && Buffer.isBuffer(value.bytes);

const isForm = (body: unknown): body is Record<string, unknown> =>
  typeof body === 'object' && body !== null && Object.values(body).some(isFile);

const formOf = (body: Record<string, unknown>): unknown =>
  Object.entries(body)
    .map(([name, value]) => [
      name,
      isFile(value) ? createHash('sha256').update(value.bytes).digest('hex') : value,
    ])
    .toSorted(([left], [right]) => String(left).localeCompare(String(right)));

/** What a stored answer becomes when it is given again. */
export async function replay(
  vault: Vault,
  use: KeyUse,
  stored: StoredAnswer,
  replayCard: ((cardId: number) => Promise<Answer>) | undefined,
): Promise<Answer> {
  if (stored.cardId !== null) {
    if (replayCard === undefined) throw new Error('a route with card data has no way to read it again');
    return { ...(await replayCard(stored.cardId)), status: stored.status, replayed: true };
  }
  return {
    status: stored.status,
    replayed: true,
    ...(stored.body === null
      ? {}
      : { body: JSON.parse(openBody(vault, placeOf(use), stored.body).toString('utf8')) as unknown }),
    ...(stored.location === null ? {} : { location: stored.location }),
  };
}

/** The form in which an answer is kept for repeats; card data is kept as a reference only. */
export const toStored = (vault: Vault, use: KeyUse, answer: Answer): StoredAnswer => ({
  status: answer.status,
  body: answer.cardId !== undefined || answer.body === undefined ? null : sealJson(vault, use, answer.body),
  location: answer.location ?? null,
  cardId: answer.cardId ?? null,
});

/** `claimKey`, where a first call that outlasts the wait for its lock is one that still runs. */
export async function claim(trx: Trx, use: KeyUse, deadline: Date | null = null): Promise<Claim> {
  try {
    return await claimKey(trx, use, deadline);
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new Refusal('IDEMPOTENCY_IN_PROGRESS', 'The first request with this key is still running.', {
      retryAfterSeconds: 1,
    });
  }
}

/**
 * Runs `work` under a key inside an open transaction. A refusal of steps 12 and 13 (409, 422) undoes the
 * effect and is itself kept as the answer; every other error rolls everything back and leaves the key free.
 */
export async function underKey(
  trx: Trx,
  vault: Vault,
  use: KeyUse,
  work: () => Promise<Answer>,
  replayCard?: (cardId: number) => Promise<Answer>,
): Promise<Answer | Refusal> {
  const claimed = await claim(trx, use);
  if (claimed.kind === 'replay') return await replay(vault, use, claimed.answer, replayCard);
  await sql`savepoint effect`.execute(trx);
  try {
    const answer = await work();
    await completeKey(trx, use, toStored(vault, use, answer));
    return answer;
  } catch (error) {
    if (!(error instanceof Refusal) || !isKept(error)) throw error;
    await sql`rollback to savepoint effect`.execute(trx);
    await completeKey(trx, use, storedRefusal(vault, use, error));
    return error;
  }
}

/** 409 and 422 are answers about state and are repeated; all others leave the key free (channels 7). */
export const isKept = (refusal: Refusal): boolean =>
  [409, 422].includes(statusOf(refusal)) &&
  refusal.code !== 'IDEMPOTENCY_IN_PROGRESS' &&
  refusal.code !== 'IDEMPOTENCY_KEY_REUSED';

/** A refusal as a stored answer. */
export const storedRefusal = (vault: Vault, use: KeyUse, refusal: Refusal): StoredAnswer => {
  const answer = toErrorAnswer(refusal);
  return { status: answer.status, body: sealJson(vault, use, answer.body), location: null, cardId: null };
};

const sealJson = (vault: Vault, use: KeyUse, value: unknown): Buffer =>
  sealBody(vault, placeOf(use), Buffer.from(JSON.stringify(value)));

const placeOf = (use: KeyUse) => ({
  partnerId: use.partnerId,
  table: 'idempotency_keys',
  rowId: `${use.scope} ${use.key}`,
  field: 'body',
});
