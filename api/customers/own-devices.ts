import { readCustomer } from '../../db/customers.ts';
import { changeDevice, holdDevice, listDevices, unpairDevice } from '../../db/devices.ts';
import { Refusal } from '../../domain/errors.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import { customerRoute, requireStepUp } from '../customer-principal.ts';
import { readPage } from '../pagination.ts';
import { deviceSchema, toDevice } from '../schemas/customer-session.ts';
import { listOf, page, text, uuid, z } from '../schemas/shared.ts';
import { pushTokenPlace, thumbprintOf } from './devices.ts';
import { deviceNotActive } from './proof.ts';

const ofDevice = z.strictObject({ deviceInstallationId: uuid() });

const list = customerRoute({
  operation: 'listDevices',
  method: 'GET',
  path: '/me/devices',
  summary: 'List your devices',
  jwe: 'open',
  idempotency: 'ignored',
  query: z.strictObject(page),
  answers: { 200: { description: 'devices, newest first', schema: listOf(deviceSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { customerId, installationId, reader } = call.principal;
    const { vault, nowMs } = call.services;
    const body = await call.atomically((trx) =>
      readPage(
        vault,
        { principal: reader, operation: 'listDevices', filters: null },
        call.query,
        nowMs(),
        (before, limit) => listDevices(trx, customerId, { limit, beforeId: before ?? null }),
        (row) => row.installation_id,
        (row) => toDevice(row, installationId),
      ),
    );
    return { status: 200, body };
  },
});

const unpair = customerRoute({
  operation: 'unpairDevice',
  method: 'DELETE',
  path: '/me/devices/{deviceInstallationId}',
  summary: 'Unpair a device; another one than this needs a step-up',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofDevice,
  answers: { 204: { description: 'unpaired, its sessions have ended' } },
  refusals: ['DEVICE_NOT_FOUND', 'STEP_UP_REQUIRED'],
  handle: (call) =>
    call.once(async (trx) => {
      const { principal, params } = call;
      const device = await holdDevice(trx, principal.customerId, params.deviceInstallationId);
      if (device.installation_id !== principal.installationId) requireStepUp(trx, principal);
      await unpairDevice(trx, device);
      return { status: 204 };
    }),
});

const putPublicKey = customerRoute({
  operation: 'putDevicePublicKey',
  method: 'PUT',
  path: '/me/devices/{deviceInstallationId}/public-key',
  summary: 'Replace the key that answers are encrypted to; this device only',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofDevice,
  body: z.strictObject({ publicKey: z.string().max(4096) }),
  answers: { 204: { description: 'replaced' } },
  refusals: ['DEVICE_NOT_FOUND', 'STEP_UP_REQUIRED', 'FORBIDDEN', 'INVALID_PUBLIC_KEY'],
  handle: (call) =>
    call.once(async (trx) => {
      const { principal, params, body } = call;
      const device = await holdDevice(trx, principal.customerId, params.deviceInstallationId);
      requireStepUp(trx, principal);
      if (device.installation_id !== principal.installationId) {
        throw new Refusal('FORBIDDEN', 'Only the device itself may replace its key.');
      }
      await changeDevice(trx, device.installation_id, {
        public_key_thumbprint: thumbprintOf(body.publicKey),
      });
      return { status: 204 };
    }),
});

const putPushToken = customerRoute({
  operation: 'putDevicePushToken',
  method: 'PUT',
  path: '/me/devices/{deviceInstallationId}/push-token',
  summary: 'Set the token by which the device is sent push messages',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofDevice,
  body: z.strictObject({ pushToken: text(1, 4096) }),
  answers: { 204: { description: 'set' } },
  refusals: ['DEVICE_NOT_FOUND', 'DEVICE_NOT_ACTIVE'],
  handle: (call) =>
    call.once(async (trx) => {
      const { principal, params, body } = call;
      const device = await holdDevice(trx, principal.customerId, params.deviceInstallationId);
      if (device.state !== 'ACTIVE') throw deviceNotActive();
      const customer = await readCustomer(trx, [principal.programme.programmeId], principal.customerId);
      const { installation_id: installationId } = device;
      await changeDevice(trx, installationId, {
        push_token: sealPersonal(
          call.services.vault,
          customer.subjectKey,
          pushTokenPlace(installationId),
          body.pushToken,
        ),
      });
      return { status: 204 };
    }),
});

export const ownDevices = [list, unpair, putPublicKey, putPushToken];
