import { type Kysely, type Selectable, sql } from 'kysely';
import { type ApprovalKind } from '../domain/approval-kind.ts';
import { Refusal } from '../domain/errors.ts';
import { callerOf, newId, nowOf, type Trx } from './atomically.ts';
import { audit } from './audit-log.ts';
import type { ApprovalsTable, Database } from './database.ts';

export const APPROVAL_STATES = ['PENDING', 'APPROVED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** A request that waits, or waited, for a second operator (administration 3). */
export interface Approval {
  readonly approvalId: string;
  readonly partnerId: number | null;
  readonly kind: ApprovalKind;
  readonly operation: string;
  readonly subject: { readonly type: string; readonly id: string };
  readonly summary: string;
  /** Sealed by the caller. */
  readonly request: Buffer;
  readonly requestSha256: Buffer;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly state: ApprovalState;
  readonly expiresAt: Date;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly comment: string | null;
  readonly resultTitle: string | null;
}

const LIFE_MS = 72 * 60 * 60 * 1_000;

/**
 * Keeps a request until a second operator decides, for 72 hours. `seal` turns its id into the sealed request. Throws
 * `APPROVAL_PENDING` when one of this kind waits for the subject already.
 */
export async function requestApproval(
  trx: Trx,
  asked: Pick<Approval, 'kind' | 'operation' | 'subject' | 'summary' | 'requestSha256' | 'requestedBy'> & {
    /** Whose it is, where that is not the partner of the one who asks. */
    readonly partnerId?: number | null;
  },
  seal: (approvalId: string) => Buffer,
): Promise<Approval> {
  await expireApprovals(trx);
  const approvalId = newId(trx);
  const row = await trx
    .insertInto('approvals')
    .values({
      approval_id: approvalId,
      partner_id: asked.partnerId === undefined ? callerOf(trx).partnerId : asked.partnerId,
      kind: asked.kind,
      operation: asked.operation,
      subject_type: asked.subject.type,
      subject_id: asked.subject.id,
      summary: asked.summary,
      request: seal(approvalId),
      request_sha256: asked.requestSha256,
      requested_by: asked.requestedBy,
      expires_at: new Date(nowOf(trx).getTime() + LIFE_MS),
      decided_by: null,
      decided_at: null,
      comment: null,
      result_title: null,
      created_at: nowOf(trx),
    })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'subject_type', 'subject_id']).where('state', '=', 'PENDING').doNothing(),
    )
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) {
    throw new Refusal('APPROVAL_PENDING', 'A request of this kind already waits for its second operator.');
  }
  await audit(trx, {
    action: 'approval.requested',
    objectType: 'approval',
    objectId: approvalId,
    after: { kind: asked.kind, operation: asked.operation, subject: asked.subject },
  });
  return toApproval(row, nowOf(trx));
}

/** The approval of an id in the caller's scope, or undefined. */
export async function findApproval(trx: Trx, approvalId: string): Promise<Approval | undefined> {
  const row = await trx
    .selectFrom('approvals')
    .selectAll()
    .where('approval_id', '=', approvalId)
    .executeTakeFirst();
  return row && toApproval(row, nowOf(trx));
}

/** Locks a pending approval. Throws `APPROVAL_NOT_FOUND`; `STATE_CONFLICT` when it is decided or too old. */
export async function lockPendingApproval(trx: Trx, approvalId: string): Promise<Approval> {
  const row = await trx
    .selectFrom('approvals')
    .selectAll()
    .where('approval_id', '=', approvalId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('APPROVAL_NOT_FOUND', 'There is no such approval.');
  const approval = toApproval(row, nowOf(trx));
  if (approval.state === 'PENDING') return approval;
  throw new Refusal('STATE_CONFLICT', `This approval is ${approval.state}.`);
}

/** Stores what became of a locked approval, once and for all. */
export async function settleApproval(
  trx: Trx,
  approval: Approval,
  outcome: {
    readonly state: 'APPROVED' | 'FAILED' | 'REJECTED' | 'CANCELLED';
    readonly decidedBy: string;
    readonly comment: string | null;
    readonly resultTitle?: string;
  },
): Promise<Approval> {
  const { state, decidedBy, comment, resultTitle = null } = outcome;
  const row = await trx
    .updateTable('approvals')
    .set({ state, decided_by: decidedBy, decided_at: nowOf(trx), comment, result_title: resultTitle })
    .where('approval_id', '=', approval.approvalId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(trx, {
    action: 'approval.decided',
    objectType: 'approval',
    objectId: approval.approvalId,
    result: state === 'FAILED' ? 'FAILED' : 'OK',
    before: { state: approval.state },
    after: { state, comment, title: resultTitle },
    ...(approval.partnerId === null ? {} : { partnerId: approval.partnerId }),
  });
  return toApproval(row, nowOf(trx));
}

/** Stores what became of a subject whose approval is only listed, and decided elsewhere; late or not. */
export async function settleListed(
  trx: Trx,
  kind: ApprovalKind,
  subjectId: string,
  outcome: Parameters<typeof settleApproval>[2],
): Promise<void> {
  const row = await trx
    .selectFrom('approvals')
    .selectAll()
    .where('kind', '=', kind)
    .where('subject_id', '=', subjectId)
    .where('state', 'in', ['PENDING', 'EXPIRED'])
    .forUpdate()
    .executeTakeFirst();
  if (row !== undefined) await settleApproval(trx, toApproval(row, nowOf(trx)), outcome);
}

export interface ApprovalFilter {
  readonly state?: ApprovalState | undefined;
  readonly kind?: ApprovalKind | undefined;
  readonly subjectId?: string | undefined;
  /** Only what this operator has asked for. */
  readonly requestedBy?: string | undefined;
}

/** Approvals in the caller's scope, newest first, before the id of `before`. */
export async function listApprovals(
  trx: Trx,
  filter: ApprovalFilter,
  before: string | undefined,
  limit: number,
): Promise<Approval[]> {
  const now = nowOf(trx);
  const { state, kind, subjectId, requestedBy } = filter;
  const rows = await trx
    .selectFrom('approvals')
    .selectAll()
    .$if(state !== undefined, (query) => query.where(stateAt(now), '=', state as ApprovalState))
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind as string))
    .$if(subjectId !== undefined, (query) => query.where('subject_id', '=', subjectId as string))
    .$if(requestedBy !== undefined, (query) => query.where('requested_by', '=', requestedBy as string))
    .$if(before !== undefined, (query) => query.where('approval_id', '<', before as string))
    .orderBy('approval_id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => toApproval(row, now));
}

const stateAt = (now: Date) =>
  sql<string>`case when state = 'PENDING' and expires_at <= ${now} then 'EXPIRED' else state end`;

/** Ends what nobody has decided in time; answers how many. Readers see it as expired before. */
export async function expireApprovals(db: Kysely<Database>): Promise<number> {
  const ended = await db
    .updateTable('approvals')
    .set({ state: 'EXPIRED', decided_at: sql<Date>`cardloom_now()` })
    .where('state', '=', 'PENDING')
    .where('expires_at', '<=', sql<Date>`cardloom_now()`)
    .executeTakeFirst();
  return Number(ended.numUpdatedRows);
}

const toApproval = (row: Selectable<ApprovalsTable>, now: Date): Approval => ({
  approvalId: row.approval_id,
  partnerId: row.partner_id,
  kind: row.kind as ApprovalKind,
  operation: row.operation,
  subject: { type: row.subject_type, id: row.subject_id },
  summary: row.summary,
  request: row.request,
  requestSha256: row.request_sha256,
  requestedBy: row.requested_by,
  requestedAt: row.created_at,
  state: row.state === 'PENDING' && row.expires_at <= now ? 'EXPIRED' : row.state,
  expiresAt: row.expires_at,
  decidedBy: row.decided_by,
  decidedAt: row.decided_at,
  comment: row.comment,
  resultTitle: row.result_title,
});
