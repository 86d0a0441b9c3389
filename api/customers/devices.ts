import { createPublicKey } from 'node:crypto';
import { newId } from '../../db/atomically.ts';
import { findCredentials, setPassword } from '../../db/customer-credentials.ts';
import { findCustomer, lockCustomer } from '../../db/customers.ts';
import { pairDevice } from '../../db/devices.ts';
import { takePairingToken } from '../../db/pairing-tokens.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { hashSecret } from '../../vault/password.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import { readRecipientKey } from '../../vault/recipient-key.ts';
import { tokenHashes } from '../../vault/session-token.ts';
import { entryRoute } from '../customer-principal.ts';
import { openPerson } from '../personal-data.ts';
import { sessionSchema } from '../schemas/customer-session.ts';
import { password, pin } from '../schemas/proof.ts';
import { text, uuid, word, z } from '../schemas/shared.ts';
import { startSession } from './open-session.ts';
import { refuseWeakPassword, refuseWeakPin } from './secrets.ts';

const pairingBody = z.strictObject({
  pairingToken: z.string().max(128),
  deviceId: text(8, 128),
  platform: word(['IOS', 'ANDROID', 'WEB', 'OTHER']),
  publicKey: z.string().max(4096),
  appPin: pin(),
  password: password().nullish(),
  signingKey: z.string().max(512).nullish(),
  name: text(1, 64).nullish(),
  model: text(1, 64).nullish(),
  osVersion: text(1, 64).nullish(),
  appVersion: text(1, 64).nullish(),
  pushToken: text(1, 4096).nullish(),
});

const pair = entryRoute({
  operation: 'pairDevice',
  method: 'POST',
  path: '/devices',
  summary: 'Pair a device: its keys and its app PIN; signs in at once',
  body: pairingBody,
  answers: {
    201: {
      description: 'the installation and its first session',
      schema: z.strictObject({ deviceInstallationId: uuid(), session: sessionSchema }),
    },
  },
  refusals: ['PAIRING_TOKEN_INVALID', 'INVALID_PUBLIC_KEY', 'WEAK_SECRET', 'USER_LOCKED'],
  handle: async (call) => {
    const { programme } = call.principal;
    const { vault } = call.services;
    const { body } = call;
    const publicKey = thumbprintOf(body.publicKey);
    const signingKey = body.signingKey ? signingKeyOf(body.signingKey) : null;
    const hashes = tokenHashes(vault, 'cpt', body.pairingToken);
    // Slow on purpose, so done before any row is held; a token that is no token costs nothing.
    if (hashes.length === 0) throw tokenInvalid();
    const appPinHash = await hashSecret(vault, body.appPin);
    const passwordHash = body.password ? await hashSecret(vault, body.password) : null;
    const answer = await call.atomically(async (trx) => {
      const customerId = await takePairingToken(trx, hashes);
      if (customerId === undefined) throw tokenInvalid();
      if ((await findCustomer(trx, [programme.programmeId], customerId)) === undefined) throw tokenInvalid();
      // Of two pairings of one device at once, the later one has to see the earlier one to replace it.
      const customer = await lockCustomer(trx, [programme.programmeId], customerId);
      if (customer.state === 'DELETED') throw tokenInvalid();
      if (customer.state === 'LOCKED') throw new Refusal('USER_LOCKED', 'This user is locked.');
      const person = openPerson(vault, customer);
      const hasPassword = ((await findCredentials(trx, customerId))?.password_hash ?? null) !== null;
      refusePassword(hasPassword, body.password ?? null);
      refuseWeakPin(body.appPin, programme.appPinLength, person);
      if (passwordHash !== null && body.password) {
        refuseWeakPassword(body.password, person);
        await setPassword(trx, customer, passwordHash);
      }
      const installationId = newId(trx);
      await pairDevice(trx, {
        installation_id: installationId,
        partner_id: programme.partnerId,
        programme_id: programme.programmeId,
        customer_id: customerId,
        device_id: body.deviceId,
        platform: body.platform,
        name: body.name ?? null,
        model: body.model ?? null,
        os_version: body.osVersion ?? null,
        app_version: body.appVersion ?? null,
        public_key_thumbprint: publicKey,
        signing_key: signingKey,
        push_token: body.pushToken
          ? sealPersonal(vault, customer.subjectKey, pushTokenPlace(installationId), body.pushToken)
          : null,
        app_pin_hash: appPinHash,
      });
      const session = await startSession(trx, vault, {
        programme,
        customerId,
        installationId,
        replaces: null,
      });
      return { deviceInstallationId: installationId, session };
    });
    return { status: 201, body: answer };
  },
});

export const devices = [pair];

/** Where a push token is sealed. */
export const pushTokenPlace = (installationId: string) =>
  ({ table: 'device_installations', rowId: installationId, field: 'push_token' }) as const;

/** Thumbprint of a public key of the form of the `Public-Key` header. Throws `INVALID_PUBLIC_KEY`. */
export function thumbprintOf(publicKey: string): string {
  const key = readRecipientKey(publicKey);
  if (key !== 'INVALID_PUBLIC_KEY') return key.thumbprint;
  throw new Refusal('INVALID_PUBLIC_KEY', 'publicKey must be an RSA public key of 2048 to 4096 bits.');
}

const tokenInvalid = () =>
  new Refusal('PAIRING_TOKEN_INVALID', 'The pairing token is wrong, used or too old.');

function refusePassword(hasPassword: boolean, sent: string | null): void {
  if (hasPassword && sent !== null) {
    throw invalid([{ field: 'password', message: 'must be left out: the user has one' }]);
  }
  if (!hasPassword && sent === null) throw invalid([{ field: 'password', message: 'is required' }]);
}

/** DER of a P-256 SPKI. Throws `VALIDATION_ERROR`. */
function signingKeyOf(sent: string): Buffer {
  const wrong = invalid([{ field: 'signingKey', message: 'must be base64 of the SPKI of a P-256 key' }]);
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(sent)) throw wrong;
  const der = Buffer.from(sent, 'base64');
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    if (isP256 && key.export({ format: 'der', type: 'spki' }).equals(der)) return der;
  } catch {
    throw wrong;
  }
  throw wrong;
}
