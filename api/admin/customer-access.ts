import { endSessions, listSessions, type SessionRow } from '../../db/customer-sessions.ts';
import { liftSignInLocks } from '../../db/customer-credentials.ts';
import { lockCustomer, readCustomer } from '../../db/customers.ts';
import { type DeviceRow, holdDevice, listDevices, unpairDevice } from '../../db/devices.ts';
import { adminRoute, operatorProgrammeIds, programmeOfResource } from '../operator-principal.ts';
import { deviceSchema, ownSessionSchema, toDevice, toOwnSession } from '../schemas/customer-session.ts';
import { listOf, pathIntegerId, text, uuid, z } from '../schemas/shared.ts';

/** The ways in of a user: devices, sessions, locks after wrong guesses (channels 11, onboarding 2). */

const reading = { permission: 'customers.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;
const ending = {
  permission: 'customers.lock',
  jwe: 'open',
  idempotency: 'accepted',
  method: 'DELETE',
} as const;
const ofCustomer = z.strictObject({ customerId: pathIntegerId() });

export const pairedDeviceSchema = deviceSchema.omit({ current: true }).openapi('PairedDevice');
export const userSessionSchema = ownSessionSchema.omit({ current: true }).openapi('UserSession');

/** An installation as operators see it. */
export function toPairedDevice(row: DeviceRow): z.input<typeof pairedDeviceSchema> {
  const { current: _theirs, ...device } = toDevice(row, '');
  return device;
}

/** A session as operators see it. */
export function toUserSession(row: SessionRow): z.input<typeof userSessionSchema> {
  const { current: _theirs, ...session } = toOwnSession(row, '');
  return session;
}

const devices = adminRoute({
  ...reading,
  operation: 'adminListDevices',
  path: '/customers/{customerId}/devices',
  summary: 'List the devices of a user',
  params: ofCustomer,
  answers: { 200: { description: 'devices, newest first', schema: listOf(pairedDeviceSchema) } },
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => {
    const rows = await call.atomically(async (trx) => {
      const { customerId } = await readCustomer(
        trx,
        operatorProgrammeIds(call.principal),
        call.params.customerId,
      );
      return await listDevices(trx, customerId);
    });
    return { status: 200, body: { items: rows.map(toPairedDevice), nextCursor: null } };
  },
});

const unpair = adminRoute({
  ...ending,
  operation: 'adminUnpairDevice',
  path: '/customers/{customerId}/devices/{deviceInstallationId}',
  summary: 'Unpair a device of a user; its sessions end',
  params: z.strictObject({ customerId: pathIntegerId(), deviceInstallationId: uuid() }),
  answers: { 204: { description: 'unpaired, or already so' } },
  refusals: ['USER_NOT_FOUND', 'DEVICE_NOT_FOUND'],
  handle: (call) =>
    call.once(async (trx) => {
      const { customerId } = await lockCustomer(
        trx,
        operatorProgrammeIds(call.principal),
        call.params.customerId,
      );
      await unpairDevice(trx, await holdDevice(trx, customerId, call.params.deviceInstallationId));
      return { status: 204 };
    }),
});

const sessions = adminRoute({
  ...reading,
  operation: 'adminListSessions',
  path: '/customers/{customerId}/sessions',
  summary: 'List the live sessions of a user',
  params: ofCustomer,
  answers: { 200: { description: 'sessions, newest first', schema: listOf(userSessionSchema) } },
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => {
    const { principal } = call;
    const rows = await call.atomically(async (trx) => {
      const customer = await readCustomer(trx, operatorProgrammeIds(principal), call.params.customerId);
      const { sessionMinutes } = programmeOfResource(principal, customer.programmeId);
      return await listSessions(trx, customer.customerId, sessionMinutes);
    });
    return { status: 200, body: { items: rows.map(toUserSession), nextCursor: null } };
  },
});

const endAll = adminRoute({
  ...ending,
  operation: 'adminEndSessions',
  path: '/customers/{customerId}/sessions',
  summary: 'End every session of a user',
  params: ofCustomer,
  answers: { 204: { description: 'none is left' } },
  refusals: ['USER_NOT_FOUND'],
  handle: (call) =>
    call.once(async (trx) => {
      const { customerId } = await lockCustomer(
        trx,
        operatorProgrammeIds(call.principal),
        call.params.customerId,
      );
      await endSessions(trx, { customerId }, 'OPERATOR');
      return { status: 204 };
    }),
});

const unlockCredentials = adminRoute({
  operation: 'unlockCustomerCredentials',
  method: 'POST',
  path: '/customers/{customerId}/credentials-unlock',
  summary: 'Lift the locks that wrong passwords and PINs have left on a user',
  permission: 'customers.write',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofCustomer,
  body: z.strictObject({ reason: text(1, 500).nullish() }),
  answers: { 204: { description: 'the user may try again' } },
  refusals: ['USER_NOT_FOUND'],
  handle: (call) =>
    call.once(async (trx) => {
      const scope = operatorProgrammeIds(call.principal);
      const customer = await lockCustomer(trx, scope, call.params.customerId);
      await liftSignInLocks(trx, customer, call.body.reason ?? null);
      return { status: 204 };
    }),
});

export const customerAccess = [devices, unpair, sessions, endAll, unlockCredentials];
