import type { Selectable } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { endSessions, type EndReason } from './customer-sessions.ts';
import type { DeviceInstallationsTable } from './database.ts';
import { deviceGuard, liftGuard } from './guess-guards.ts';

export type DeviceRow = Selectable<DeviceInstallationsTable>;

export type NewDevice = Omit<DeviceRow, 'state' | 'paired_at' | 'last_seen_at' | 'ended_at'>;

/**
 * Stores an installation (channels 11): an older one of the same user and device becomes REPLACED and its sessions
 * end.
 */
export async function pairDevice(trx: Trx, device: NewDevice): Promise<DeviceRow> {
  const older = await trx
    .selectFrom('device_installations')
    .selectAll()
    .where('customer_id', '=', device.customer_id)
    .where('device_id', '=', device.device_id)
    .where('state', 'in', ['ACTIVE', 'LOCKED'])
    .forUpdate()
    .executeTakeFirst();
  if (older !== undefined) await endDevice(trx, older, 'REPLACED', 'DEVICE_REPLACED');
  const now = nowOf(trx);
  const paired = await trx
    .insertInto('device_installations')
    .values({ ...device, state: 'ACTIVE', paired_at: now, last_seen_at: now, ended_at: null })
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(trx, {
    action: 'device.paired',
    objectType: 'device',
    objectId: paired.installation_id,
    after: { customerId: device.customer_id, platform: device.platform },
  });
  return paired;
}

/** An installation of a programme, or undefined; for the way in, where nobody is known yet. */
export async function findInstallation(
  trx: Trx,
  programmeId: number,
  installationId: string,
): Promise<DeviceRow | undefined> {
  return await trx
    .selectFrom('device_installations')
    .selectAll()
    .where('installation_id', '=', installationId)
    .where('programme_id', '=', programmeId)
    .executeTakeFirst();
}

/** An installation of a user, held for a change. Throws `DEVICE_NOT_FOUND`. */
export async function holdDevice(trx: Trx, customerId: number, installationId: string): Promise<DeviceRow> {
  const row = await trx
    .selectFrom('device_installations')
    .selectAll()
    .where('installation_id', '=', installationId)
    .where('customer_id', '=', customerId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('DEVICE_NOT_FOUND', 'There is no such device.');
  return row;
}

/** One page of a user's installations, newest first, of ids below `beforeId`. */
export async function listDevices(
  trx: Trx,
  customerId: number,
  page: { readonly limit: number; readonly beforeId: string | null } = { limit: 200, beforeId: null },
): Promise<DeviceRow[]> {
  let query = trx.selectFrom('device_installations').selectAll().where('customer_id', '=', customerId);
  if (page.beforeId !== null) query = query.where('installation_id', '<', page.beforeId);
  return await query.orderBy('installation_id', 'desc').limit(page.limit).execute();
}

/** The installations of a user that have not ended, however many came before them. */
export const pairedDevices = async (trx: Trx, customerId: number): Promise<DeviceRow[]> =>
  await trx
    .selectFrom('device_installations')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where('state', 'in', ['ACTIVE', 'LOCKED'])
    .execute();

/** Notes that an installation was seen. */
export async function seeDevice(trx: Trx, installationId: string): Promise<void> {
  await trx
    .updateTable('device_installations')
    .set({ last_seen_at: nowOf(trx) })
    .where('installation_id', '=', installationId)
    .execute();
}

/** Locks an ACTIVE installation after too many wrong guesses: it has to be paired again. */
export async function lockDevice(trx: Trx, installationId: string): Promise<void> {
  const row = await trx
    .selectFrom('device_installations')
    .selectAll()
    .where('installation_id', '=', installationId)
    .where('state', '=', 'ACTIVE')
    .forUpdate()
    .executeTakeFirst();
  if (row !== undefined) await endDevice(trx, row, 'LOCKED', 'DEVICE_LOCKED');
}

/** Unpairs an installation; one that has ended already stays as it is. */
export async function unpairDevice(trx: Trx, device: DeviceRow): Promise<void> {
  if (device.state !== 'ACTIVE' && device.state !== 'LOCKED') return;
  await endDevice(trx, device, 'UNPAIRED', 'DEVICE_UNPAIRED');
}

/** Unpairs every installation of a user who leaves. */
export async function unpairAllDevices(trx: Trx, customerId: number): Promise<void> {
  for (const device of await pairedDevices(trx, customerId)) await unpairDevice(trx, device);
}

/** Changes what an installation may change of itself. */
export async function changeDevice(
  trx: Trx,
  installationId: string,
  change: Partial<Pick<DeviceRow, 'public_key_thumbprint' | 'push_token' | 'app_pin_hash'>>,
): Promise<void> {
  await trx
    .updateTable('device_installations')
    .set(change)
    .where('installation_id', '=', installationId)
    .execute();
  await audit(trx, {
    action: 'device.changed',
    objectType: 'device',
    objectId: installationId,
    after: { changed: Object.keys(change) },
  });
}

async function endDevice(
  trx: Trx,
  device: DeviceRow,
  state: 'LOCKED' | 'REPLACED' | 'UNPAIRED',
  reason: EndReason,
): Promise<void> {
  const { installation_id: installationId, customer_id: customerId } = device;
  await trx
    .updateTable('device_installations')
    .set({ state, ended_at: nowOf(trx) })
    .where('installation_id', '=', installationId)
    .execute();
  await endSessions(trx, { customerId, installationId }, reason);
  if (state !== 'LOCKED') await liftGuard(trx, device.programme_id, deviceGuard(installationId));
  await audit(trx, {
    action: 'device.ended',
    objectType: 'device',
    objectId: installationId,
    before: { state: device.state },
    after: { state, customerId },
    partnerId: device.partner_id,
  });
}
