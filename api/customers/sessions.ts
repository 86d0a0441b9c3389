import { randomBytes } from 'node:crypto';
import { lockCustomer } from '../../db/customers.ts';
import { findInstallation } from '../../db/devices.ts';
import { storeChallenge } from '../../db/sign-in-challenges.ts';
import { Refusal } from '../../domain/errors.ts';
import { entryRoute } from '../customer-principal.ts';
import { sessionSchema } from '../schemas/customer-session.ts';
import { signInBody } from '../schemas/proof.ts';
import { date, uuid, z } from '../schemas/shared.ts';
import { startSession } from './open-session.ts';
import { holdProven, invalidCredentials, prove } from './proof.ts';

const CHALLENGE_BYTES = 32;

const challenge = entryRoute({
  operation: 'createSignInChallenge',
  method: 'POST',
  path: '/sessions/challenges',
  summary: 'Get 32 bytes for an installation to sign: good for a minute, once',
  body: z.strictObject({ deviceInstallationId: uuid() }),
  answers: {
    201: {
      description: 'the challenge, in base64url; the same for an installation that is not there',
      schema: z.strictObject({ challengeId: uuid(), challenge: z.string(), expiresAt: date() }),
    },
  },
  refusals: [],
  handle: async (call) => {
    const bytes = randomBytes(CHALLENGE_BYTES);
    const { challengeId, expiresAt } = await call.atomically((trx) =>
      storeChallenge(trx, {
        partnerId: call.principal.programme.partnerId,
        installationId: call.body.deviceInstallationId,
        challenge: bytes,
      }),
    );
    return {
      status: 201,
      body: { challengeId, challenge: bytes.toString('base64url'), expiresAt: expiresAt.toISOString() },
    };
  },
});

const signIn = entryRoute({
  operation: 'signInUser',
  method: 'POST',
  path: '/sessions',
  summary: 'Sign in on a paired installation by app PIN, password or device signature',
  body: signInBody,
  answers: { 201: { description: 'the session', schema: sessionSchema } },
  refusals: ['INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS', 'USER_LOCKED', 'DEVICE_NOT_ACTIVE'],
  handle: async (call) => {
    const { programme } = call.principal;
    const { deviceInstallationId: installationId, ...proof } = call.body;
    const device = await call.atomically((trx) =>
      findInstallation(trx, programme.programmeId, installationId),
    );
    const proven = await prove(call, { programme, installationId, device }, proof);
    const body = await call.atomically(async (trx) => {
      const customerId = proven.device.customer_id;
      const { state } = await lockCustomer(trx, [programme.programmeId], customerId);
      if (state === 'DELETED') throw invalidCredentials();
      if (state === 'LOCKED') throw new Refusal('USER_LOCKED', 'This user is locked.');
      await holdProven(trx, proven);
      return await startSession(trx, call.services.vault, { programme, customerId, installationId });
    });
    return { status: 201, body };
  },
});

export const signIns = [challenge, signIn];
