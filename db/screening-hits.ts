import { type Selectable, sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import { type HitDecision, isSanctionList, type ScreeningList } from '../domain/screening.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { type Customer, lockCustomer } from './customers.ts';
import type { ScreeningHitsTable } from './database.ts';
import { isCompanySanctioned } from './kyb-screening.ts';
import { startWorkflow } from './outbox.ts';
import { hitSummary, type ScreenedSubject } from './screening.ts';
import { addTransactionalLock, removeTransactionalLock } from './transactional-locks.ts';

/** One match of a subject with an entry of a list. */
export interface ScreeningHit {
  readonly hitId: string;
  readonly partnerId: number;
  readonly subject: ScreenedSubject;
  readonly verificationId: string | null;
  /** The company's application that a person or company was screened for. */
  readonly kybApplicationId: string | null;
  readonly list: ScreeningList;
  readonly entryId: string;
  /** Names of the entry as they are compared; empty when the list has it no more. */
  readonly entryNames: readonly string[];
  readonly score: number;
  readonly state: 'OPEN' | 'FALSE_POSITIVE' | 'CONFIRMED';
  readonly note: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly createdAt: Date;
}

export interface HitFilter {
  readonly state?: ScreeningHit['state'] | undefined;
  readonly list?: ScreeningList | undefined;
  readonly subjectType?: ScreenedSubject['type'] | undefined;
  readonly subjectId?: string | undefined;
  /** Only those that the application of a company was screened with. */
  readonly kybApplicationId?: string | undefined;
  /** Only of this partner; absent: of all. */
  readonly partnerId?: number | undefined;
}

/** One page of hits, newest first, of ids below `beforeId`. Engine only. */
export async function listHits(
  trx: Trx,
  filter: HitFilter,
  page: { readonly limit: number; readonly beforeId: string | null },
): Promise<ScreeningHit[]> {
  let query = selectHits(trx).orderBy('hit_id', 'desc').limit(page.limit);
  if (page.beforeId !== null) query = query.where('hit_id', '<', page.beforeId);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.list !== undefined) query = query.where('screening_hits.list_code', '=', filter.list);
  if (filter.subjectType !== undefined) query = query.where('subject_type', '=', filter.subjectType);
  if (filter.subjectId !== undefined) query = query.where('subject_ref', '=', filter.subjectId);
  if (filter.partnerId !== undefined) query = query.where('partner_id', '=', filter.partnerId);
  if (filter.kybApplicationId !== undefined) {
    query = query.where('kyb_application_id', '=', filter.kybApplicationId);
  }
  return (await query.execute()).map(toHit);
}

/** One hit. Throws `HIT_NOT_FOUND`. */
export async function readHit(
  trx: Trx,
  key: { readonly hitId: string; readonly partnerId?: number | undefined },
): Promise<ScreeningHit> {
  let query = selectHits(trx).where('hit_id', '=', key.hitId);
  if (key.partnerId !== undefined) query = query.where('partner_id', '=', key.partnerId);
  const row = await query.executeTakeFirst();
  if (row === undefined) throw new Refusal('HIT_NOT_FOUND', 'There is no such screening hit.');
  return toHit(row);
}

export interface DecideHit {
  readonly hitId: string;
  readonly decision: HitDecision;
  readonly note: string;
  readonly operatorId: string;
  readonly partnerId?: number | undefined;
}

/**
 * Ends an open hit, with what follows (onboarding 6.7): a confirmed sanction locks the customer, or the corporation
 * of the person, and ends a running verification; a false one lifts the lock when it was the last; a confirmed PEP is
 * marked. A company's application that runs is told. Throws `HIT_NOT_FOUND`, `STATE_CONFLICT`. Engine only.
 */
export async function decideHit(trx: Trx, request: DecideHit): Promise<ScreeningHit> {
  const found = await readHit(trx, request);
  // The owner first, as when a form is taken in or lists are compared: the row is held before what hangs on it.
  const customer =
    found.subject.type === 'CUSTOMER' ? await lockCustomer(trx, 'every', Number(found.subject.ref)) : null;
  const corporation = customer === null ? await holdCorporationOf(trx, found) : null;
  const { decision, note, operatorId } = request;
  const changed = await trx
    .updateTable('screening_hits')
    .set({
      state: decision,
      note,
      decided_by: operatorId,
      decided_at: nowOf(trx),
      // Decided is the entry as it stands now and is shown, which a newer list may have changed since the match.
      entry_fingerprint: sql<string>`coalesce((select fingerprint from screening_entries as entry
        where entry.list_code = screening_hits.list_code and entry.entry_id = screening_hits.entry_id),
        entry_fingerprint)`,
    })
    .where('hit_id', '=', found.hitId)
    .where('state', '=', 'OPEN')
    .executeTakeFirst();
  if (Number(changed.numUpdatedRows) === 0) {
    throw new Refusal('STATE_CONFLICT', 'This hit is decided already.');
  }
  await audit(trx, {
    action: 'screening.hit_decided',
    objectType: 'screening_hit',
    objectId: found.hitId,
    partnerId: found.partnerId,
    before: { state: 'OPEN' },
    after: { state: decision, list: found.list, subjectType: found.subject.type },
  });
  if (customer !== null) await applyToCustomer(trx, customer, found, decision);
  else await applyToCompany(trx, found, corporation, decision);
  return await readHit(trx, request);
}

const DETECTED = { reason: 'SCREENING_DETECTED', origin: 'SYSTEM' } as const;

async function applyToCustomer(
  trx: Trx,
  customer: Customer,
  { hitId, subject, list }: ScreeningHit,
  decision: HitDecision,
): Promise<void> {
  if (customer.state !== 'DELETED') {
    if (decision === 'CONFIRMED' && isSanctionList(list)) await addTransactionalLock(trx, customer, DETECTED);
    if (decision === 'CONFIRMED' && list === 'PEP') await markAsPep(trx, customer.customerId);
  }
  if (decision === 'FALSE_POSITIVE' && !(await hitSummary(trx, subject)).sanction) {
    await removeTransactionalLock(trx, customer, DETECTED);
  }
  await tellVerification(trx, customer, { hitId, decision });
}

/** A hit on a company or one of its persons: on the corporation, when there is one, and told to the application. */
async function applyToCompany(
  trx: Trx,
  hit: ScreeningHit,
  corporation: HeldCorporation | null,
  decision: HitDecision,
): Promise<void> {
  if (corporation !== null && decision === 'CONFIRMED' && isSanctionList(hit.list)) {
    await addTransactionalLock(trx, corporation, DETECTED);
  }
  if (
    corporation !== null &&
    decision === 'FALSE_POSITIVE' &&
    !(await isCompanySanctioned(trx, corporation.corporationId))
  ) {
    await removeTransactionalLock(trx, corporation, DETECTED);
  }
  if (hit.kybApplicationId === null) return;
  const application = await trx
    .selectFrom('kyb_applications')
    .select(['partner_id', 'programme_id'])
    .where('application_id', '=', hit.kybApplicationId)
    .executeTakeFirstOrThrow();
  await startWorkflow(
    trx,
    { partnerId: application.partner_id, programmeId: application.programme_id },
    {
      workflow: 'kyb-hit-decided',
      id: `corporation-onboarding:${hit.kybApplicationId}`,
      input: { hitId: hit.hitId, decision },
    },
  );
}

interface HeldCorporation {
  readonly corporationId: string;
  readonly partnerId: number;
}

async function holdCorporationOf(trx: Trx, hit: ScreeningHit): Promise<HeldCorporation | null> {
  let query = trx
    .selectFrom('corporations')
    .select(['corporation_id', 'partner_id'])
    .where('partner_id', '=', hit.partnerId)
    .where('state', '<>', 'DELETED');
  query =
    hit.kybApplicationId === null
      ? query.where('corporation_id', '=', hit.subject.ref)
      : query.where('kyb_application_id', '=', hit.kybApplicationId);
  const row = await query.forNoKeyUpdate().executeTakeFirst();
  return row === undefined ? null : { corporationId: row.corporation_id, partnerId: row.partner_id };
}

async function markAsPep(trx: Trx, customerId: number): Promise<void> {
  await trx
    .updateTable('customers')
    .set({ pep: true, risk_level: 'HIGH', version: sql<number>`version + 1`, updated_at: nowOf(trx) })
    .where('customer_id', '=', customerId)
    .execute();
}

/** A case that runs looks at its hits again. */
async function tellVerification(
  trx: Trx,
  customer: Customer,
  input: { readonly hitId: string; readonly decision: HitDecision },
): Promise<void> {
  const running = await trx
    .selectFrom('verifications')
    .select('verification_id')
    .where('customer_id', '=', customer.customerId)
    .where('status', '=', 'IN_PROGRESS')
    .executeTakeFirst();
  if (running === undefined) return;
  await startWorkflow(trx, customer, {
    workflow: 'hit-decided',
    id: `customer-verification:${running.verification_id}`,
    input,
  });
}

const selectHits = (trx: Trx) =>
  trx
    .selectFrom('screening_hits')
    .leftJoin('screening_entries', (join) =>
      join
        .onRef('screening_entries.entry_id', '=', 'screening_hits.entry_id')
        .on(sql<boolean>`screening_entries.list_code = screening_hits.list_code`),
    )
    .selectAll('screening_hits')
    .select('screening_entries.normalized_names');

const toHit = (
  row: Selectable<ScreeningHitsTable> & { readonly normalized_names: string[] | null },
): ScreeningHit => ({
  hitId: row.hit_id,
  partnerId: row.partner_id,
  subject: { type: row.subject_type, ref: row.subject_ref },
  verificationId: row.verification_id,
  kybApplicationId: row.kyb_application_id,
  list: row.list_code as ScreeningList,
  entryId: row.entry_id,
  entryNames: row.normalized_names ?? [],
  score: row.score,
  state: row.state,
  note: row.note,
  decidedBy: row.decided_by,
  decidedAt: row.decided_at,
  createdAt: row.created_at,
});
