import { createPublicKey, verify as verifySignature } from 'node:crypto';
import type { Trx } from '../../db/atomically.ts';
import { findCredentials } from '../../db/customer-credentials.ts';
import { deviceNotActive, type DeviceRow, holdActiveDevice, lockDevice } from '../../db/devices.ts';
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

/** What a right proof stood on. */
export interface Proven {
  readonly device: DeviceRow;
  /** The stored form of the password, where one was given. */
  readonly passwordHash: string | null;
}

/**
 * Checks a proof of an installation (channels 11). An id that nobody has takes the same work and the same counters
 * as one that somebody has. Whatever is done on it starts with `holdProven`. Throws `INVALID_CREDENTIALS`,
 * `TOO_MANY_ATTEMPTS`, `DEVICE_NOT_ACTIVE`.
 */
export async function prove(call: AnyCall, claimant: Claimant, proof: Proof): Promise<Proven> {
  const passwordHash = await check(call, claimant, proof);
  if (claimant.device === undefined) throw invalidCredentials();
  return { device: claimant.device, passwordHash };
}

/**
 * Holds the installation of a proof, as long as it is ACTIVE and its secrets are those that were given: the proof was
 * looked at outside of the transaction. Throws `DEVICE_NOT_ACTIVE`, `INVALID_CREDENTIALS`.
 */
export async function holdProven(trx: Trx, { device, passwordHash }: Proven): Promise<void> {
  const held = await holdActiveDevice(trx, device.customer_id, device.installation_id);
  const password =
    passwordHash === null ? null : (await findCredentials(trx, device.customer_id))?.password_hash;
  if (held.app_pin_hash !== device.app_pin_hash || password !== passwordHash) throw invalidCredentials();
}

async function check(call: AnyCall, claimant: Claimant, proof: Proof): Promise<string | null> {
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
    const { programmeId } = claimant.programme;
    await call.atomically((trx) => lockDevice(trx, programmeId, installationId));
  }
  if (outcome === 'CLOSED') throw deviceNotActive();
  if (outcome !== 'RIGHT') throw invalidCredentials();
  return null;
}

/** Checks a user's password against the counters of `name`, and gives its stored form. Throws as `prove`. */
export async function provePassword(
  call: AnyCall,
  programme: Programme,
  name: string,
  customerId: number | null,
  password: string,
): Promise<string> {
  const stored =
    customerId === null ? undefined : await call.atomically((trx) => findCredentials(trx, customerId));
  const hash = stored?.password_hash ?? null;
  const outcome = await guess(call, { ...tenantOf(programme), name }, PASSWORD_POLICY, () =>
    isSecret(call.services.vault, password, hash),
  );
  if (outcome === 'CLOSED') throw tooManyAttempts(DAY_SECONDS);
  if (outcome !== 'RIGHT' || hash === null) throw invalidCredentials();
  return hash;
}

/** One answer for wrong secrets and unknown accounts. */
export const invalidCredentials = (): Refusal =>
  new Refusal('INVALID_CREDENTIALS', 'The credentials are not right.');

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
