import { setPassword } from '../../db/customer-credentials.ts';
import { endSessions } from '../../db/customer-sessions.ts';
import { lockCustomer, readCustomer } from '../../db/customers.ts';
import { changeDevice, findInstallation } from '../../db/devices.ts';
import { passwordGuard } from '../../db/guess-guards.ts';
import { hashSecret } from '../../vault/password.ts';
import { customerRoute } from '../customer-principal.ts';
import { openPerson } from '../personal-data.ts';
import { password, pin } from '../schemas/proof.ts';
import { z } from '../schemas/shared.ts';
import { holdProven, prove, provePassword } from './proof.ts';
import { refuseWeakPassword, refuseWeakPin } from './secrets.ts';

const shared = { method: 'PUT', jwe: 'open', idempotency: 'ignored' } as const;

const changed = { 204: { description: 'changed; your other sessions have ended' } };

const putAppPin = customerRoute({
  ...shared,
  operation: 'putAppPin',
  path: '/me/app-pin',
  summary: 'Change the app PIN of this device',
  body: z.strictObject({ current: pin(), new: pin() }),
  answers: changed,
  refusals: ['INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS', 'DEVICE_NOT_ACTIVE', 'WEAK_SECRET'],
  handle: async (call) => {
    const { programme, customerId, installationId, session } = call.principal;
    const { vault } = call.services;
    const [device, person] = await call.atomically(async (trx) => [
      await findInstallation(trx, programme.programmeId, installationId),
      openPerson(vault, await readCustomer(trx, [programme.programmeId], customerId)),
    ]);
    const proof = { method: 'APP_PIN', appPin: call.body.current } as const;
    const proven = await prove(call, { programme, installationId, device }, proof);
    refuseWeakPin(call.body.new, programme.appPinLength, person);
    const hash = await hashSecret(vault, call.body.new);
    await call.atomically(async (trx) => {
      await lockCustomer(trx, [programme.programmeId], customerId);
      await holdProven(trx, proven);
      await changeDevice(trx, installationId, { app_pin_hash: hash });
      await endSessions(trx, { customerId, exceptSessionId: session.session_id }, 'SECRET_CHANGED');
    });
    return { status: 204 };
  },
});

const putPassword = customerRoute({
  ...shared,
  operation: 'putOwnPassword',
  path: '/me/password',
  summary: 'Change your password',
  body: z.strictObject({ current: password(), new: password() }),
  answers: changed,
  refusals: ['INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS', 'WEAK_SECRET'],
  handle: async (call) => {
    const { programme, customerId, session } = call.principal;
    const { vault } = call.services;
    await provePassword(call, programme, passwordGuard(customerId), customerId, call.body.current);
    const person = await call.atomically(async (trx) =>
      openPerson(vault, await readCustomer(trx, [programme.programmeId], customerId)),
    );
    refuseWeakPassword(call.body.new, person);
    const hash = await hashSecret(vault, call.body.new);
    await call.atomically(async (trx) => {
      const customer = await lockCustomer(trx, [programme.programmeId], customerId);
      await setPassword(trx, customer, hash);
      await endSessions(trx, { customerId, exceptSessionId: session.session_id }, 'SECRET_CHANGED');
    });
    return { status: 204 };
  },
});

export const ownSecrets = [putAppPin, putPassword];
