import { type Kysely, sql } from 'kysely';
import { isExpired } from '../domain/verification.ts';
import type { Caller } from '../domain/actor.ts';
import { audit } from './audit-log.ts';
import { atomically, nowOf, type Trx } from './atomically.ts';
import { lockCustomer } from './customers.ts';
import type { Database } from './database.ts';
import { queueCustomerMail } from './messages.ts';
import { addTransactionalLock } from './transactional-locks.ts';

const AT_ONCE = 200;

/**
 * Locks the verified customers whose document is no longer good (onboarding 6.6), by the database's clock, each in a
 * commit of their own. Answers how many; repeated, those that are locked stay as they are. Engine only.
 */
export async function lockExpiredDocuments(engine: Kysely<Database>, caller: Caller): Promise<number> {
  let locked = 0;
  for (let after = 0; ;) {
    const due = await expiredCustomers(engine, after);
    for (const customerId of due) {
      if (await atomically(engine, caller, (trx) => lockOne(trx, customerId))) locked += 1;
    }
    const last = due.at(-1);
    if (last === undefined) return locked;
    after = last;
  }
}

async function expiredCustomers(engine: Kysely<Database>, after: number): Promise<number[]> {
  const { rows } = await sql<{ customer_id: number }>`
    select c.customer_id from customers c
    where c.kyc = 'SUCCESS' and c.state <> 'DELETED' and c.customer_id > ${after}
      and c.document_expiration_date < (cardloom_now() at time zone 'UTC')::date
      and not exists (
        select from transactional_locks l
        where l.resource_type = 'user' and l.resource_id = c.customer_id::text
          and l.lock_reason = 'DOCUMENT_EXPIRED' and l.origin = 'SYSTEM')
    order by c.customer_id limit ${AT_ONCE}`.execute(engine);
  return rows.map((row) => row.customer_id);
}

async function lockOne(trx: Trx, customerId: number): Promise<boolean> {
  const customer = await lockCustomer(trx, 'every', customerId);
  const { documentExpirationDate: date, kyc, state } = customer;
  const today = nowOf(trx).toISOString().slice(0, 10);
  // A later date may have come between the search and our hold on the row.
  if (kyc !== 'SUCCESS' || state === 'DELETED' || date === null || !isExpired(date, today)) return false;
  const lock = { reason: 'DOCUMENT_EXPIRED', origin: 'SYSTEM' } as const;
  return (await addTransactionalLock(trx, customer, lock)) === 'ADDED';
}

/** A mail that is due: 30 and 7 days before the end, and on the last day. */
interface DueNotice {
  readonly customer_id: number;
  readonly partner_id: number;
  readonly programme_id: number;
  readonly expires_on: string;
  readonly days_before: number;
}

/**
 * Mails the customers whose document ends soon (onboarding 6.6), each date and step once; a day that was missed is
 * made up for by the next look. Answers how many. Engine only.
 */
export async function tellEndingDocuments(engine: Kysely<Database>, caller: Caller): Promise<number> {
  let told = 0;
  for (let after = 0; ;) {
    const due = await dueNotices(engine, after);
    for (const notice of due) {
      if (await atomically(engine, caller, (trx) => tellOne(trx, notice))) told += 1;
    }
    const last = due.at(-1);
    if (last === undefined) return told;
    after = last.customer_id;
  }
}

async function dueNotices(engine: Kysely<Database>, after: number): Promise<DueNotice[]> {
  const { rows } = await sql<DueNotice>`
    select due.* from (
      select c.customer_id, c.partner_id, c.programme_id, c.document_expiration_date as expires_on,
        case when c.document_expiration_date = today then 0
          when c.document_expiration_date <= today + 7 then 7 else 30 end as days_before
      from customers c, (select (cardloom_now() at time zone 'UTC')::date as today) clock
      where c.kyc = 'SUCCESS' and c.state <> 'DELETED' and c.customer_id > ${after}
        and c.document_expiration_date between today and today + 30) due
    where not exists (
      select from document_notices n
      where n.customer_id = due.customer_id and n.expires_on = due.expires_on
        and n.days_before = due.days_before)
    order by due.customer_id limit ${AT_ONCE}`.execute(engine);
  return rows;
}

async function tellOne(trx: Trx, notice: DueNotice): Promise<boolean> {
  const { customer_id: customerId, partner_id: partnerId, programme_id: programmeId } = notice;
  const { expires_on: expiresOn, days_before: daysBefore } = notice;
  const noted = await trx
    .insertInto('document_notices')
    .values({
      customer_id: customerId,
      partner_id: partnerId,
      expires_on: expiresOn,
      days_before: daysBefore,
      sent_at: nowOf(trx),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (Number(noted.numInsertedOrUpdatedRows ?? 0) === 0) return false;
  await queueCustomerMail(
    trx,
    { partnerId, programmeId },
    { template: 'documentExpires', facts: { expiresOn, lastDay: daysBefore === 0 }, customerId },
  );
  await audit(trx, {
    action: 'document.expiry_told',
    objectType: 'customer',
    objectId: customerId,
    partnerId,
    after: { expiresOn, daysBefore },
  });
  return true;
}
