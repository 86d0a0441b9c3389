import { createHmac, randomBytes } from 'node:crypto';

const STEP_MS = 30_000;
const SECRET_BYTES = 20;
const DIGITS = 6;
/** Steps that a clock may be off. */
const DRIFT = 1;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new secret for an authenticator app. */
export const newTotpSecret = (): Buffer => randomBytes(SECRET_BYTES);

/** The code of a secret (RFC 6238, SHA-1, 30 s, 6 digits) in the time step of `atMs`. */
export const totpCode = (secret: Uint8Array, atMs: number): string =>
  codeOf(secret, Math.floor(atMs / STEP_MS));

/**
 * The time step in which `code` is right, one step early or late included, or null. A step up to `after`, the newest
 * one that was taken, is never right again.
 */
export function totpStep(
  secret: Uint8Array,
  code: string,
  atMs: number,
  after: number | null,
): number | null {
  const now = Math.floor(atMs / STEP_MS);
  for (let step = now - DRIFT; step <= now + DRIFT; step += 1) {
    if (step > (after ?? -1) && codeOf(secret, step) === code) return step;
  }
  return null;
}

function codeOf(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const at = (mac.at(-1) ?? 0) & 0x0f;
  const number = mac.readUInt32BE(at) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

/** The address that an authenticator app reads, as a picture or a link. */
export function otpauthUri(secret: Uint8Array, account: string): string {
  const label = encodeURIComponent(`Cardloom:${account}`);
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=Cardloom&algorithm=SHA1&digits=${DIGITS}&period=30`;
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((group) => BASE32[Number.parseInt(group.padEnd(5, '0'), 2)])
    .join('');
}
