import { type Selectable, sql } from 'kysely';
import {
  type CorporationStanding,
  type CorporationState,
  type KybState,
  type LegalForm,
  standingRefusal,
} from '../domain/corporation.ts';
import { Refusal } from '../domain/errors.ts';
import { refuseClosed } from '../domain/programme.ts';
import { audit } from './audit-log.ts';
import { newId, nowOf, type Trx, violatedUnique } from './atomically.ts';
import type { ProgrammeScope, StoredSubjectKey } from './customers.ts';
import type { CorporationsTable } from './database.ts';
import { startWorkflow } from './outbox.ts';
import type { Programme } from './partners.ts';

/** A corporation's row, with the wrapped key that its contact and addresses are sealed under. */
export interface Corporation {
  readonly corporationId: string;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly subjectKey: StoredSubjectKey;
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly taxId: string;
  /** `CorporationContact` of domain/corporation.ts, sealed for `contactPlace`. */
  readonly contact: Buffer;
  readonly legalForm: LegalForm | null;
  readonly registryNumber: string | null;
  readonly website: string | null;
  readonly externalId: string | null;
  readonly kybApplicationId: string | null;
  readonly kyb: KybState;
  readonly state: CorporationState;
  /** Number of distinct transactional lock reasons. */
  readonly transactionalLocks: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Where a corporation's contact is sealed; the row is named by the subject, which exists before the row. */
export const contactPlace = (subjectId: string) =>
  ({ table: 'corporations', rowId: subjectId, field: 'contact' }) as const;

export interface NewCorporation {
  readonly subjectKey: StoredSubjectKey;
  readonly name: string;
  readonly country: string;
  readonly taxId: string;
  readonly contact: Buffer;
  readonly legalForm: LegalForm | null;
  readonly registryNumber: string | null;
  readonly website: string | null;
  readonly externalId: string | null;
  /** The caller has checked that it is accepted; kyb is then SUCCESS. */
  readonly kybApplicationId: string | null;
  readonly kyb: KybState;
}

/**
 * Stores a corporation and its key (onboarding 4); with a kyb it is screened after the answer. Throws `STATE_CONFLICT`
 * in a closed programme, `EXTERNAL_KYB_NOT_ALLOWED` for a kyb that neither an
 * application nor the programme's setting gives, `TAX_ID_ALREADY_REGISTERED`, `EXTERNAL_ID_ALREADY_USED`,
 * `KYB_APPLICATION_USED`.
 */
export async function createCorporation(
  trx: Trx,
  programme: Programme,
  corporation: NewCorporation,
): Promise<Corporation> {
  refuseClosed(programme);
  const { partnerId, programmeId } = programme;
  const { subjectKey } = corporation;
  if (corporation.kyb !== 'NOT_STARTED' && corporation.kybApplicationId === null) {
    refuseUnlessExternal(programme);
  }
  await trx
    .insertInto('subject_keys')
    .values({
      subject_id: subjectKey.subjectId,
      partner_id: partnerId,
      wrapped: subjectKey.wrapped,
      kek_version: subjectKey.kekVersion,
    })
    .execute();
  const row = await refusingDuplicates(() =>
    trx
      .insertInto('corporations')
      .values({
        corporation_id: newId(trx),
        subject_id: subjectKey.subjectId,
        partner_id: partnerId,
        programme_id: programmeId,
        name: corporation.name,
        country: corporation.country,
        tax_id: corporation.taxId,
        contact: corporation.contact,
        legal_form: corporation.legalForm,
        registry_number: corporation.registryNumber,
        website: corporation.website,
        external_id: corporation.externalId,
        kyb_application_id: corporation.kybApplicationId,
        kyb: corporation.kyb,
        created_at: nowOf(trx),
        updated_at: nowOf(trx),
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
  );
  const created = toCorporation({
    ...row,
    wrapped: subjectKey.wrapped,
    kek_version: subjectKey.kekVersion,
  });
  await audit(trx, {
    action: 'corporation.created',
    objectType: 'corporation',
    objectId: created.corporationId,
    after: auditedMembers(created),
    partnerId,
  });
  if (created.kyb !== 'NOT_STARTED') await startScreening(trx, created, row.version);
  return created;
}

/** The corporation, or undefined when missing or of a programme outside `scope`. */
export async function findCorporation(
  trx: Trx,
  scope: ProgrammeScope,
  corporationId: string,
): Promise<Corporation | undefined> {
  const row = await selectCorporation(trx, scope)
    .where('corporation_id', '=', corporationId)
    .executeTakeFirst();
  return row === undefined ? undefined : toCorporation(row);
}

/** As `findCorporation`. Throws `CORPORATION_NOT_FOUND`. */
export async function readCorporation(
  trx: Trx,
  scope: ProgrammeScope,
  corporationId: string,
): Promise<Corporation> {
  const found = await findCorporation(trx, scope, corporationId);
  if (found === undefined) throw noCorporation();
  return found;
}

/**
 * Reads a corporation for a change, or (`share`) for giving it something that its state allows, and holds the row
 * until the transaction ends. Throws `CORPORATION_NOT_FOUND`.
 */
export async function holdCorporation(
  trx: Trx,
  scope: ProgrammeScope,
  corporationId: string,
  how: 'change' | 'share' = 'change',
): Promise<Corporation> {
  const query = selectCorporation(trx, scope).where('corporation_id', '=', corporationId);
  const row = await (
    how === 'change' ? query.forNoKeyUpdate('corporations') : query.forShare('corporations')
  ).executeTakeFirst();
  if (row === undefined) throw noCorporation();
  return toCorporation(row);
}

export interface CorporationFilter {
  readonly taxId?: string | undefined;
  readonly externalId?: string | undefined;
  readonly state?: CorporationState | undefined;
  readonly kyb?: KybState | undefined;
  readonly country?: string | undefined;
  /** An id, a tax id, or how a name begins. */
  readonly q?: string | undefined;
}

/** One page, newest first, of ids below `beforeId`; ids order by time. */
export async function listCorporations(
  trx: Trx,
  scope: readonly number[],
  filter: CorporationFilter,
  page: { readonly limit: number; readonly beforeId: string | null },
): Promise<Corporation[]> {
  let query = selectCorporation(trx, scope).orderBy('corporation_id', 'desc').limit(page.limit);
  if (page.beforeId !== null) query = query.where('corporation_id', '<', page.beforeId);
  if (filter.taxId !== undefined) query = query.where('tax_id', '=', filter.taxId);
  if (filter.externalId !== undefined) query = query.where('external_id', '=', filter.externalId);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.kyb !== undefined) query = query.where('kyb', '=', filter.kyb);
  if (filter.country !== undefined) query = query.where('country', '=', filter.country);
  const { q } = filter;
  if (q !== undefined) {
    query = query.where((where) =>
      where.or([
        where(sql`corporation_id::text`, '=', q.toLowerCase()),
        where('tax_id', '=', q),
        where(sql<boolean>`starts_with(lower(name), ${q.toLowerCase()})`, '=', true),
      ]),
    );
  }
  return (await query.execute()).map(toCorporation);
}

/** What a partner changes; absent members stay, null clears. */
export interface CorporationChange {
  readonly name?: string;
  readonly country?: string;
  readonly taxId?: string;
  readonly contact?: Buffer;
  readonly legalForm?: LegalForm | null;
  readonly registryNumber?: string | null;
  readonly website?: string | null;
  readonly externalId?: string | null;
  readonly kyb?: KybState;
  /** An accepted application; the caller sends kyb SUCCESS with it. */
  readonly kybApplicationId?: string;
}

/**
 * Changes a corporation held by `holdCorporation`. Throws `STATE_CONFLICT` for a deleted one and the refusals of
 * `createCorporation`; an application counts only for a corporation that has none.
 */
export async function updateCorporation(
  trx: Trx,
  programme: Programme,
  corporation: Corporation,
  change: CorporationChange,
): Promise<Corporation> {
  if (corporation.state === 'DELETED') throw new Refusal('STATE_CONFLICT', 'The corporation is deleted.');
  const { kyb, kybApplicationId } = change;
  if (kybApplicationId !== undefined && corporation.kybApplicationId !== null) throw applicationUsed();
  if (kyb !== undefined && kyb !== corporation.kyb && kybApplicationId === undefined) {
    refuseUnlessExternal(programme);
  }
  const { version } = await refusingDuplicates(() =>
    trx
      .updateTable('corporations')
      .set((set) => ({
        version: set('version', '+', 1),
        updated_at: nowOf(trx),
        ...(change.name === undefined ? {} : { name: change.name }),
        ...(change.country === undefined ? {} : { country: change.country }),
        ...(change.taxId === undefined ? {} : { tax_id: change.taxId }),
        ...(change.contact === undefined ? {} : { contact: change.contact }),
        ...(change.legalForm === undefined ? {} : { legal_form: change.legalForm }),
        ...(change.registryNumber === undefined ? {} : { registry_number: change.registryNumber }),
        ...(change.website === undefined ? {} : { website: change.website }),
        ...(change.externalId === undefined ? {} : { external_id: change.externalId }),
        ...(kyb === undefined ? {} : { kyb }),
        ...(kybApplicationId === undefined ? {} : { kyb_application_id: kybApplicationId }),
      }))
      .where('corporation_id', '=', corporation.corporationId)
      .returning('version')
      .executeTakeFirstOrThrow(),
  );
  const changed = await readCorporation(trx, [corporation.programmeId], corporation.corporationId);
  await audit(trx, {
    action: 'corporation.updated',
    objectType: 'corporation',
    objectId: corporation.corporationId,
    before: auditedMembers(corporation),
    after: { ...auditedMembers(changed), contactChanged: change.contact !== undefined },
    partnerId: corporation.partnerId,
  });
  if ((kyb !== undefined && kyb !== corporation.kyb) || kybApplicationId !== undefined) {
    await startScreening(trx, changed, version);
  }
  return changed;
}

/** The company is screened after the answer (onboarding 4): once for each time that kyb was said. */
async function startScreening(trx: Trx, corporation: Corporation, version: number): Promise<void> {
  const { corporationId } = corporation;
  await startWorkflow(trx, corporation, {
    workflow: 'corporation-screening',
    id: `corporation-screening:${corporationId}:${version}`,
    input: { corporationId },
  });
}

const STANDING = {
  CORPORATION_NOT_ACTIVE: 'The corporation is locked or deleted.',
  KYB_REQUIRED: 'The corporation has to be verified first.',
  TRANSACTIONAL_LOCK: 'The corporation has a transactional lock.',
} as const;

/** Refuses a corporation that may not be given balances (onboarding 4). Throws 422. */
export function refuseStanding(corporation: CorporationStanding): void {
  const refused = standingRefusal(corporation);
  if (refused !== null) throw new Refusal(refused, STANDING[refused]);
}

const noCorporation = () => new Refusal('CORPORATION_NOT_FOUND', 'There is no such corporation.');

const applicationUsed = () =>
  new Refusal('KYB_APPLICATION_USED', 'A corporation was made from this application already.');

function refuseUnlessExternal(programme: Programme): void {
  if (programme.externalKyb) return;
  throw new Refusal('EXTERNAL_KYB_NOT_ALLOWED', 'In this programme kyb is set by the platform only.');
}

const auditedMembers = ({ state, kyb, kybApplicationId }: Corporation) => ({ state, kyb, kybApplicationId });

const REFUSAL_OF: Readonly<Record<string, () => Refusal>> = {
  corporations_tax_id: () =>
    new Refusal('TAX_ID_ALREADY_REGISTERED', 'Another corporation of this programme has this taxId.'),
  corporations_external_id: () =>
    new Refusal('EXTERNAL_ID_ALREADY_USED', 'Another corporation of this programme has this externalId.'),
  corporations_kyb_application: applicationUsed,
};

async function refusingDuplicates<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const refusal = REFUSAL_OF[violatedUnique(error) ?? ''];
    throw refusal === undefined ? error : refusal();
  }
}

function selectCorporation(trx: Trx, scope: ProgrammeScope) {
  const query = trx
    .selectFrom('corporations')
    .innerJoin('subject_keys', 'subject_keys.subject_id', 'corporations.subject_id')
    .selectAll('corporations')
    .select(['subject_keys.wrapped', 'subject_keys.kek_version']);
  return scope === 'every' ? query : query.where(sql<boolean>`programme_id = any(${[...scope]}::int[])`);
}

type CorporationRow = Selectable<CorporationsTable> & {
  readonly wrapped: Buffer;
  readonly kek_version: number;
};

const toCorporation = (row: CorporationRow): Corporation => ({
  corporationId: row.corporation_id,
  partnerId: row.partner_id,
  programmeId: row.programme_id,
  subjectKey: {
    subjectId: row.subject_id,
    partnerId: row.partner_id,
    wrapped: row.wrapped,
    kekVersion: row.kek_version,
  },
  name: row.name,
  country: row.country,
  taxId: row.tax_id,
  contact: row.contact,
  // Only words of this list are stored.
  legalForm: row.legal_form as LegalForm | null,
  registryNumber: row.registry_number,
  website: row.website,
  externalId: row.external_id,
  kybApplicationId: row.kyb_application_id,
  kyb: row.kyb,
  state: row.state,
  transactionalLocks: row.transactional_locks,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
