import { z } from 'zod';
import { nowOf, type Trx } from '../../db/atomically.ts';
import {
  addressPlace,
  createCustomer,
  type Customer,
  findLivingCustomer,
  lockCustomer,
  newSubjectId,
  personalPlace,
  putAddress,
  updateCustomer,
} from '../../db/customers.ts';
import { listAddresses } from '../../db/customer-addresses.ts';
import type { Programme } from '../../db/partners.ts';
import * as members from '../../db/person-schema.ts';
import { type ImportKey, storeRow, takeKeys, takenKeys, type UserImport } from '../../db/user-imports.ts';
import {
  type Address,
  ageOn,
  KYC_STATES,
  type PersonalData,
  RISK_LEVELS,
  SETTABLE_STATES,
} from '../../domain/customer.ts';
import { Refusal } from '../../domain/errors.ts';
import { FIELD_OF, hasAddress, type ImportLine, type RowResult } from '../../domain/user-import.ts';
import {
  indexPersonal,
  newSubjectKey,
  openPersonal,
  sealPersonal,
  type SubjectKey,
} from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';

export interface RowContext {
  readonly run: <T>(work: (trx: Trx) => Promise<T>) => Promise<T>;
  readonly vault: Vault;
  readonly programme: Programme;
  readonly given: UserImport;
}

const { text, word } = members;

const person = {
  firstName: members.personName(),
  lastName: members.personName(),
  phone: members.phone(),
  email: members.email(),
  birthDate: members.birthDate(),
  state: word(SETTABLE_STATES).optional(),
  kyc: word(KYC_STATES).optional(),
  externalId: text(1, 64).optional(),
  nationality: members.nationality().optional(),
  language: members.language().optional(),
  riskLvl: word(RISK_LEVELS).optional(),
  documentExpirationDate: members.day().optional(),
};

const withoutAddress = z.strictObject(person);
const withAddress = z.strictObject({
  ...person,
  street: text(1, 100),
  number: text(1, 16),
  apartment: text(1, 16).optional(),
  city: text(1, 64),
  postCode: members.postCode(),
  country: members.country(),
});

type Cells = z.output<typeof withoutAddress> & Partial<z.output<typeof withAddress>>;

/** Carries the result of a dry run out of the transaction that it undoes. */
class DryRun extends Error {
  override readonly name = 'DryRun';
  readonly result: RowResult;

  constructor(result: RowResult) {
    super('dry run');
    this.result = result;
  }
}

/** Imports one row, with its result in one commit; a row that is refused changes nothing but its result. */
export async function importRow(context: RowContext, no: number, row: ImportLine): Promise<void> {
  const { run, given } = context;
  const store = (result: RowResult): Promise<void> => run((trx) => storeRow(trx, given, no, result));
  if (row === null) return await store(failure('VALIDATION_ERROR', null));
  const checked = (hasAddress(row) ? withAddress : withoutAddress).safeParse(row);
  const { externalId } = row;
  if (!checked.success || (given.mode === 'UPSERT' && externalId === undefined)) {
    const field = checked.success ? 'externalId' : String(checked.error.issues[0]?.path[0] ?? '');
    return await store(failure('VALIDATION_ERROR', field));
  }
  try {
    await takeInOnce(context, no, checked.data);
  } catch (error) {
    if (!(error instanceof DryRun)) return await store(refusedAs(error));
    const { result } = error;
    await run(async (trx) =>
      storeRow(trx, given, no, await againstEarlierRows(trx, context, no, checked.data, result)),
    );
  }
}

const MOST_TRIES = 3;

/**
 * Takes a row in. In UPSERT an externalId that is taken came from elsewhere after we had looked for it: it is there
 * now, and the row is done again on it.
 */
async function takeInOnce(context: RowContext, no: number, cells: Cells): Promise<void> {
  const { run, given } = context;
  for (let tries = 1; ; tries += 1) {
    try {
      return await run(async (trx) => {
        const result = await takeIn(trx, context, cells);
        if (given.dry_run) throw new DryRun({ ...result, customerId: null });
        await storeRow(trx, given, no, result);
      });
    } catch (error) {
      const lost = error instanceof Refusal && error.code === 'EXTERNAL_ID_ALREADY_USED';
      if (!lost || given.mode !== 'UPSERT' || tries === MOST_TRIES) throw error;
    }
  }
}

/** What a row of a dry run would have come to after the rows above it, which have left nothing behind. */
async function againstEarlierRows(
  trx: Trx,
  { vault, given }: RowContext,
  no: number,
  cells: Cells,
  result: RowResult,
): Promise<RowResult> {
  const { phone, email, externalId } = cells;
  const keys: ImportKey[] = [
    { kind: 'row', key: indexPersonal(vault, 'row', JSON.stringify(Object.entries(cells).toSorted())) },
    { kind: 'phone', key: indexPersonal(vault, 'phone', phone) },
    { kind: 'email', key: indexPersonal(vault, 'email', email) },
  ];
  if (externalId !== undefined) {
    keys.push({ kind: 'externalId', key: indexPersonal(vault, 'externalId', externalId) });
  }
  const taken = await takenKeys(trx, given.import_id, keys);
  const rowOf = (kind: ImportKey['kind']) => taken.find((one) => one.kind === kind)?.row;
  if (rowOf('row') !== undefined) return { ...result, status: 'SKIPPED' };
  const own = given.mode === 'UPSERT' ? rowOf('externalId') : undefined;
  for (const [kind, code] of CONFLICTS) {
    const row = rowOf(kind);
    if (row !== undefined && row !== own) return refusedAs(new Refusal(code, 'An earlier row has it.'));
  }
  await takeKeys(trx, given, no, keys, own);
  return own === undefined ? result : { ...result, status: 'UPDATED' };
}

/** In the order in which the database finds them. */
const CONFLICTS = [
  ['phone', 'PHONE_ALREADY_REGISTERED'],
  ['email', 'EMAIL_ALREADY_REGISTERED'],
  ['externalId', 'EXTERNAL_ID_ALREADY_USED'],
] as const;

const failure = (title: string, field: string | null): RowResult => ({
  status: 'FAILED',
  customerId: null,
  title,
  field,
});

function refusedAs(error: unknown): RowResult {
  if (!(error instanceof Refusal)) throw error;
  return failure(error.code, FIELD_OF[error.code] ?? null);
}

const success = (status: RowResult['status'], { customerId }: Customer): RowResult => ({
  status,
  customerId,
  title: null,
  field: null,
});

async function takeIn(trx: Trx, context: RowContext, cells: Cells): Promise<RowResult> {
  const { programme, vault, given } = context;
  const { minAge } = programme;
  if (ageOn(cells.birthDate, nowOf(trx).toISOString().slice(0, 10)) < minAge) {
    throw new Refusal('UNDERAGE', `A user of this programme must be at least ${minAge} years old.`);
  }
  const known = await findKnown(trx, context, cells);
  if (known === undefined) return success('CREATED', await create(trx, context, cells));
  const person = openPersonal<PersonalData>(
    vault,
    known.subjectKey,
    personalPlace(known.subjectKey.subjectId),
    known.personal,
  );
  const home = await homeOf(trx, vault, known);
  if (isEqual(known, person, home, cells)) return success('SKIPPED', known);
  // In CREATE a user who is there is a conflict, which the unique indexes name.
  if (given.mode === 'CREATE') return success('CREATED', await create(trx, context, cells));
  return success('UPDATED', await update(trx, context, known, person, cells));
}

/** The user that a row is about: by externalId, in CREATE also by phone. */
async function findKnown(
  trx: Trx,
  { programme, vault, given }: RowContext,
  { externalId, phone }: Cells,
): Promise<Customer | undefined> {
  const { programmeId } = programme;
  const byId =
    externalId === undefined ? undefined : await findLivingCustomer(trx, programmeId, { externalId });
  if (given.mode === 'UPSERT') {
    return byId === undefined ? undefined : await lockCustomer(trx, [programmeId], byId.customerId);
  }
  if (byId !== undefined) return byId;
  return await findLivingCustomer(trx, programmeId, { phoneIndex: indexPersonal(vault, 'phone', phone) });
}

function isEqual(known: Customer, person: PersonalData, home: Address | null, cells: Cells): boolean {
  const stored: Cells = {
    ...person,
    nationality: person.nationality ?? undefined,
    language: person.language ?? undefined,
    state: known.state === 'VERIFIED' || known.state === 'UNVERIFIED' ? known.state : undefined,
    kyc: known.kyc,
    externalId: known.externalId ?? undefined,
    riskLvl: known.riskLevel,
    documentExpirationDate: known.documentExpirationDate ?? undefined,
    ...(home === null ? {} : { ...home, apartment: home.apartment ?? undefined }),
  };
  // What a row does not say is equal.
  return Object.entries(cells).every(
    ([name, value]) => value === undefined || stored[name as keyof Cells] === value,
  );
}

async function create(trx: Trx, { programme, vault }: RowContext, cells: Cells): Promise<Customer> {
  const { partnerId } = programme;
  const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId });
  const customer = await createCustomer(trx, programme, {
    ...sealed(vault, subjectKey, personOf(cells)),
    subjectKey,
    externalId: cells.externalId ?? null,
    state: cells.state ?? 'UNVERIFIED',
    kyc: cells.kyc ?? 'NOT_STARTED',
    riskLevel: cells.riskLvl ?? 'LOW',
    documentExpirationDate: cells.documentExpirationDate ?? null,
  });
  await storeHome(trx, vault, customer, cells);
  return customer;
}

async function update(
  trx: Trx,
  { programme, vault }: RowContext,
  known: Customer,
  person: PersonalData,
  cells: Cells,
): Promise<Customer> {
  const { state, kyc, riskLvl, documentExpirationDate } = cells;
  const renewed: PersonalData = {
    ...personOf(cells),
    nationality: cells.nationality ?? person.nationality,
    language: cells.language ?? person.language,
  };
  const changed = await updateCustomer(trx, programme, known, {
    person: sealed(vault, known.subjectKey, renewed),
    ...(state === undefined ? {} : { state }),
    ...(kyc === undefined ? {} : { kyc }),
    ...(riskLvl === undefined ? {} : { riskLevel: riskLvl }),
    ...(documentExpirationDate === undefined ? {} : { documentExpirationDate }),
  });
  await storeHome(trx, vault, changed, cells);
  return changed;
}

const personOf = (cells: Cells): PersonalData => ({
  firstName: cells.firstName,
  lastName: cells.lastName,
  phone: cells.phone,
  email: cells.email,
  birthDate: cells.birthDate,
  nationality: cells.nationality ?? null,
  language: cells.language ?? null,
});

const sealed = (vault: Vault, key: SubjectKey, person: PersonalData) => ({
  personal: sealPersonal(vault, key, personalPlace(key.subjectId), person),
  phoneIndex: indexPersonal(vault, 'phone', person.phone),
  emailIndex: indexPersonal(vault, 'email', person.email),
});

async function homeOf(trx: Trx, vault: Vault, customer: Customer): Promise<Address | null> {
  const { subjectKey } = customer;
  const found = (await listAddresses(trx, customer)).find(({ type }) => type === 'RESIDENCE');
  if (found === undefined) return null;
  return openPersonal<Address>(
    vault,
    subjectKey,
    addressPlace(subjectKey.subjectId, 'RESIDENCE'),
    found.address,
  );
}

async function storeHome(trx: Trx, vault: Vault, customer: Customer, cells: Cells): Promise<void> {
  const { street, number, city, postCode, country, apartment } = cells;
  if (!street || !number || !city || !postCode || !country) return;
  const { subjectKey } = customer;
  const address: Address = {
    street,
    number,
    apartment: apartment ?? null,
    city,
    postCode,
    country,
    region: null,
  };
  const place = addressPlace(subjectKey.subjectId, 'RESIDENCE');
  await putAddress(trx, customer, 'RESIDENCE', sealPersonal(vault, subjectKey, place, address));
}
