import { createPublicKey, verify as verifySignature } from 'node:crypto';
import { findCredentials } from '../../db/customer-credentials.ts';
import { type DeviceRow, lockDevice } from '../../db/devices.ts';
import { deviceGuard, passwordGuard } from '../../db/guess-guards.ts';
import type { Programme } from '../../db/partners.ts';
import { takeChallenge } from '../../db/sign-in-challenges.ts';
import { Refusal } from '../../domain/errors.ts';
import { DEVICE_POLICY, PASSWORD_POLICY } from '../../domain/guess-guard.ts';
import { isSecret } from '../../vault/password.ts';
import { guess, tooManyAttempts } from '../guess.ts';
import type { Call } from '../route.ts';
import type { DeviceProof, Proof } from '../schemas/proof.ts';

type AnyCall = Pick<Call<unknown, unknown, unknown, unknown>, 'atomically' | 'services'>;

const DAY_SECONDS = 86_400;

/** Whom a proof is for; `device` is undefined where nobody has the id that was named. */
export interface Claimant {
  readonly programme: Programme;
  readonly installationId: string;
  readonly device: DeviceRow | undefined;
}

/**
 * Checks a proof of an installation (channels 11). An id that nobody has takes the same work and the same counters
 * as one that somebody has. Throws `INVALID_CREDENTIALS`, `TOO_MANY_ATTEMPTS`, `DEVICE_NOT_ACTIVE`.
 */
export async function prove(call: AnyCall, claimant: Claimant, proof: Proof): Promise<void> {
  const { device, installationId } = claimant;
  if (proof.method === 'PASSWORD') {
    const name =
      device === undefined ? `password:device:${installationId}` : passwordGuard(device.customer_id);
    return await provePassword(call, claimant.programme, name, device?.customer_id ?? null, proof.password);
  }
  const { vault } = call.services;
  const guarded = { ...tenantOf(claimant.programme), name: deviceGuard(installationId) };
  const outcome = await guess(call, guarded, DEVICE_POLICY, async () =>
    proof.method === 'APP_PIN'
      ? await isSecret(vault, proof.appPin, device?.app_pin_hash ?? null)
      : await isSigned(call, claimant, proof),
  );
  if (outcome === 'LAST' || outcome === 'CLOSED') {
    await call.atomically((trx) => lockDevice(trx, installationId));
  }
  if (outcome === 'CLOSED') throw deviceNotActive();
  if (outcome !== 'RIGHT') throw invalidCredentials();
}

/** Checks a user's password against the counters of `name`. Throws as `prove`. */
export async function provePassword(
  call: AnyCall,
  programme: Programme,
  name: string,
  customerId: number | null,
  password: string,
): Promise<void> {
  const stored =
    customerId === null ? undefined : await call.atomically((trx) => findCredentials(trx, customerId));
  const outcome = await guess(call, { ...tenantOf(programme), name }, PASSWORD_POLICY, () =>
    isSecret(call.services.vault, password, stored?.password_hash ?? null),
  );
  if (outcome === 'CLOSED') throw tooManyAttempts(DAY_SECONDS);
  if (outcome !== 'RIGHT') throw invalidCredentials();
}

/** One answer for wrong secrets and unknown accounts. */
export const invalidCredentials = (): Refusal =>
  new Refusal('INVALID_CREDENTIALS', 'The credentials are not right.');

/** The installation is locked, replaced or unpaired. */
export const deviceNotActive = (): Refusal =>
  new Refusal('DEVICE_NOT_ACTIVE', 'This installation is locked or was replaced. Pair the device again.');

/** Whose counters are meant. */
export const tenantOf = ({ programmeId, partnerId }: Programme) => ({ programmeId, partnerId });

async function isSigned(
  call: AnyCall,
  { device, installationId }: Claimant,
  proof: Extract<DeviceProof, { method: 'DEVICE_SIGNATURE' }>,
): Promise<boolean> {
  const challenge = await call.atomically((trx) => takeChallenge(trx, proof.challengeId, installationId));
  const key = device?.signing_key ?? null;
  if (challenge === undefined || key === null) return false;
  return verifySignature(
    'sha256',
    challenge,
    // ES256 writes r and s one after the other (RFC 7518).
    { key: createPublicKey({ key, format: 'der', type: 'spki' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(proof.signature, 'base64url'),
  );
}
