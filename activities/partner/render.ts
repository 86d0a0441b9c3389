import type { WireStyle } from '../../db/database.ts';
import { formPlace } from '../../db/verifications.ts';
import { personalPlace } from '../../db/customers.ts';
import {
  eventKey,
  loadTransactionFacts,
  loadVerificationFacts,
  type SealedVerificationFacts,
  type TransactionFacts,
  wireStyleOf,
} from '../../db/notification-facts.ts';
import type { NoticeRow, RenderedNotice, RenderNotices } from '../../db/relay.ts';
import type { PersonalData } from '../../domain/customer.ts';
import type { PartnerOperation } from '../../domain/event.ts';
import type { VerificationForm } from '../../domain/verification.ts';
import { batchBodies } from '../../vault/delivery-bodies.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import {
  cardLockedBody,
  cardUnlockedBody,
  lockReasonBody,
  type NotificationBody,
  transactionBody,
  verificationBody,
} from './schemas.ts';

interface Facts {
  readonly style: WireStyle;
  readonly transactions: ReadonlyMap<string, TransactionFacts>;
  readonly verifications: ReadonlyMap<string, SealedVerificationFacts>;
}

/**
 * Makes the bodies of claimed rows and seals them: facts are read set-based in the claim's transaction, and a
 * row whose subject is missing or cannot be opened fails alone.
 */
export const createRenderer =
  (vault: Vault): RenderNotices =>
  async (trx, rows) => {
    const first = rows[0];
    if (first === undefined) return [];
    const bodies = batchBodies(vault, first);
    const facts: Facts = {
      style: await wireStyleOf(trx, first.connectionId),
      transactions: await loadTransactionFacts(trx, rows.flatMap(transactionKey)),
      verifications: await loadVerificationFacts(trx, rows.flatMap(verificationKey)),
    };
    return rows.map((row): RenderedNotice => {
      try {
        const body = Buffer.from(JSON.stringify(bodyOf(vault, row, facts)));
        return { body: bodies.seal(row.deliveryId, body) };
      } catch (error) {
        return { fault: error instanceof Error ? error.name : 'unknown' };
      }
    });
  };

const transactionKey = ({ operation, transactionId, eventSeq }: NoticeRow) =>
  operation === 'transaction' && transactionId !== null && eventSeq !== null
    ? [{ transactionId, eventSeq }]
    : [];

const verificationKey = ({ operation, subjectId }: NoticeRow): string[] =>
  operation.startsWith('verification') && subjectId !== null ? [subjectId] : [];

function bodyOf(vault: Vault, row: NoticeRow, facts: Facts): NotificationBody {
  const { style } = facts;
  const operation = row.operation as PartnerOperation;
  switch (operation) {
    case 'cardLocked':
      return cardLockedBody({ ...cardOf(row), reason: textOf(row, 'reason') }, style);
    case 'cardUnlocked':
      return cardUnlockedBody(cardOf(row), style);
    case 'verificationInProgress':
    case 'verificationAccepted':
    case 'verificationRejected':
      return verificationBody(operation, openVerification(vault, row, facts), style);
    case 'transactionalLockReasonAdded':
    case 'transactionalLockReasonRemoved':
      return lockReasonBody(lockOf(row), style);
    case 'transaction': {
      const { transactionId, eventSeq } = row;
      const found =
        transactionId === null || eventSeq === null
          ? undefined
          : facts.transactions.get(eventKey({ transactionId, eventSeq }));
      if (found === undefined) throw new Error('the event of this row is missing');
      return transactionBody(found, style);
    }
    default:
      // The column is text: a row of an operation that this release does not know is the row's own fault.
      throw new Error(`unknown operation: ${typeof (operation satisfies never)}`);
  }
}

function openVerification(vault: Vault, row: NoticeRow, facts: Facts) {
  const sealed = facts.verifications.get(row.subjectId ?? '');
  if (sealed === undefined) throw new Error('the verification of this row is missing');
  const { subjectKey, verificationId, customerId, reason } = sealed;
  const form = openPersonal<VerificationForm>(vault, subjectKey, formPlace(verificationId), sealed.form);
  const place = personalPlace(subjectKey.subjectId);
  const { email } = openPersonal<PersonalData>(vault, subjectKey, place, sealed.personal);
  const { firstName, lastName } = form;
  return { verificationId, customerId, reason, email, firstName, lastName };
}

function cardOf(row: NoticeRow): { cardId: number; at: Date } {
  const cardId = Number(row.subjectId);
  const at = new Date(textOf(row, 'at'));
  if (!Number.isSafeInteger(cardId) || Number.isNaN(at.getTime()))
    throw new Error('a card event is incomplete');
  return { cardId, at };
}

function lockOf(row: NoticeRow) {
  const { subjectId: resourceId } = row;
  const at = new Date(textOf(row, 'at'));
  if (resourceId === null || Number.isNaN(at.getTime())) throw new Error('a lock event is incomplete');
  return { resourceType: textOf(row, 'resourceType'), resourceId, lockReason: textOf(row, 'lockReason'), at };
}

function textOf({ data }: NoticeRow, name: string): string {
  const value = data?.[name];
  if (typeof value !== 'string') throw new Error(`a row lacks ${name}`);
  return value;
}
