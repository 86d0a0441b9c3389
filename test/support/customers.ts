import { randomInt, randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { emailIndex, phoneIndex } from '../../api/personal-data.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import { createCustomer, type Customer, newSubjectId, personalPlace } from '../../db/customers.ts';
import type { Database, ProgrammesTable } from '../../db/database.ts';
import { findProgramme, type Programme } from '../../db/partners.ts';
import { formPlace, type Submission } from '../../db/verifications.ts';
import type { KycState, PersonalData } from '../../domain/customer.ts';
import type { VerificationForm } from '../../domain/verification.ts';
import { newSubjectKey, sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';

/** A connection whose end is the caller's duty. */
export const connect = (url: string): Kysely<Database> =>
  createDatabase(createPool({ url, max: 4, name: 'test' }));

/** The engine, which sees all partners. */
export const engineCaller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
} as const;

/** A partner's server. */
export const partnerCaller = (partnerId: number) =>
  ({ partnerId, actor: { type: 'PARTNER', id: String(partnerId) }, requestId: 'test', ip: null }) as const;

/** A partner of its own with one programme: platform balances, manual KYC, unless `changes` say otherwise. */
export async function aProgramme(
  owner: Kysely<Database>,
  changes: Partial<Pick<ProgrammesTable, 'kyc_mode' | 'external_kyc' | 'kyc_provider' | 'balance_holder'>> & {
    readonly autoCreateBalance?: boolean;
    readonly notifications?: object;
  } = {},
): Promise<Programme> {
  const code = `p-${randomUUID().slice(0, 8)}`;
  const { autoCreateBalance = true, notifications = {}, ...columns } = changes;
  const { partner_id: partnerId } = await owner
    .insertInto('partners')
    .values({ public_id: randomUUID(), code, name: code })
    .returning('partner_id')
    .executeTakeFirstOrThrow();
  const { programme_id: programmeId } = await owner
    .insertInto('programmes')
    .values({
      public_id: randomUUID(),
      partner_id: partnerId,
      issuer_code: code,
      name: code,
      balance_holder: 'platform',
      funding: columns.balance_holder === 'external' ? 'deposit' : 'credit',
      default_currency: 'EUR',
      currencies: ['EUR', 'PLN'],
      auto_create_balance: autoCreateBalance,
      kyc_mode: 'MANUAL',
      external_kyc: false,
      kyc_provider: null,
      country: 'PL',
      notifications: JSON.stringify(notifications),
      ...columns,
    })
    .returning('programme_id')
    .executeTakeFirstOrThrow();
  return (await findProgramme(owner, programmeId)) as Programme;
}

/** A person with a phone number and an e-mail address that nobody else has. */
export function aPerson(changes: Partial<PersonalData> = {}): PersonalData {
  const number = randomInt(100_000_000, 999_999_999);
  return {
    firstName: 'Ada',
    lastName: 'Nowak',
    phone: `48${number}`,
    email: `ada${number}@example.com`,
    birthDate: '1990-04-12',
    nationality: null,
    language: null,
    ...changes,
  };
}

interface CustomerOptions {
  readonly person?: PersonalData;
  readonly externalId?: string;
  readonly kyc?: KycState;
  readonly state?: 'UNVERIFIED' | 'VERIFIED';
}

/** Creates a customer inside an open transaction. */
export async function aCustomerIn(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  options: CustomerOptions = {},
): Promise<Customer> {
  const { person = aPerson(), externalId = null, kyc = 'NOT_STARTED', state = 'VERIFIED' } = options;
  const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId: programme.partnerId });
  return await createCustomer(trx, programme, {
    subjectKey,
    personal: sealPersonal(vault, subjectKey, personalPlace(subjectKey.subjectId), person),
    phoneIndex: phoneIndex(vault, person.phone),
    emailIndex: emailIndex(vault, person.email),
    externalId,
    state,
    kyc,
    riskLevel: 'LOW',
    documentExpirationDate: null,
  });
}

/** Creates a customer. */
export const aCustomer = (
  db: Kysely<Database>,
  vault: Vault,
  programme: Programme,
  options: CustomerOptions = {},
): Promise<Customer> => atomically(db, engineCaller, (trx) => aCustomerIn(trx, vault, programme, options));

/** A form of a good citizen. */
export const aForm = (changes: Partial<VerificationForm> = {}): VerificationForm => ({
  firstName: 'Leon',
  lastName: 'Kowal',
  birthDate: '1970-01-01',
  pesel: null,
  nationality: 'polish',
  country: 'PL',
  street: 'Polna',
  number: '17a',
  apartment: '2',
  city: 'Lublin',
  postCode: '20-128',
  documentType: 'passport',
  identityCardNo: 'ASD123456',
  documentExpirationDate: '2035-01-30',
  riskLevel: 'LOW',
  pep: false,
  ...changes,
});

/** What `submitVerification` takes in, without pictures. */
export function aSubmission(
  vault: Vault,
  customer: Customer,
  verificationId: string,
  form: VerificationForm = aForm(),
): Submission {
  return {
    verificationId,
    form: sealPersonal(vault, customer.subjectKey, formPlace(verificationId), form),
    flags: [],
    riskLevel: form.pep ? 'HIGH' : form.riskLevel,
    pep: form.pep,
    documentExpirationDate: form.documentExpirationDate,
    channel: 'SERVER',
    pictures: [],
  };
}
