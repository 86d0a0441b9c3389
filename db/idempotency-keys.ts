import { Refusal } from '../domain/errors.ts';
import { nowOf, type Trx } from './atomically.ts';

/** One use of an idempotency key (channels 7). */
export interface KeyUse {
  /** Principal, method and route template: keys of different callers or routes never meet. */
  readonly scope: string;
  readonly key: string;
  /** Null where the caller speaks for no partner. */
  readonly partnerId: number | null;
  /** SHA-256 of the canonical request. */
  readonly fingerprint: Buffer;
}

export interface StoredAnswer {
  readonly status: number;
  /** The answer's JSON, sealed by the caller; null for an answer without a body or one that holds card data. */
  readonly body: Buffer | null;
  readonly location: string | null;
  /** Set for answers with card data: they are read from the vault again, never stored. */
  readonly cardId: number | null;
}

export type Claim =
  | { readonly kind: 'first' }
  | { readonly kind: 'replay'; readonly answer: StoredAnswer }
  /** An earlier call stored its intent and then broke off; `subjectId` names what it was making. */
  | { readonly kind: 'interrupted'; readonly subjectId: string | null };

/**
 * Claims `use` in the transaction of the effect. A second caller with the same key waits for the first one's
 * transaction and then gets its answer. `deadline` marks a call that commits before it is finished because
 * an outside party must be asked in between. Throws `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_IN_PROGRESS`.
 */
export async function claimKey(trx: Trx, use: KeyUse, deadline: Date | null = null): Promise<Claim> {
  const inserted = await trx
    .insertInto('idempotency_keys')
    .values({
      scope: use.scope,
      key: use.key,
      partner_id: use.partnerId,
      fingerprint: use.fingerprint,
      state: 'IN_PROGRESS',
      deadline,
      created_at: nowOf(trx),
    })
    .onConflict((conflict) => conflict.columns(['scope', 'key']).doNothing())
    .executeTakeFirst();
  if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 1) return { kind: 'first' };
  const known = await trx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('scope', '=', use.scope)
    .where('key', '=', use.key)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (!known.fingerprint.equals(use.fingerprint)) {
    throw new Refusal('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used with another request.');
  }
  if (known.state === 'DONE') {
    const { status, body, location, card_id: cardId } = known;
    return { kind: 'replay', answer: { status: status ?? 500, body, location, cardId } };
  }
  if (known.deadline !== null && known.deadline > nowOf(trx)) {
    throw new Refusal('IDEMPOTENCY_IN_PROGRESS', 'The first request with this key is still running.', {
      retryAfterSeconds: 1,
    });
  }
  await trx
    .updateTable('idempotency_keys')
    .set({ deadline })
    .where('scope', '=', use.scope)
    .where('key', '=', use.key)
    .execute();
  return { kind: 'interrupted', subjectId: known.subject_id };
}

/** Names what an unfinished call is about to make, so that a repeat after a crash goes on with the same thing. */
export async function noteSubject(trx: Trx, use: KeyUse, subjectId: string): Promise<void> {
  await whereUse(trx, use).set({ subject_id: subjectId }).execute();
}

/** Stores the answer with the effect; from here on every repeat gets it. */
export async function completeKey(trx: Trx, use: KeyUse, answer: StoredAnswer): Promise<void> {
  await whereUse(trx, use)
    .set({
      state: 'DONE',
      deadline: null,
      status: answer.status,
      body: answer.body,
      location: answer.location,
      card_id: answer.cardId,
    })
    .execute();
}

/** Gives a key back after a call that left nothing to repeat (a fault, or an outcome that is not stored). */
export async function releaseKey(trx: Trx, use: KeyUse): Promise<void> {
  await whereUse(trx, use)
    .set({ deadline: nowOf(trx) })
    .execute();
}

const whereUse = (trx: Trx, use: KeyUse) =>
  trx.updateTable('idempotency_keys').where('scope', '=', use.scope).where('key', '=', use.key);
