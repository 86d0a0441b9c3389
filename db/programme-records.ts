import type { Kysely, Selectable } from 'kysely';
import type { ProgrammeSettings } from '../domain/programme.ts';
import type { Database, ProgrammesTable } from './database.ts';

/** A programme as operators see it, with the public id of its partner. */
export type ProgrammeRow = Selectable<ProgrammesTable> & { readonly partnerPublicId: string };

interface ProgrammeFilter {
  /** Inner id of the only partner that the reader may see; null: all. */
  readonly own: number | null;
  /** Public id. */
  readonly partnerId?: string | undefined;
  readonly beforeId?: number | undefined;
  readonly limit: number;
}

/** Programmes, newest first. */
export async function listProgrammeRows(
  db: Kysely<Database>,
  filter: ProgrammeFilter,
): Promise<ProgrammeRow[]> {
  let query = programmeRows(db);
  if (filter.own !== null) query = query.where('programmes.partner_id', '=', filter.own);
  if (filter.partnerId !== undefined) query = query.where('partners.public_id', '=', filter.partnerId);
  if (filter.beforeId !== undefined) query = query.where('programme_id', '<', filter.beforeId);
  return await query.orderBy('programme_id', 'desc').limit(filter.limit).execute();
}

/** One programme by its public id, of `own` alone where that is a number; undefined when there is none. */
export async function findProgrammeRow(
  db: Kysely<Database>,
  publicId: string,
  own: number | null,
): Promise<ProgrammeRow | undefined> {
  let query = programmeRows(db).where('programmes.public_id', '=', publicId);
  if (own !== null) query = query.where('programmes.partner_id', '=', own);
  return await query.executeTakeFirst();
}

const programmeRows = (db: Kysely<Database>) =>
  db
    .selectFrom('programmes')
    .innerJoin('partners', 'partners.partner_id', 'programmes.partner_id')
    .selectAll('programmes')
    .select('partners.public_id as partnerPublicId');

/** The settings in a row. */
export const settingsOf = (row: Selectable<ProgrammesTable>): ProgrammeSettings => ({
  issuerCode: row.issuer_code,
  name: row.name,
  state: row.state,
  sandbox: row.sandbox,
  balanceHolder: row.balance_holder,
  funding: row.funding,
  enforcePartnerBalance: row.enforce_partner_balance,
  sharedAuthorization: row.shared_authorization,
  fxMode: row.fx_mode,
  defaultCurrency: row.default_currency,
  currencies: row.currencies,
  autoCreateBalance: row.auto_create_balance,
  autoCorporation: row.auto_corporation,
  kycMode: row.kyc_mode,
  externalKyc: row.external_kyc,
  externalKyb: row.external_kyb,
  corporateHolderKyc: row.corporate_holder_kyc,
  kycProvider: row.kyc_provider,
  kycReviewRoles: row.kyc_review_roles,
  kycTimings: row.timings.kyc ?? {},
  minAge: row.min_age,
  timezone: row.timezone,
  country: row.country,
  holdDays: row.timings.holdDays ?? null,
  allowPartialApproval: row.allow_partial_approval,
  enrolment: row.enrolment,
  stepUp: row.step_up,
  sessionMinutes: row.session_minutes,
  appPinLength: row.app_pin_length,
  manyCardsThreshold: row.many_cards_threshold,
  screeningThreshold: row.screening_threshold,
  extraLockReasons: row.extra_lock_reasons,
});
