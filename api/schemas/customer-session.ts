import type { SessionRow } from '../../db/customer-sessions.ts';
import type { DeviceRow } from '../../db/devices.ts';
import { expiryOf } from '../../domain/customer-session.ts';
import { date, uuid, z } from './shared.ts';

/** What a sign-in answers (channels 11). */
export const sessionSchema = z
  .strictObject({ sessionToken: z.string(), expiresAt: date(), absoluteExpiresAt: date() })
  .openapi('CustomerSession');

/** A session just opened, with its token, which is told this once. */
export const toSession = (
  row: SessionRow,
  sessionToken: string,
  sessionMinutes: number,
): z.input<typeof sessionSchema> => ({
  sessionToken,
  expiresAt: expiryOf(
    { lastUsedAt: row.last_used_at, absoluteExpiresAt: row.absolute_expires_at },
    sessionMinutes,
  ).toISOString(),
  absoluteExpiresAt: row.absolute_expires_at.toISOString(),
});

/** A session as its user sees it in the list. */
export const ownSessionSchema = z
  .strictObject({
    sessionId: uuid(),
    deviceInstallationId: uuid(),
    createdAt: date(),
    lastUsedAt: date(),
    current: z.boolean(),
  })
  .openapi('OwnSession');

export const toOwnSession = (row: SessionRow, currentId: string): z.input<typeof ownSessionSchema> => ({
  sessionId: row.session_id,
  deviceInstallationId: row.installation_id,
  createdAt: row.created_at.toISOString(),
  lastUsedAt: row.last_used_at.toISOString(),
  current: row.session_id === currentId,
});

/** An installation as its user sees it in the list. */
export const deviceSchema = z
  .strictObject({
    deviceInstallationId: uuid(),
    name: z.string().nullable(),
    platform: z.enum(['IOS', 'ANDROID', 'WEB', 'OTHER']),
    state: z.enum(['ACTIVE', 'LOCKED', 'REPLACED', 'UNPAIRED']),
    pairedAt: date(),
    lastSeenAt: date(),
    current: z.boolean(),
  })
  .openapi('Device');

export const toDevice = (row: DeviceRow, currentId: string): z.input<typeof deviceSchema> => ({
  deviceInstallationId: row.installation_id,
  name: row.name,
  platform: row.platform,
  state: row.state,
  pairedAt: row.paired_at.toISOString(),
  lastSeenAt: row.last_seen_at.toISOString(),
  current: row.installation_id === currentId,
});
