import { type Kysely, sql } from 'kysely';
import type { Mail, OpenMail, PlainMail, SecretMail } from '../domain/mail.ts';
import { newId, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import type { EventOwner } from './outbox.ts';

/** Faults of its own after which a mail is given up, as for every other outbox row (partner-integrations 12). */
const OWN_FAULTS = 5;
const AT_ONCE = 20;
/** A claimed mail whose sender died is free again after this; longer than any attempt. */
const CLAIM_SECONDS = 120;
const AWAY_SECONDS = 30;

/** Asks the relay to mail `addresses`, each apart, once the transaction has committed. */
export async function queueMail(
  trx: Trx,
  owner: { readonly partnerId: number | null; readonly programmeId: number | null },
  mail: PlainMail & { readonly subjectId: string; readonly addresses: readonly string[] },
): Promise<void> {
  await trx
    .insertInto('outbox')
    .values(
      mail.addresses.map((to) => ({
        partner_id: owner.partnerId,
        programme_id: owner.programmeId,
        destination: 'message' as const,
        kind: mail.template,
        subject_id: mail.subjectId,
        order_key: `${mail.subjectId}:${to}`,
        data: JSON.stringify({ to, facts: mail.facts }),
      })),
    )
    .execute();
}

/** Asks the relay to mail a code or a link to an operator; `sealed` are its facts, sealed for `subjectId`. */
export async function queueSecretMail(
  trx: Trx,
  mail: {
    readonly template: SecretMail['template'];
    readonly subjectId: string;
    readonly to: string;
    readonly sealed: string;
  },
): Promise<void> {
  const { template, subjectId, to, sealed } = mail;
  await trx
    .insertInto('outbox')
    .values({
      partner_id: null,
      programme_id: null,
      destination: 'message',
      kind: template,
      subject_id: subjectId,
      order_key: `${subjectId}:${to}`,
      data: JSON.stringify({ to, sealed }),
    })
    .execute();
}

/** Asks the relay to mail a customer; the row names them by id, their address is looked up when the mail leaves. */
export async function queueCustomerMail(
  trx: Trx,
  owner: EventOwner,
  mail: PlainMail & { readonly customerId: number },
): Promise<void> {
  const { customerId } = mail;
  await trx
    .insertInto('outbox')
    .values({
      partner_id: owner.partnerId,
      programme_id: owner.programmeId,
      destination: 'message',
      kind: mail.template,
      subject_id: String(customerId),
      order_key: `customer:${customerId}`,
      data: JSON.stringify({ customerId, facts: mail.facts }),
    })
    .execute();
}

/** Where a mail goes: an address as it is, or the one that a customer has by then. */
export type Recipient = { readonly address: string } | { readonly customerId: number };

/** A mail on its way, claimed for this sender alone. */
export interface ClaimedMail {
  readonly outboxId: number;
  readonly partnerId: number | null;
  readonly to: Recipient;
  readonly subjectId: string;
  readonly template: Mail['template'];
  /** What the mail tells, in clear or sealed. */
  readonly facts: { readonly clear: OpenMail['facts'] } | { readonly sealed: string };
}

/**
 * Claims due mails, oldest first, one for each subject and address; nobody else gets them for two minutes. They are
 * sent outside any transaction: a sender that dies in between leaves a mail that may be sent twice, never one
 * that is lost. Engine only.
 */
export async function claimMails(engine: Kysely<Database>): Promise<ClaimedMail[]> {
  const { rows } = await sql<{
    id: number;
    partner_id: number | null;
    kind: Mail['template'];
    subject_id: string;
    data: {
      readonly to?: string;
      readonly customerId?: number;
      readonly facts: OpenMail['facts'];
      readonly sealed?: string;
    };
  }>`
    update outbox set not_before = cardloom_now() + make_interval(secs => ${CLAIM_SECONDS})
    where id in (
      select o.id from outbox o
      where o.destination = 'message' and o.failures < ${OWN_FAULTS}
        and (o.not_before is null or o.not_before <= cardloom_now())
        and not exists (
          select from outbox earlier
          where earlier.destination = 'message' and earlier.order_key = o.order_key and earlier.id < o.id
            and earlier.failures < ${OWN_FAULTS})
      order by o.id limit ${AT_ONCE} for update skip locked)
    returning id, partner_id, kind, subject_id, data`.execute(engine);
  return rows
    .toSorted((left, right) => left.id - right.id)
    .map(({ id, partner_id: partnerId, kind, subject_id: subjectId, data }) => ({
      outboxId: id,
      partnerId,
      to: data.customerId === undefined ? { address: data.to ?? '' } : { customerId: data.customerId },
      subjectId,
      template: kind,
      facts: data.sealed === undefined ? { clear: data.facts } : { sealed: data.sealed },
    }));
}

/**
 * `AWAY`: the mail server cannot be reached or asks to wait; `REFUSED`: it will not take this mail; `NOBODY`: whom it
 * was for is gone.
 */
export type MailOutcome = 'ACCEPTED' | 'AWAY' | 'REFUSED' | 'NOBODY';

/**
 * Stores how an attempt went: an accepted mail and one for nobody leave the outbox, one for a server that is away
 * waits without end, one that is refused is given up after five tries, with an exception. True when it was given up.
 */
export async function settleMail(trx: Trx, claimed: ClaimedMail, outcome: MailOutcome): Promise<boolean> {
  const { outboxId } = claimed;
  if (outcome === 'ACCEPTED' || outcome === 'NOBODY') {
    await trx.deleteFrom('outbox').where('id', '=', outboxId).execute();
    return false;
  }
  const refused = outcome === 'REFUSED' ? 1 : 0;
  const { rows } = await sql<{ failures: number }>`
    update outbox set failures = failures + ${refused},
      not_before = cardloom_now() + make_interval(secs => ${AWAY_SECONDS} * (1 + failures))
    where id = ${outboxId} returning failures`.execute(trx);
  const failures = rows[0]?.failures ?? 0;
  if (refused === 0 || failures < OWN_FAULTS) return false;
  await trx
    .insertInto('exceptions')
    .values({
      exception_id: newId(trx),
      partner_id: claimed.partnerId,
      kind: 'RELAY_POISON',
      severity: 'CRITICAL',
      transaction_id: null,
      record_id: String(outboxId),
      values: JSON.stringify({ template: claimed.template }),
    })
    .execute();
  return true;
}
