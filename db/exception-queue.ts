import { Refusal } from '../domain/errors.ts';
import { movesMoney, resolutionsOf } from '../domain/exception-resolution.ts';
import { audit } from './audit-log.ts';
import { callerOf, newId, nowOf, type Trx } from './atomically.ts';
import type { ExceptionRow } from './exceptions.ts';
import { adjustBalance, linkTransaction, reassignRecord, type Resolve } from './exception-resolutions.ts';

/**
 * The work of people on exceptions (authorization 13): OPEN -> IN_REVIEW -> RESOLVED. Each function leaves the
 * row and its audit entry in the caller's transaction. Engine only.
 */

/** Takes an open exception for oneself; one's own again changes nothing. Throws `STATE_CONFLICT` when another has it. */
export async function claimException(trx: Trx, exceptionId: string, operatorId: string): Promise<void> {
  const found = await lockException(trx, exceptionId);
  if (found.state === 'IN_REVIEW' && found.assignee === operatorId) return;
  if (found.state !== 'OPEN') throw conflict(found);
  await assignTo(trx, found, operatorId, 'exception.claimed');
}

/** Gives an exception to somebody, whoever had it. Throws `STATE_CONFLICT` when it is resolved. */
export async function assignException(trx: Trx, exceptionId: string, operatorId: string): Promise<void> {
  const found = await lockException(trx, exceptionId);
  if (found.state === 'RESOLVED') throw conflict(found);
  if (found.assignee !== operatorId) await assignTo(trx, found, operatorId, 'exception.assigned');
}

/** What a resolution left behind. */
export interface Resolved {
  /** The posting, where money was moved. */
  readonly transactionId: string | null;
}

/**
 * Ends an exception that is in review. Throws `STATE_CONFLICT` outside of review, `RESOLUTION_NOT_FOR_KIND`,
 * `FORBIDDEN` for money without a second person, `VALIDATION_ERROR` for a missing member, `TRANSACTION_NOT_FOUND`,
 * `SERVICE_UNAVAILABLE` for what is not part of this release, and what `postAdjustment` throws.
 */
export async function resolveException(trx: Trx, exceptionId: string, resolve: Resolve): Promise<Resolved> {
  const found = await lockException(trx, exceptionId);
  if (found.state !== 'IN_REVIEW') throw conflict(found);
  const { resolution, operatorId, secondOperatorId } = resolve;
  if (!resolutionsOf(found.kind).includes(resolution)) {
    const fitting = resolutionsOf(found.kind).join(', ');
    throw new Refusal('RESOLUTION_NOT_FOR_KIND', `${found.kind} is resolved by ${fitting}.`);
  }
  if (movesMoney(resolution) && (secondOperatorId === null || secondOperatorId === operatorId)) {
    throw new Refusal('FORBIDDEN', 'A resolution that moves money needs a second person.');
  }
  const transactionId = await takeEffect(trx, found, resolve);
  await trx
    .updateTable('exceptions')
    .set({
      state: 'RESOLVED',
      resolution,
      note: resolve.note,
      resolved_by: operatorId,
      resolved_at: nowOf(trx),
      resolving_transaction_id: transactionId,
    })
    .where('exception_id', '=', exceptionId)
    .execute();
  await audit(trx, {
    action: 'exception.resolved',
    objectType: 'exception',
    objectId: exceptionId,
    ...(found.partner_id === null ? {} : { partnerId: found.partner_id }),
    before: { state: found.state },
    after: { state: 'RESOLVED', resolution, operatorId, secondOperatorId, transactionId, note: resolve.note },
  });
  return { transactionId };
}

async function takeEffect(trx: Trx, found: ExceptionRow, resolve: Resolve): Promise<string | null> {
  switch (resolve.resolution) {
    case 'ACCEPT':
    // A record that was set aside has posted nothing, so there is nothing to take back.
    case 'REJECT_RECORD':
      return null;
    case 'LINK':
      await linkTransaction(trx, found, resolve, newId(trx));
      return null;
    case 'ADJUST':
    case 'WRITE_OFF':
      return await adjustBalance(trx, found, resolve);
    case 'REASSIGN':
      return await reassignRecord(trx, found, resolve);
    case 'DISPUTE':
      throw new Refusal('SERVICE_UNAVAILABLE', `${resolve.resolution} is not part of this release.`);
  }
}

async function lockException(trx: Trx, exceptionId: string): Promise<ExceptionRow> {
  const row = await trx
    .selectFrom('exceptions')
    .selectAll()
    .where('exception_id', '=', exceptionId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('EXCEPTION_NOT_FOUND', 'There is no such exception.');
  return row;
}

async function assignTo(
  trx: Trx,
  found: ExceptionRow,
  operatorId: string,
  action: 'exception.claimed' | 'exception.assigned',
): Promise<void> {
  await trx
    .updateTable('exceptions')
    .set({ state: 'IN_REVIEW', assignee: operatorId })
    .where('exception_id', '=', found.exception_id)
    .execute();
  await audit(trx, {
    action,
    objectType: 'exception',
    objectId: found.exception_id,
    ...(found.partner_id === null ? {} : { partnerId: found.partner_id }),
    before: { state: found.state, assignee: found.assignee },
    after: { state: 'IN_REVIEW', assignee: operatorId, by: callerOf(trx).actor.id },
  });
}

const conflict = ({ state, assignee }: ExceptionRow): Refusal =>
  new Refusal(
    'STATE_CONFLICT',
    assignee === null || state === 'RESOLVED' ? `The exception is ${state}.` : `${assignee} works on it.`,
  );
