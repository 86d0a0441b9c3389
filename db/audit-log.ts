import { callerOf, newId, type Trx } from './atomically.ts';

/** Everything that leaves an audit row; a closed list so that a new write cannot be forgotten. */
export type AuditAction =
  | 'customer.created'
  | 'customer.updated'
  | 'customer.locked'
  | 'customer.unlocked'
  | 'customer.deleted'
  | 'customer.address_changed'
  | 'corporation.created'
  | 'corporation.updated'
  | 'corporation.locked'
  | 'corporation.unlocked'
  | 'corporation.deleted'
  | 'corporation.screened'
  | 'corporation.address_changed'
  | 'employee.added'
  | 'import.received'
  | 'import.cancelled'
  | 'import.finished'
  | 'import.file_deleted'
  | 'employee.updated'
  | 'employee.removed'
  | 'verification.submitted'
  | 'verification.screened'
  | 'verification.decided'
  | 'verification.claimed'
  | 'verification.released'
  | 'verification.edited'
  | 'verification.read'
  | 'verification.document_read'
  | 'verification.documents_deleted'
  | 'screening.hit_decided'
  | 'screening.list_loaded'
  | 'document.expiry_told'
  | 'balance.created'
  | 'balance.deleted'
  | 'balance.blocked'
  | 'balance.unblocked'
  | 'limit.changed'
  | 'partner_balance.alert_set'
  | 'partner_balance.low'
  | 'partner_balance.recovered'
  | 'card.requested'
  | 'card.created'
  | 'card.failed'
  | 'card.withdrawn'
  | 'card.read'
  | 'card.locked'
  | 'card.unlocked'
  | 'card.removed'
  | 'transaction.posted'
  | 'partner_balance.posted'
  | 'partner_balance.created'
  | 'balance.adjusted'
  | 'programme.posting_ceiling_set'
  | 'transactional_lock.added'
  | 'transactional_lock.removed'
  | 'certificate.requested'
  | 'certificate.approved'
  | 'certificate.rejected'
  | 'certificate.renewed'
  | 'certificate.revoked'
  | 'certificate.expiry_told'
  | 'connection.key_made'
  | 'connection.certificate_set'
  | 'authority.created'
  | 'partner.created'
  | 'partner.updated'
  | 'partner.suspended'
  | 'partner.resumed'
  | 'programme.created'
  | 'programme.updated'
  | 'card_product.created'
  | 'card_product.updated'
  | 'hold.released'
  | 'exception.claimed'
  | 'exception.assigned'
  | 'exception.resolved'
  | 'clearing_file.announced'
  | 'clearing_file.posted'
  | 'clearing_file.rejected'
  | 'session.opened'
  | 'session.ended'
  | 'session.token_reused'
  | 'session.stepped_up'
  | 'sign_in.failed'
  | 'sign_in.unlocked'
  | 'device.paired'
  | 'device.changed'
  | 'device.ended'
  | 'code.sent'
  | 'code.refused'
  | 'password.set'
  | 'terms.accepted'
  | 'kyb.created'
  | 'kyb.person_checked'
  | 'kyb.shredded'
  | 'kyb.section_changed'
  | 'kyb.document_added'
  | 'kyb.document_removed'
  | 'kyb.document_read'
  | 'kyb.read'
  | 'kyb.submitted'
  | 'kyb.screened'
  | 'kyb.commented'
  | 'kyb.claimed'
  | 'kyb.released'
  | 'kyb.reviewed'
  | 'kyb.correction_requested'
  | 'kyb.held'
  | 'kyb.resumed'
  | 'kyb.accepted'
  | 'kyb.rejected'
  | 'kyb.expired'
  | 'kyb.link_requested'
  | 'trace.read'
  | 'customer.read'
  | 'operator.sign_in'
  | 'operator.signed_in'
  | 'operator.second_factor'
  | 'operator.stepped_up'
  | 'operator.signed_out'
  | 'operator.locked'
  | 'operator.invited'
  | 'operator.joined'
  | 'operator.changed'
  | 'operator.unlocked'
  | 'operator.disabled'
  | 'operator.enabled'
  | 'operator.sessions_ended'
  | 'operator.reset_asked'
  | 'operator.password_changed'
  | 'operator.totp_offered'
  | 'operator.totp_set'
  | 'audit.read'
  | 'audit.verified'
  | 'approval.requested'
  | 'approval.decided'
  | 'call.refused';

export interface AuditEntry {
  readonly action: AuditAction;
  readonly objectType: string;
  readonly objectId: string | number;
  readonly result?: 'OK' | 'DENIED' | 'FAILED';
  /** Without personal data, PAN, CVC2, PIN, OTP or tokens. */
  readonly before?: Record<string, unknown>;
  readonly after?: Record<string, unknown>;
  /** The partner concerned, where the caller is not that partner. */
  readonly partnerId?: number;
}

/** Appends who did what to which object, in the transaction of the effect (channels 3). */
export async function audit(trx: Trx, entry: AuditEntry): Promise<void> {
  const caller = callerOf(trx);
  await trx
    .insertInto('audit_log')
    .values({
      id: newId(trx),
      partner_id: entry.partnerId ?? caller.partnerId,
      actor_type: caller.actor.type,
      actor_id: caller.actor.id,
      action: entry.action,
      object_type: entry.objectType,
      object_id: String(entry.objectId),
      result: entry.result ?? 'OK',
      request_id: caller.requestId,
      ip: caller.ip,
      before: entry.before === undefined ? null : JSON.stringify(entry.before),
      after: entry.after === undefined ? null : JSON.stringify(entry.after),
    })
    .execute();
}

/** True when the caller's request has left this entry already: for work that is tried again. Engine only. */
export async function isAudited(trx: Trx, action: AuditAction, objectId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('audit_log')
    .select('id')
    .where('action', '=', action)
    .where('object_id', '=', objectId)
    .where('request_id', '=', callerOf(trx).requestId)
    .executeTakeFirst();
  return row !== undefined;
}
