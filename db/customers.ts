import { type Selectable, sql } from 'kysely';
import {
  type AddressType,
  isActive,
  type CustomerState,
  kycChange,
  type KycState,
  renewsDocument,
  type RiskLevel,
  type SettableState,
} from '../domain/customer.ts';
import { Refusal } from '../domain/errors.ts';
import { refuseClosed } from '../domain/programme.ts';
import { audit } from './audit-log.ts';
import { newId, nowOf, type Trx, violatedUnique } from './atomically.ts';
import type { CustomersTable } from './database.ts';
import { byId, inOrder, type Keyset } from './keyset.ts';
import { startWorkflow } from './outbox.ts';
import type { Programme } from './partners.ts';
import { addTransactionalLock, removeTransactionalLock } from './transactional-locks.ts';
import { closeWaysIn } from './ways-in.ts';

/** A customer's row, with the wrapped key that their personal data is sealed under. */
export interface Customer {
  readonly customerId: number;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly subjectKey: StoredSubjectKey;
  /** `PersonalData` of domain/customer.ts, sealed for `personalPlace`. */
  readonly personal: Buffer;
  readonly externalId: string | null;
  readonly state: CustomerState;
  readonly stateBeforeLock: SettableState | null;
  readonly kyc: KycState;
  readonly kycSuccesses: number;
  readonly riskLevel: RiskLevel;
  readonly documentExpirationDate: string | null;
  readonly pep: boolean;
  /** Number of distinct transactional lock reasons. */
  readonly transactionalLocks: number;
  /** When they were last compared with the screening lists. */
  readonly screenedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface StoredSubjectKey {
  readonly subjectId: string;
  readonly partnerId: number;
  readonly wrapped: Buffer;
  readonly kekVersion: number;
}

/** Programmes whose customers a call may see; `every` is for the engine, which acts by business id. */
export type ProgrammeScope = readonly number[] | 'every';

/** Where a customer's personal data is sealed; the row is named by the subject, which exists before the row. */
export const personalPlace = (subjectId: string) =>
  ({ table: 'customers', rowId: subjectId, field: 'personal' }) as const;

/** Where an address of a customer is sealed. */
export const addressPlace = (subjectId: string, type: string) =>
  ({ table: 'customer_addresses', rowId: `${subjectId}:${type}`, field: 'address' }) as const;

/** Where what was said of a lock is sealed, under the key of the customer or corporation. */
export const lockReasonPlace = (subjectId: string) =>
  ({ table: 'audit_log', rowId: subjectId, field: 'reason' }) as const;

/** Personal bytes and the keyed indexes that belong to them; they change together. */
export interface SealedPerson {
  readonly personal: Buffer;
  readonly phoneIndex: Buffer;
  readonly emailIndex: Buffer;
}

export interface NewCustomer extends SealedPerson {
  readonly subjectKey: StoredSubjectKey;
  readonly externalId: string | null;
  readonly state: SettableState;
  readonly kyc: KycState;
  readonly riskLevel: RiskLevel;
  readonly documentExpirationDate: string | null;
}

/**
 * Stores a customer and their key; with kyc SUCCESS the workflow `external-verification` is asked for
 * (onboarding 2). Throws `STATE_CONFLICT` in a closed programme, `EXTERNAL_KYC_NOT_ALLOWED`, `PHONE_/EMAIL_ALREADY_REGISTERED`,
 * `EXTERNAL_ID_ALREADY_USED`.
 */
export async function createCustomer(
  trx: Trx,
  programme: Programme,
  customer: NewCustomer,
): Promise<Customer> {
  refuseClosed(programme);
  const { partnerId, programmeId } = programme;
  const passed = customer.kyc === 'SUCCESS';
  await trx
    .insertInto('subject_keys')
    .values({
      subject_id: customer.subjectKey.subjectId,
      partner_id: partnerId,
      wrapped: customer.subjectKey.wrapped,
      kek_version: customer.subjectKey.kekVersion,
    })
    .execute();
  const row = await refusingDuplicates(() =>
    trx
      .insertInto('customers')
      .values({
        subject_id: customer.subjectKey.subjectId,
        partner_id: partnerId,
        programme_id: programmeId,
        personal: customer.personal,
        phone_index: customer.phoneIndex,
        email_index: customer.emailIndex,
        external_id: customer.externalId,
        state: customer.state,
        kyc: customer.kyc,
        kyc_successes: passed ? 1 : 0,
        risk_level: customer.riskLevel,
        document_expiration_date: customer.documentExpirationDate,
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
  );
  // Conflicts answer before rules of business (channels 2), and only the database knows of conflicts.
  if (customer.kyc !== 'NOT_STARTED') refuseUnlessExternal(programme);
  const created = toCustomer({ ...row, ...keyColumns(customer.subjectKey) });
  await audit(trx, {
    action: 'customer.created',
    objectType: 'customer',
    objectId: created.customerId,
    after: { state: created.state, kyc: created.kyc, riskLevel: created.riskLevel },
  });
  if (passed) await startExternalVerification(trx, created);
  return created;
}

/** The customer, or undefined when missing or of a programme outside `scope`. */
export async function findCustomer(
  trx: Trx,
  scope: ProgrammeScope,
  customerId: number,
): Promise<Customer | undefined> {
  const row = await selectCustomer(trx, scope).where('customer_id', '=', customerId).executeTakeFirst();
  return row === undefined ? undefined : toCustomer(row);
}

/** As `findCustomer`. Throws `USER_NOT_FOUND`. */
export async function readCustomer(trx: Trx, scope: ProgrammeScope, customerId: number): Promise<Customer> {
  const found = await findCustomer(trx, scope, customerId);
  if (found === undefined) throw notFound();
  return found;
}

/** Reads a customer for a change and holds the row until the transaction ends. Throws `USER_NOT_FOUND`. */
export async function lockCustomer(trx: Trx, scope: ProgrammeScope, customerId: number): Promise<Customer> {
  const row = await selectCustomer(trx, scope)
    .where('customer_id', '=', customerId)
    .forNoKeyUpdate('customers')
    .executeTakeFirst();
  if (row === undefined) throw notFound();
  return toCustomer(row);
}

/**
 * The customer of a programme, deleted ones left out, who has this externalId or phone; found by the unique
 * indexes, however many there are.
 */
export async function findLivingCustomer(
  trx: Trx,
  programmeId: number,
  by: { readonly externalId: string } | { readonly phoneIndex: Buffer },
): Promise<Customer | undefined> {
  const living = selectCustomer(trx, 'every')
    .where('programme_id', '=', programmeId)
    .where('state', '<>', 'DELETED');
  const row = await (
    'externalId' in by
      ? living.where('external_id', '=', by.externalId)
      : living.where('phone_index', '=', by.phoneIndex)
  ).executeTakeFirst();
  return row === undefined ? undefined : toCustomer(row);
}

/** Customers of the programmes in `scope` by their ids; who is not there is left out. */
export async function customersByIds(
  trx: Trx,
  scope: ProgrammeScope,
  customerIds: readonly number[],
): Promise<ReadonlyMap<number, Customer>> {
  if (customerIds.length === 0) return new Map();
  const rows = await selectCustomer(trx, scope).where('customer_id', 'in', customerIds).execute();
  return new Map(rows.map((row) => [row.customer_id, toCustomer(row)]));
}

export interface CustomerFilter {
  readonly phoneIndex?: Buffer;
  readonly emailIndex?: Buffer;
  readonly externalId?: string;
  readonly state?: CustomerState;
  readonly kyc?: KycState;
  /** One who holds this id, phone or e-mail address: whichever is set. */
  readonly anyOf?: {
    readonly customerId?: number;
    readonly phoneIndex?: Buffer;
    readonly emailIndex?: Buffer;
  };
  /** Transactionally locked for this reason. */
  readonly lockReason?: string | undefined;
  /** Works for this corporation, or did. */
  readonly corporationId?: string | undefined;
  /** Created at or after. */
  readonly createdFrom?: Date | undefined;
  /** Created before. */
  readonly createdTo?: Date | undefined;
}

const ORDERS = { id: sql`customer_id` };

/** One page, the newest first unless told otherwise; ids are given in the order of creation. */
export async function listCustomers(
  trx: Trx,
  scope: readonly number[],
  filter: CustomerFilter,
  page: { readonly limit: number; readonly beforeId?: number | null; readonly order?: Keyset<'id'> },
): Promise<Customer[]> {
  let query = inOrder(selectCustomer(trx, scope), ORDERS, page.order ?? byId(page.beforeId), page.limit);
  // Phone and e-mail of a deleted customer are free, and no way to find them any more.
  if (filter.phoneIndex !== undefined || filter.emailIndex !== undefined) {
    query = query.where('state', '<>', 'DELETED');
  }
  if (filter.phoneIndex !== undefined) query = query.where('phone_index', '=', filter.phoneIndex);
  if (filter.emailIndex !== undefined) query = query.where('email_index', '=', filter.emailIndex);
  if (filter.externalId !== undefined) query = query.where('external_id', '=', filter.externalId);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.kyc !== undefined) query = query.where('kyc', '=', filter.kyc);
  if (filter.createdFrom !== undefined) query = query.where('customers.created_at', '>=', filter.createdFrom);
  if (filter.createdTo !== undefined) query = query.where('customers.created_at', '<', filter.createdTo);
  const { anyOf, lockReason, corporationId } = filter;
  if (anyOf !== undefined) {
    query = query.where((where) =>
      where.or([
        ...(anyOf.customerId === undefined ? [] : [where('customer_id', '=', anyOf.customerId)]),
        ...(anyOf.phoneIndex === undefined ? [] : [where('phone_index', '=', anyOf.phoneIndex)]),
        ...(anyOf.emailIndex === undefined ? [] : [where('email_index', '=', anyOf.emailIndex)]),
      ]),
    );
  }
  if (lockReason !== undefined) {
    query = query.where(
      sql<boolean>`exists (select 1 from transactional_locks where resource_type = 'user'
        and resource_id = customers.customer_id::text and lock_reason = ${lockReason})`,
    );
  }
  if (corporationId !== undefined) {
    query = query.where(
      sql<boolean>`exists (select 1 from employees where employees.customer_id = customers.customer_id
        and employees.corporation_id = ${corporationId})`,
    );
  }
  return (await query.execute()).map(toCustomer);
}

/** What a partner changes; absent members stay, null clears. */
export interface CustomerChange {
  readonly person?: SealedPerson;
  readonly externalId?: string | null;
  readonly state?: SettableState;
  readonly kyc?: KycState;
  readonly riskLevel?: RiskLevel;
  readonly documentExpirationDate?: string | null;
}

/**
 * Changes a customer held by `lockCustomer`, with what follows from kyc and from a newer document
 * (onboarding 1, 2). Throws `STATE_CONFLICT`, `VERIFICATION_IN_PROGRESS`, `EXTERNAL_KYC_NOT_ALLOWED` and the
 * conflicts of `createCustomer`.
 */
export async function updateCustomer(
  trx: Trx,
  programme: Programme,
  customer: Customer,
  change: CustomerChange,
): Promise<Customer> {
  refuseByState(customer, change);
  const kyc = await kycConsequence(trx, customer, change.kyc);
  const { person, documentExpirationDate } = change;
  if (person !== undefined && !(await isReachedBy(trx, customer.customerId, person))) {
    await closeWaysIn(trx, customer.customerId);
  }
  await refusingDuplicates(() =>
    trx
      .updateTable('customers')
      .set((set) => ({
        version: set('version', '+', 1),
        updated_at: nowOf(trx),
        ...(person === undefined
          ? {}
          : { personal: person.personal, phone_index: person.phoneIndex, email_index: person.emailIndex }),
        ...(change.externalId === undefined ? {} : { external_id: change.externalId }),
        ...(change.state === undefined ? {} : { state: change.state }),
        ...(change.kyc === undefined ? {} : { kyc: change.kyc }),
        ...(kyc.becomesSuccess ? { kyc_successes: customer.kycSuccesses + 1 } : {}),
        // A politically exposed person is of high risk, whatever a partner says (onboarding 6.7).
        ...(change.riskLevel === undefined || customer.pep ? {} : { risk_level: change.riskLevel }),
        ...(documentExpirationDate === undefined ? {} : { document_expiration_date: documentExpirationDate }),
      }))
      .where('customer_id', '=', customer.customerId)
      .execute(),
  );
  if (change.kyc !== undefined && change.kyc !== customer.kyc) refuseUnlessExternal(programme);
  const changed = await readCustomer(trx, [customer.programmeId], customer.customerId);
  await audit(trx, {
    action: 'customer.updated',
    objectType: 'customer',
    objectId: customer.customerId,
    before: auditedMembers(customer),
    after: { ...auditedMembers(changed), personalDataChanged: person !== undefined },
  });
  if (kyc.becomesSuccess) await startExternalVerification(trx, changed);
  const today = nowOf(trx).toISOString().slice(0, 10);
  const renewed =
    documentExpirationDate !== undefined &&
    documentExpirationDate !== null &&
    renewsDocument(customer.documentExpirationDate, documentExpirationDate, today);
  const system = { origin: 'SYSTEM' } as const;
  if (renewed) await removeTransactionalLock(trx, changed, { ...system, reason: 'DOCUMENT_EXPIRED' });
  if (kyc.negativeLock === 'add') {
    await addTransactionalLock(trx, changed, { ...system, reason: 'NAGATIVE_VERIFICATION' });
  }
  if (kyc.negativeLock === 'remove') {
    await removeTransactionalLock(trx, changed, { ...system, reason: 'NAGATIVE_VERIFICATION' });
  }
  return await readCustomer(trx, [customer.programmeId], customer.customerId);
}

/** True while phone and e-mail address are the customer's. */
async function isReachedBy(trx: Trx, customerId: number, person: SealedPerson): Promise<boolean> {
  const same = await trx
    .selectFrom('customers')
    .select('customer_id')
    .where('customer_id', '=', customerId)
    .where('phone_index', '=', person.phoneIndex)
    .where('email_index', '=', person.emailIndex)
    .executeTakeFirst();
  return same !== undefined;
}

/** Refuses a customer who may not be given balances, cards or verifications. Throws `USER_NOT_ACTIVE`. */
export function refuseUnlessActive(customer: Pick<Customer, 'state'>): void {
  if (!isActive(customer.state)) throw new Refusal('USER_NOT_ACTIVE', 'The user is locked or deleted.');
}

/** True while a verification of the customer waits for its decision. */
export async function hasRunningVerification(trx: Trx, customerId: number): Promise<boolean> {
  const running = await trx
    .selectFrom('verifications')
    .select('verification_id')
    .where('customer_id', '=', customerId)
    .where('status', '=', 'IN_PROGRESS')
    .executeTakeFirst();
  return running !== undefined;
}

/** Stores or replaces an address of a customer, sealed for `addressPlace`. */
export async function putAddress(
  trx: Trx,
  customer: Pick<Customer, 'customerId' | 'partnerId'>,
  type: AddressType,
  address: Buffer,
): Promise<void> {
  const { customerId, partnerId } = customer;
  await trx
    .insertInto('customer_addresses')
    .values({ customer_id: customerId, partner_id: partnerId, type, address, updated_at: nowOf(trx) })
    .onConflict((conflict) =>
      conflict.columns(['customer_id', 'type']).doUpdateSet({ address, updated_at: nowOf(trx) }),
    )
    .execute();
}

/** Keeps when a customer was compared with the screening lists; hits and locks are stored beside. */
export async function markScreened(trx: Trx, customerId: number): Promise<void> {
  await trx
    .updateTable('customers')
    .set({ screened_at: nowOf(trx) })
    .where('customer_id', '=', customerId)
    .execute();
}

/** An id for a new customer's subject key. */
export const newSubjectId = (trx: Trx): string => newId(trx);

const notFound = () => new Refusal('USER_NOT_FOUND', 'There is no such user.');

function refuseUnlessExternal(programme: Programme): void {
  if (programme.externalKyc) return;
  throw new Refusal('EXTERNAL_KYC_NOT_ALLOWED', 'In this programme kyc is set by the platform only.');
}

function refuseByState(customer: Customer, change: CustomerChange): void {
  if (customer.state === 'DELETED') throw new Refusal('STATE_CONFLICT', 'The user is deleted.');
  if (customer.state === 'LOCKED' && change.state !== undefined) {
    throw new Refusal('STATE_CONFLICT', 'The state of a locked user cannot be set.');
  }
}

async function kycConsequence(trx: Trx, customer: Customer, kyc: KycState | undefined) {
  if (kyc === undefined || kyc === customer.kyc) return kycChange(customer.kyc, customer.kyc);
  if (await hasRunningVerification(trx, customer.customerId)) {
    throw new Refusal('VERIFICATION_IN_PROGRESS', 'A verification of this user waits for its decision.');
  }
  return kycChange(customer.kyc, kyc);
}

async function startExternalVerification(trx: Trx, customer: Customer): Promise<void> {
  const { customerId, kycSuccesses: n } = customer;
  await startWorkflow(trx, customer, {
    workflow: 'external-verification',
    id: `external-verification:${customerId}:${n}`,
    input: { customerId, n },
  });
}

const auditedMembers = ({ state, kyc, riskLevel, documentExpirationDate }: Customer) => ({
  state,
  kyc,
  riskLevel,
  documentExpirationDate,
});

const REFUSAL_OF: Readonly<Record<string, () => Refusal>> = {
  customers_phone: () =>
    new Refusal('PHONE_ALREADY_REGISTERED', 'Another user of this programme has this phone number.'),
  customers_email: () =>
    new Refusal('EMAIL_ALREADY_REGISTERED', 'Another user of this programme has this e-mail address.'),
  customers_external_id: () =>
    new Refusal('EXTERNAL_ID_ALREADY_USED', 'Another user of this programme has this externalId.'),
};

async function refusingDuplicates<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const refusal = REFUSAL_OF[violatedUnique(error) ?? ''];
    throw refusal === undefined ? error : refusal();
  }
}

function selectCustomer(trx: Trx, scope: ProgrammeScope) {
  const query = trx
    .selectFrom('customers')
    .innerJoin('subject_keys', 'subject_keys.subject_id', 'customers.subject_id')
    .selectAll('customers')
    .select(['subject_keys.wrapped', 'subject_keys.kek_version']);
  return scope === 'every' ? query : query.where(sql<boolean>`programme_id = any(${[...scope]}::int[])`);
}

const keyColumns = (key: StoredSubjectKey) => ({ wrapped: key.wrapped, kek_version: key.kekVersion });

type CustomerRow = Selectable<CustomersTable> & { readonly wrapped: Buffer; readonly kek_version: number };

const toCustomer = (row: CustomerRow): Customer => ({
  customerId: row.customer_id,
  partnerId: row.partner_id,
  programmeId: row.programme_id,
  subjectKey: {
    subjectId: row.subject_id,
    partnerId: row.partner_id,
    wrapped: row.wrapped,
    kekVersion: row.kek_version,
  },
  personal: row.personal,
  externalId: row.external_id,
  state: row.state,
  stateBeforeLock: row.state_before_lock,
  kyc: row.kyc,
  kycSuccesses: row.kyc_successes,
  riskLevel: row.risk_level,
  documentExpirationDate: row.document_expiration_date,
  pep: row.pep,
  transactionalLocks: row.transactional_locks,
  screenedAt: row.screened_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
