import { randomUUID } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import { applyChanges, changedNames, type Changes, onlyNamed } from '../domain/changes.ts';
import { Refusal } from '../domain/errors.ts';
import { fixedAmong, type ProgrammeSettings, refuseSettings } from '../domain/programme.ts';
import { type Trx, violatedUnique } from './atomically.ts';
import { audit } from './audit-log.ts';
import type { ProgrammesTable, ProgrammeTimings } from './database.ts';
import { findPartnerRow } from './partner-records.ts';
import { findProgrammeRow, type ProgrammeRow, settingsOf } from './programme-records.ts';

/**
 * Adds a programme to a partner named by its public id. `providers` are the KYC providers of this installation.
 * Engine only. Throws `PARTNER_NOT_FOUND`, `ISSUER_CODE_TAKEN` and what `refuseSettings` throws.
 */
export async function createProgramme(
  trx: Trx,
  partnerPublicId: string,
  settings: ProgrammeSettings,
  providers: readonly string[],
): Promise<ProgrammeRow> {
  refuseSettings(settings, providers);
  const partner = await findPartnerRow(trx, partnerPublicId, null);
  if (partner === undefined) throw new Refusal('PARTNER_NOT_FOUND', 'There is no such partner.');
  const publicId = randomUUID();
  await refusingTakenCode(() =>
    trx
      .insertInto('programmes')
      .values({ public_id: publicId, partner_id: partner.partner_id, ...columnsOf(settings, {}) })
      .execute(),
  );
  const { issuerCode, name, balanceHolder, funding } = settings;
  await audit(trx, {
    action: 'programme.created',
    objectType: 'programme',
    objectId: publicId,
    after: { issuerCode, name, balanceHolder, funding },
    partnerId: partner.partner_id,
  });
  return await requireRow(trx, publicId);
}

/**
 * Changes the settings named in `changes` of a programme last read at `version`; decisions and channels see them
 * within seconds. Engine only. Throws `PROGRAMME_NOT_FOUND`, `VERSION_CONFLICT`, `ISSUER_CODE_TAKEN`,
 * `PROGRAMME_FIXED` for what stands from the first balance on, and what `refuseSettings` throws.
 */
export async function changeProgramme(
  trx: Trx,
  publicId: string,
  version: number,
  changes: Changes<ProgrammeSettings>,
  providers: readonly string[],
): Promise<ProgrammeRow> {
  const row = await trx
    .selectFrom('programmes')
    .selectAll()
    .where('public_id', '=', publicId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
  if (row.version !== version) {
    throw new Refusal('VERSION_CONFLICT', 'Somebody else has changed the programme. Read it again.');
  }
  const before = settingsOf(row);
  const after = applyChanges(before, changes);
  refuseSettings(after, providers);
  const changed = changedNames(before, after);
  await refuseFixed(trx, row, fixedAmong(changed));
  await refusingTakenCode(() =>
    trx
      .updateTable('programmes')
      .set({ ...columnsOf(after, row.timings), version: sql<number>`version + 1` })
      .where('programme_id', '=', row.programme_id)
      .execute(),
  );
  if (before.issuerCode !== after.issuerCode) await renameInCertificates(trx, row, after.issuerCode);
  await audit(trx, {
    action: 'programme.updated',
    objectType: 'programme',
    objectId: publicId,
    before: onlyNamed(before, changed),
    after: onlyNamed(after, changed),
    partnerId: row.partner_id,
  });
  return await requireRow(trx, publicId);
}

async function refuseFixed(
  trx: Trx,
  { programme_id: programmeId }: Selectable<ProgrammesTable>,
  fixed: readonly string[],
): Promise<void> {
  if (fixed.length === 0) return;
  // The first balance takes a share of this row by its foreign key: from here on it waits until we have committed.
  await trx
    .selectFrom('programmes')
    .select('programme_id')
    .where('programme_id', '=', programmeId)
    .forUpdate()
    .execute();
  const { rows } = await sql`
    select from balances where programme_id = ${programmeId}
    union all select from partner_balances where programme_id = ${programmeId} limit 1`.execute(trx);
  if (rows.length === 0) return;
  throw new Refusal('PROGRAMME_FIXED', 'The programme has balances: this stands.', {
    fields: fixed.map((field) => ({ field, message: 'stands from the first balance on' })),
  });
}

/** Certificates name the programmes that they are limited to by issuer code. */
const renameInCertificates = async (
  trx: Trx,
  row: Selectable<ProgrammesTable>,
  issuerCode: string,
): Promise<void> => {
  await trx
    .updateTable('certificates')
    .set({ programmes: sql<string[]>`array_replace(programmes, ${row.issuer_code}, ${issuerCode})` })
    .where('partner_id', '=', row.partner_id)
    .where(sql<boolean>`${row.issuer_code} = any (programmes)`)
    .execute();
};

async function refusingTakenCode(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (violatedUnique(error) !== 'programmes_issuer_code_key') throw error;
    throw new Refusal('ISSUER_CODE_TAKEN', 'Another programme has this issuer code.');
  }
}

async function requireRow(trx: Trx, publicId: string): Promise<ProgrammeRow> {
  const row = await findProgrammeRow(trx, publicId, null);
  if (row === undefined) throw new Error('a programme that was just written is not there');
  return row;
}

const columnsOf = (settings: ProgrammeSettings, timings: ProgrammeTimings) => ({
  issuer_code: settings.issuerCode,
  name: settings.name,
  state: settings.state,
  sandbox: settings.sandbox,
  balance_holder: settings.balanceHolder,
  funding: settings.funding,
  enforce_partner_balance: settings.enforcePartnerBalance,
  shared_authorization: settings.sharedAuthorization,
  fx_mode: settings.fxMode,
  default_currency: settings.defaultCurrency,
  currencies: [...settings.currencies],
  auto_create_balance: settings.autoCreateBalance,
  auto_corporation: settings.autoCorporation,
  kyc_mode: settings.kycMode,
  external_kyc: settings.externalKyc,
  external_kyb: settings.externalKyb,
  corporate_holder_kyc: settings.corporateHolderKyc,
  kyc_provider: settings.kycProvider,
  kyc_review_roles: [...settings.kycReviewRoles],
  min_age: settings.minAge,
  timezone: settings.timezone,
  country: settings.country,
  timings: JSON.stringify(timingsOf(settings, timings)),
  allow_partial_approval: settings.allowPartialApproval,
  enrolment: settings.enrolment,
  step_up: settings.stepUp,
  session_minutes: settings.sessionMinutes,
  app_pin_length: settings.appPinLength,
  many_cards_threshold: settings.manyCardsThreshold,
  screening_threshold: settings.screeningThreshold,
  extra_lock_reasons: [...settings.extraLockReasons],
});

/** The durations kept, with those that are settings put in; the others are for demos and tests. */
function timingsOf(
  { kycTimings, holdDays }: ProgrammeSettings,
  { kyc: _kyc, holdDays: _holdDays, ...others }: ProgrammeTimings,
): ProgrammeTimings {
  return {
    ...others,
    ...(Object.keys(kycTimings).length === 0 ? {} : { kyc: kycTimings }),
    ...(holdDays === null ? {} : { holdDays }),
  };
}
