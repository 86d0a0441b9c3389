import { type KeyObject, createHash, createPublicKey } from 'node:crypto';

/** A public key of somebody we encrypt to. */
export interface RecipientKey {
  readonly key: KeyObject;
  /** RFC 7638: what a paired device or a partner's pinned key is compared by. */
  readonly thumbprint: string;
  /** First 16 hexadecimal characters of SHA-256 of the SPKI: `kid` in calls to partners. */
  readonly keyId: string;
}

const MAX_CHARACTERS = 2048;
const MIN_BITS = 2048;
const MAX_BITS = 4096;
const EXPONENT = 65_537n;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const PEM = /^\s*-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----\s*$/;
const PEM_START = /^\s*-----/;

/**
 * Reads the value of `Public-Key`, or a partner's `publicKey`: base64 of a PEM or DER SPKI, RSA 2048 to 4096
 * bits with exponent 65537 (channels 8). Anything else, certificates and private keys too, is refused.
 */
export function readRecipientKey(value: string): RecipientKey | 'INVALID_PUBLIC_KEY' {
  if (value.length > MAX_CHARACTERS || !BASE64.test(value)) return 'INVALID_PUBLIC_KEY';
  const der = spkiBytes(Buffer.from(value, 'base64'));
  const key = der === null ? null : parseSpki(der);
  if (der === null || key === null) return 'INVALID_PUBLIC_KEY';
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' || publicExponent !== EXPONENT) return 'INVALID_PUBLIC_KEY';
  if (modulusLength < MIN_BITS || modulusLength > MAX_BITS) return 'INVALID_PUBLIC_KEY';
  return {
    key,
    thumbprint: rsaThumbprint(key),
    keyId: createHash('sha256').update(der).digest('hex').slice(0, 16),
  };
}

function spkiBytes(decoded: Buffer): Buffer | null {
  const content = decoded.toString('latin1');
  const body = PEM.exec(content)?.[1];
  if (body !== undefined) return Buffer.from(body.replace(/\s+/g, ''), 'base64');
  return PEM_START.test(content) ? null : decoded;
}

function parseSpki(der: Buffer): KeyObject | null {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    // Equal bytes rule out a private key, a certificate, and anything appended.
    return key.export({ format: 'der', type: 'spki' }).equals(der) ? key : null;
  } catch {
    return null;
  }
}

/** RFC 7638 thumbprint of an RSA key: base64url of SHA-256 over its required members in order. */
export function rsaThumbprint(key: KeyObject): string {
  const { e, kty, n } = key.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
}
