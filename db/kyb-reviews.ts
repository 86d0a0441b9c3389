import { assertNever, Refusal } from '../domain/errors.ts';
import {
  acceptanceFault,
  commandFault,
  isFinal,
  type KybCommand,
  type KybSection,
  type KybStatus,
  statusAfter,
} from '../domain/kyb-application.ts';
import { audit, type AuditAction } from './audit-log.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import {
  commentPlace,
  type KybApplication,
  kybTextPlace,
  lockKybApplication,
  sectionMarks,
} from './kyb-applications.ts';
import { kybPersons } from './kyb-form.ts';
import { queueKybMail } from './kyb-mails.ts';
import { kybHits } from './kyb-screening.ts';

/** Seals a text under the application's key; given in so that db knows no vault. */
export type SealText = (
  place: ReturnType<typeof kybTextPlace> | ReturnType<typeof commentPlace>,
  text: string,
) => Buffer;

/**
 * Does what an operator asked for, in one commit (onboarding 8.1, 8.4): state, sections, comment, mail, review
 * row, audit. `key` names the request: done once however often it is tried. Throws `STATE_CONFLICT`,
 * `SECTIONS_NOT_VERIFIED`, `SCREENING_HIT_OPEN`, `VALIDATION_ERROR`.
 */
export async function applyKybCommand(
  trx: Trx,
  applicationId: string,
  command: KybCommand,
  { key, seal }: { readonly key: string; readonly seal: SealText },
): Promise<KybApplication> {
  const application = await lockKybApplication(trx, 'every', applicationId);
  const { partnerId, status } = application;
  const commandKey = `${applicationId}:${key}`;
  const done = await trx
    .selectFrom('kyb_reviews')
    .select('review_id')
    .where('command_key', '=', commandKey)
    .executeTakeFirst();
  if (done !== undefined) return application;
  await refuseKybCommand(trx, application, command);
  const next = command.action === 'reviewSection' ? 'IN_REVIEW' : statusAfter(command.action);
  await change(trx, application, command, seal, next);
  await trx
    .insertInto('kyb_reviews')
    .values({
      review_id: newId(trx),
      application_id: applicationId,
      partner_id: partnerId,
      action: command.action,
      section: command.action === 'reviewSection' ? command.section : null,
      result: command.action === 'reviewSection' ? command.result : null,
      operator: command.operatorId,
      command_key: commandKey,
      created_at: nowOf(trx),
    })
    .execute();
  await audit(trx, {
    action: AUDITED_AS[command.action],
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    before: { status },
    after: {
      status: next,
      ...(command.action === 'reviewSection' ? { section: command.section, result: command.result } : {}),
    },
  });
  return await lockKybApplication(trx, 'every', applicationId);
}

const AUDITED_AS = {
  reviewSection: 'kyb.reviewed',
  requestCorrection: 'kyb.correction_requested',
  hold: 'kyb.held',
  resume: 'kyb.resumed',
  accept: 'kyb.accepted',
  reject: 'kyb.rejected',
} as const satisfies Record<KybCommand['action'], AuditAction>;

/**
 * Refuses a command that the application is not ready for; asked before it is sent to the workflow, and again
 * when it is done. Throws as `applyKybCommand`.
 */
export async function refuseKybCommand(
  trx: Trx,
  application: KybApplication,
  command: KybCommand,
): Promise<void> {
  const { applicationId, status } = application;
  const sections = await sectionMarks(trx, applicationId);
  const fault =
    commandFault(status, sections, command) ?? (await acceptanceFaultOf(trx, application, command));
  switch (fault) {
    case null:
      return;
    case 'COMMENT_REQUIRED':
      throw new Refusal('VALIDATION_ERROR', '1 field is invalid.', {
        fields: [{ field: 'comment', message: 'is required with NEEDS_CORRECTION' }],
      });
    case 'REASON_REQUIRED':
      throw new Refusal('VALIDATION_ERROR', '1 field is invalid.', {
        fields: [{ field: 'reason', message: 'is required' }],
      });
    case 'STATE_CONFLICT':
      throw new Refusal('STATE_CONFLICT', 'This cannot be done to the application in its present state.');
    case 'SECTIONS_NOT_VERIFIED':
      throw new Refusal('SECTIONS_NOT_VERIFIED', 'All five sections must be VERIFIED first.');
    case 'SCREENING_HIT_OPEN':
      throw new Refusal(
        'SCREENING_HIT_OPEN',
        'A screening hit is open or confirmed, or a person is declared as sanctioned.',
      );
    default:
      assertNever(fault);
  }
}

async function acceptanceFaultOf(trx: Trx, { applicationId }: KybApplication, command: KybCommand) {
  if (command.action !== 'accept') return null;
  const persons = await kybPersons(trx, applicationId);
  return acceptanceFault({
    sections: await sectionMarks(trx, applicationId),
    ...(await kybHits(trx, applicationId)),
    sanctionDeclared: persons.some((one) => one.sanctioned),
  });
}

async function change(
  trx: Trx,
  application: KybApplication,
  command: KybCommand,
  seal: SealText,
  next: KybStatus,
): Promise<void> {
  const { applicationId } = application;
  switch (command.action) {
    case 'reviewSection':
      await markSection(trx, application, command);
      if (command.comment !== undefined) {
        await storeComment(trx, application, { ...command, text: command.comment }, seal);
      }
      return await setStatus(trx, applicationId, { status: next });
    case 'requestCorrection':
      await queueKybMail(trx, application, { applicationId, mail: 'correction' });
      return await setStatus(trx, applicationId, { status: next, touched_at: nowOf(trx) });
    case 'hold':
      return await setStatus(trx, applicationId, {
        status: next,
        reason: seal(kybTextPlace(applicationId, 'reason'), command.reason),
      });
    case 'resume':
      return await setStatus(trx, applicationId, { status: next, reason: null });
    case 'accept':
      await queueKybMail(trx, application, { applicationId, mail: 'accepted' }, '4');
      return await setStatus(trx, applicationId, {
        status: next,
        reason: null,
        note: command.note === undefined ? null : seal(kybTextPlace(applicationId, 'note'), command.note),
        decided_by: command.operatorId,
        decided_at: nowOf(trx),
      });
    case 'reject':
      await queueKybMail(trx, application, { applicationId, mail: 'rejected' }, '5');
      return await setStatus(trx, applicationId, {
        status: next,
        reason: seal(kybTextPlace(applicationId, 'reason'), command.reason),
        decided_by: command.operatorId,
        decided_at: nowOf(trx),
      });
  }
}

async function markSection(
  trx: Trx,
  { applicationId }: KybApplication,
  command: KybCommand & { readonly action: 'reviewSection' },
): Promise<void> {
  await trx
    .updateTable('kyb_sections')
    .set({
      state: command.result,
      changed: false,
      reviewed_by: command.operatorId,
      reviewed_at: nowOf(trx),
    })
    .where('application_id', '=', applicationId)
    .where('section', '=', command.section)
    .execute();
}

interface StatusColumns {
  readonly status: KybStatus;
  readonly reason?: Buffer | null;
  readonly note?: Buffer | null;
  readonly decided_by?: string;
  readonly decided_at?: Date;
  readonly touched_at?: Date;
}

async function setStatus(trx: Trx, applicationId: string, columns: StatusColumns): Promise<void> {
  await trx
    .updateTable('kyb_applications')
    .set((set) => ({ ...columns, version: set('version', '+', 1) }))
    .where('application_id', '=', applicationId)
    .execute();
}

/** Ends a draft that was left alone, or puts a correction that never came on hold; false when it is too early. */
export async function endKybWait(
  trx: Trx,
  application: KybApplication,
  wait: { readonly status: 'DRAFT' | 'NEEDS_CORRECTION'; readonly untouchedMs: number },
): Promise<boolean> {
  const { applicationId, partnerId, status, touchedAt } = application;
  const now = nowOf(trx);
  if (status !== wait.status || now.getTime() - touchedAt.getTime() < wait.untouchedMs) return false;
  const expires = wait.status === 'DRAFT';
  await setStatus(
    trx,
    applicationId,
    expires ? { status: 'EXPIRED', decided_at: now } : { status: 'ON_HOLD' },
  );
  await audit(trx, {
    action: expires ? 'kyb.expired' : 'kyb.held',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    before: { status },
    after: { status: expires ? 'EXPIRED' : 'ON_HOLD' },
  });
  return true;
}

export interface NewComment {
  readonly section?: KybSection;
  readonly text: string;
  readonly operatorId: string;
}

/** Writes to the applicant (one way) and mails it; gives the comment's id. Throws `STATE_CONFLICT` at the end. */
export async function addKybComment(
  trx: Trx,
  application: KybApplication,
  comment: NewComment,
  seal: SealText,
): Promise<string> {
  if (isFinal(application.status)) {
    throw new Refusal('STATE_CONFLICT', 'This application is at its end.');
  }
  const commentId = await storeComment(trx, application, comment, seal);
  await audit(trx, {
    action: 'kyb.commented',
    objectType: 'kyb_application',
    objectId: application.applicationId,
    partnerId: application.partnerId,
    after: { commentId, section: comment.section ?? null },
  });
  return commentId;
}

async function storeComment(
  trx: Trx,
  application: KybApplication,
  comment: NewComment,
  seal: SealText,
): Promise<string> {
  const { applicationId, partnerId } = application;
  const commentId = newId(trx);
  await trx
    .insertInto('kyb_comments')
    .values({
      comment_id: commentId,
      application_id: applicationId,
      partner_id: partnerId,
      section: comment.section ?? null,
      text: seal(commentPlace(commentId), comment.text),
      operator: comment.operatorId,
      created_at: nowOf(trx),
    })
    .execute();
  await queueKybMail(trx, application, { applicationId, mail: 'comment', commentId });
  return commentId;
}

/** Leaves the audit row of an operator who has opened the case. */
export async function auditKybRead(trx: Trx, { applicationId, partnerId }: KybApplication): Promise<void> {
  await audit(trx, { action: 'kyb.read', objectType: 'kyb_application', objectId: applicationId, partnerId });
}

/** Who has a claim on the case at the moment, null when nobody has. */
export const kybClaimant = (trx: Trx, { claimedBy, claimedUntil }: KybApplication): string | null =>
  claimedUntil !== null && claimedUntil > nowOf(trx) ? claimedBy : null;

const CLAIM_MS = 30 * 60_000;

/** Shows for 30 minutes that an operator looks at the case; guards nothing. Throws `CLAIMED_BY_OTHER`. */
export async function claimKyb(trx: Trx, application: KybApplication, operatorId: string): Promise<void> {
  const { applicationId, claimedBy, claimedUntil } = application;
  const now = nowOf(trx);
  if (claimedBy !== null && claimedBy !== operatorId && claimedUntil !== null && claimedUntil > now) {
    throw new Refusal('CLAIMED_BY_OTHER', 'Somebody else looks at this application.');
  }
  await setClaim(trx, application, operatorId, new Date(now.getTime() + CLAIM_MS));
  await audit(trx, {
    action: 'kyb.claimed',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId: application.partnerId,
  });
}

/** Gives up one's own claim; without one nothing happens. Throws `CLAIMED_BY_OTHER`. */
export async function releaseKyb(trx: Trx, application: KybApplication, operatorId: string): Promise<void> {
  const { claimedBy, claimedUntil } = application;
  if (claimedBy === null || claimedUntil === null || claimedUntil <= nowOf(trx)) return;
  if (claimedBy !== operatorId) {
    throw new Refusal('CLAIMED_BY_OTHER', 'Somebody else looks at this application.');
  }
  await setClaim(trx, application, null, null);
  await audit(trx, {
    action: 'kyb.released',
    objectType: 'kyb_application',
    objectId: application.applicationId,
    partnerId: application.partnerId,
  });
}

async function setClaim(
  trx: Trx,
  { applicationId }: KybApplication,
  operatorId: string | null,
  until: Date | null,
): Promise<void> {
  await trx
    .updateTable('kyb_applications')
    .set({ claimed_by: operatorId, claimed_until: until })
    .where('application_id', '=', applicationId)
    .execute();
}

/** What operators wrote to the applicant, oldest first; texts sealed for `commentPlace`. */
export async function kybComments(
  trx: Trx,
  applicationId: string,
): Promise<
  {
    readonly commentId: string;
    readonly section: KybSection | null;
    readonly text: Buffer;
    readonly createdAt: Date;
  }[]
> {
  const rows = await trx
    .selectFrom('kyb_comments')
    .select(['comment_id', 'section', 'text', 'created_at'])
    .where('application_id', '=', applicationId)
    .orderBy('comment_id')
    .execute();
  return rows.map((row) => ({
    commentId: row.comment_id,
    section: row.section,
    text: row.text,
    createdAt: row.created_at,
  }));
}
