import { type Kysely, sql } from 'kysely';
import type {
  ConnectionsTable,
  CustomersTable,
  Database,
  TransactionsTable,
  VerificationsTable,
} from './database.ts';
import type { Selectable } from 'kysely';

/** One event of a transaction as a partner is told of it; own values of the event replace the transaction's. */
export interface TransactionFacts {
  readonly transactionId: string;
  readonly eventSeq: number;
  readonly kind: string;
  readonly status: 'AUTHORIZED' | 'CLEARED' | 'REVERSED';
  readonly result: string;
  readonly reason: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly originalAmount: number | null;
  readonly originalCurrency: string | null;
  readonly externalId: string;
  readonly occurredAt: Date;
  /** Of the first message of the lifecycle. */
  readonly firstExternalId: string;
  readonly firstOccurredAt: Date;
  readonly referenceExternalId: string | null;
  readonly type: string;
  readonly category: 'CREDIT' | 'DEBIT';
  readonly resource: string;
  readonly cardId: number | null;
  /** UUID of the card as a resource. */
  readonly cardResourceId: string | null;
  readonly balanceId: string | null;
  readonly partnerBalanceId: string | null;
  readonly description: string;
  readonly lastFourDigits: string | null;
  readonly transactionData: Readonly<Record<string, unknown>>;
}

interface EventKey {
  readonly transactionId: string;
  readonly eventSeq: number;
}

/** Facts by `transactionId:eventSeq`. */
export async function loadTransactionFacts(
  db: Kysely<Database>,
  keys: readonly EventKey[],
): Promise<Map<string, TransactionFacts>> {
  if (keys.length === 0) return new Map();
  const ids = keys.map((key) => key.transactionId);
  const sorted = ids.toSorted();
  const { rows } = await sql<
    Selectable<TransactionsTable> & {
      seq: number;
      event_kind: string;
      event_status: TransactionFacts['status'];
      event_result: string;
      event_reason: string | null;
      event_amount: number | null;
      event_external_id: string | null;
      event_occurred_at: Date | null;
      card_resource_id: string | null;
    }
  >`
    select t.*, e.seq, e.kind as event_kind, e.status as event_status, e.result as event_result,
      e.reason as event_reason, e.amount as event_amount, e.external_id as event_external_id,
      e.occurred_at as event_occurred_at, c.resource_id as card_resource_id
    from unnest(${ids}::uuid[], ${keys.map((key) => key.eventSeq)}::smallint[]) as k (id, seq)
    join transactions t on t.id = k.id
    join transaction_events e on e.transaction_id = k.id and e.seq = k.seq
    left join cards c on c.card_id = t.card_id
    where t.id between ${sorted[0]} and ${sorted.at(-1)}
      and e.transaction_id between ${sorted[0]} and ${sorted.at(-1)}`.execute(db);
  return new Map(
    rows.map((row) => [
      eventKey({ transactionId: row.id, eventSeq: row.seq }),
      {
        transactionId: row.id,
        eventSeq: row.seq,
        kind: row.event_kind,
        status: row.event_status,
        result: row.event_result,
        reason: row.event_reason,
        amount: row.event_amount ?? row.amount,
        currency: row.currency,
        ...originalOf(row),
        externalId: row.event_external_id ?? row.external_id,
        occurredAt: row.event_occurred_at ?? row.occurred_at,
        firstExternalId: row.external_id,
        firstOccurredAt: row.occurred_at,
        referenceExternalId: row.reference_external_id,
        type: row.type,
        category: row.category,
        resource: row.resource,
        cardId: row.card_id,
        cardResourceId: row.card_resource_id,
        balanceId: row.balance_id,
        partnerBalanceId: row.partner_balance_id,
        description: row.description,
        lastFourDigits: row.last_four_digits,
        transactionData: row.transaction_data,
      },
    ]),
  );
}

/** What was paid at the merchant belongs to the whole amount: of a part of it nothing is known. */
function originalOf(row: {
  readonly amount: number;
  readonly event_amount: number | null;
  readonly original_amount: number | null;
  readonly original_currency: string | null;
}): Pick<TransactionFacts, 'originalAmount' | 'originalCurrency'> {
  const whole = row.event_amount === null || row.event_amount === row.amount;
  return {
    originalAmount: whole ? row.original_amount : null,
    originalCurrency: whole ? row.original_currency : null,
  };
}

/** Key of `loadTransactionFacts`. */
export const eventKey = ({ transactionId, eventSeq }: EventKey): string => `${transactionId}:${eventSeq}`;

/** A verification and its customer with everything personal still sealed. */
export interface SealedVerificationFacts {
  readonly verificationId: string;
  readonly customerId: number;
  readonly reason: string | null;
  readonly form: Buffer;
  readonly personal: Buffer;
  readonly subjectKey: {
    readonly subjectId: string;
    readonly partnerId: number;
    readonly wrapped: Buffer;
    readonly kekVersion: number;
  };
}

/** Facts by verification id. */
export async function loadVerificationFacts(
  db: Kysely<Database>,
  verificationIds: readonly string[],
): Promise<Map<string, SealedVerificationFacts>> {
  if (verificationIds.length === 0) return new Map();
  const { rows } = await sql<
    Pick<Selectable<VerificationsTable>, 'verification_id' | 'customer_id' | 'reason' | 'form'> &
      Pick<Selectable<CustomersTable>, 'personal' | 'subject_id' | 'partner_id'> & {
        wrapped: Buffer;
        kek_version: number;
      }
  >`
    select v.verification_id, v.customer_id, v.reason, v.form, c.personal, c.subject_id, c.partner_id,
      k.wrapped, k.kek_version
    from verifications v
    join customers c on c.customer_id = v.customer_id
    join subject_keys k on k.subject_id = c.subject_id
    where v.verification_id = any (${[...verificationIds]}::uuid[])`.execute(db);
  return new Map(
    rows.map((row) => [
      row.verification_id,
      {
        verificationId: row.verification_id,
        customerId: row.customer_id,
        reason: row.reason,
        form: row.form,
        personal: row.personal,
        subjectKey: {
          subjectId: row.subject_id,
          partnerId: row.partner_id,
          wrapped: row.wrapped,
          kekVersion: row.kek_version,
        },
      },
    ]),
  );
}

/** How a connection wants its bodies written. */
export async function wireStyleOf(
  db: Kysely<Database>,
  connectionId: number,
): Promise<Selectable<ConnectionsTable>['wire_style']> {
  const { wire_style: style } = await db
    .selectFrom('connections')
    .select('wire_style')
    .where('connection_id', '=', connectionId)
    .executeTakeFirstOrThrow();
  return style;
}
