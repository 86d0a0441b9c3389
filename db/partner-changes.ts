import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import type { Trx } from './atomically.ts';
import { violatedUnique } from './atomically.ts';
import { audit } from './audit-log.ts';
import type { PartnerContact } from './database.ts';
import type { PartnerRow } from './partner-records.ts';

/** What is written of a partner besides its code, which is fixed (administration 4.18). */
export interface PartnerValues {
  readonly name: string;
  readonly legalName: string;
  readonly contacts: readonly PartnerContact[];
  readonly ipAllowList: readonly string[];
  readonly pinnedPublicKeys: readonly string[];
  readonly partnerRate: number;
  readonly legacyIntegrations: boolean;
}

const columnsOf = (values: PartnerValues) => ({
  name: values.name,
  legal_name: values.legalName,
  contacts: JSON.stringify(values.contacts),
  ip_allow_list: [...values.ipAllowList],
  pinned_public_keys: [...values.pinnedPublicKeys],
  partner_rate: values.partnerRate,
  legacy_integrations: values.legacyIntegrations,
});

/** Adds a partner. Engine only. Throws `CODE_TAKEN`. */
export async function createPartner(trx: Trx, code: string, values: PartnerValues): Promise<PartnerRow> {
  try {
    const row = await trx
      .insertInto('partners')
      .values({ public_id: randomUUID(), code, ...columnsOf(values) })
      .returningAll()
      .executeTakeFirstOrThrow();
    await audit(trx, {
      action: 'partner.created',
      objectType: 'partner',
      objectId: row.public_id,
      after: { code, name: values.name },
      partnerId: row.partner_id,
    });
    return row;
  } catch (error) {
    if (violatedUnique(error) !== 'partners_code_key') throw error;
    throw new Refusal('CODE_TAKEN', 'Another partner has this code.');
  }
}

/** Changes a partner last read at `version`. Engine only. Throws `PARTNER_NOT_FOUND`, `VERSION_CONFLICT`. */
export async function changePartner(
  trx: Trx,
  publicId: string,
  version: number,
  values: PartnerValues,
): Promise<PartnerRow> {
  const before = await lockPartner(trx, publicId);
  if (before.version !== version) {
    throw new Refusal('VERSION_CONFLICT', 'Somebody else has changed the partner. Read it again.');
  }
  const row = await trx
    .updateTable('partners')
    .set({ ...columnsOf(values), version: sql<number>`version + 1` })
    .where('public_id', '=', publicId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(trx, {
    action: 'partner.updated',
    objectType: 'partner',
    objectId: publicId,
    before: { name: before.name, ipAllowList: before.ip_allow_list, version },
    after: { name: row.name, ipAllowList: row.ip_allow_list, version: row.version },
    partnerId: row.partner_id,
  });
  return row;
}

/**
 * Suspends a partner, or takes it back: its certificates are refused within five seconds, card traffic goes on.
 * Engine only. Throws `PARTNER_NOT_FOUND`, `STATE_CONFLICT`.
 */
export async function setPartnerState(
  trx: Trx,
  publicId: string,
  state: 'ACTIVE' | 'SUSPENDED',
  reason: string,
): Promise<PartnerRow> {
  const before = await lockPartner(trx, publicId);
  if (before.state === state) throw new Refusal('STATE_CONFLICT', `The partner is ${state} already.`);
  const row = await trx
    .updateTable('partners')
    .set({ state, version: sql<number>`version + 1` })
    .where('public_id', '=', publicId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(trx, {
    action: state === 'SUSPENDED' ? 'partner.suspended' : 'partner.resumed',
    objectType: 'partner',
    objectId: publicId,
    before: { state: before.state },
    after: { state, reason },
    partnerId: row.partner_id,
  });
  return row;
}

async function lockPartner(trx: Trx, publicId: string): Promise<PartnerRow> {
  const row = await trx
    .selectFrom('partners')
    .selectAll()
    .where('public_id', '=', publicId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('PARTNER_NOT_FOUND', 'There is no such partner.');
  return row;
}
