import { assertNever } from '../domain/errors.ts';
import { type OutboxEvent, PARTNER_OPERATIONS, type WorkflowStart } from '../domain/event.ts';
import type { Trx } from './atomically.ts';

/** The programme an event belongs to, as far as routing needs it. */
export interface EventOwner {
  readonly partnerId: number;
  readonly programmeId: number;
}

/**
 * Writes one outbox row for each destination that is told of `event`; an event nobody receives leaves
 * nothing (partner-integrations 12). Called in the transaction of the event's cause.
 */
export async function emit(trx: Trx, owner: EventOwner, event: OutboxEvent): Promise<void> {
  const route = PARTNER_OPERATIONS[event.kind];
  const programme = await trx
    .selectFrom('programmes')
    .select(['notifications'])
    .where('programme_id', '=', owner.programmeId)
    .executeTakeFirstOrThrow();
  const connectionId = programme.notifications[route.switch];
  if (connectionId === undefined) return;
  await trx
    .insertInto('outbox')
    .values({
      partner_id: owner.partnerId,
      programme_id: owner.programmeId,
      destination: 'partner',
      connection_id: connectionId,
      kind: route.operation,
      ...subjectOf(event),
    })
    .execute();
}

/**
 * Asks the relay to start (or wake) a workflow under its business id, once the transaction has committed; `owner`
 * is null for what belongs to no partner.
 */
export async function startWorkflow(trx: Trx, owner: EventOwner | null, start: WorkflowStart): Promise<void> {
  await trx
    .insertInto('outbox')
    .values({
      partner_id: owner?.partnerId ?? null,
      programme_id: owner?.programmeId ?? null,
      destination: 'workflow',
      kind: start.workflow,
      subject_id: start.id,
      order_key: start.id,
      data: JSON.stringify(start.input),
    })
    .execute();
}

function subjectOf(event: OutboxEvent) {
  switch (event.kind) {
    case 'transaction.changed':
      return {
        transaction_id: event.transactionId,
        event_seq: event.eventSeq,
        order_key: event.transactionId,
      };
    case 'card.locked':
      return {
        subject_id: String(event.cardId),
        order_key: `card:${event.cardId}`,
        data: JSON.stringify({ reason: event.reason, at: event.at }),
      };
    case 'card.unlocked':
      return {
        subject_id: String(event.cardId),
        order_key: `card:${event.cardId}`,
        data: JSON.stringify({ at: event.at }),
      };
    case 'verification.in_progress':
    case 'verification.accepted':
    case 'verification.rejected':
      return { subject_id: event.verificationId, order_key: `verification:${event.verificationId}` };
    case 'transactional_lock.added':
    case 'transactional_lock.removed':
      return {
        subject_id: event.resourceId,
        order_key: `${event.resourceType}:${event.resourceId}`,
        data: JSON.stringify({
          resourceType: event.resourceType,
          lockReason: event.lockReason,
          at: event.at,
        }),
      };
    default:
      return assertNever(event);
  }
}
