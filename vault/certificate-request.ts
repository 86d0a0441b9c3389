import 'reflect-metadata';
import { createHash, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { isCountry } from '../domain/country.ts';
import { Refusal } from '../domain/errors.ts';

x509.cryptoProvider.set(webcrypto as never);

const MOST_BYTES = 16 * 1024;

/** What is kept of a request for a client certificate (channels 9). */
export interface CertificateRequest {
  readonly csrPem: string;
  /** As it was asked for, for people. */
  readonly requestedSubject: string;
  readonly contactEmail: string;
  readonly place: Readonly<Partial<Record<'L' | 'ST' | 'C', string>>>;
  readonly keyType: string;
  /** SHA-256 of the DER of the public key in its one canonical form, lower-case hexadecimal. */
  readonly keySha256: string;
}

/**
 * Reads a PKCS#10 request; extensions it asks for are not looked at. `unit` is what an OU has to equal. Throws
 * `CSR_INVALID`, `CSR_KEY_REJECTED`, `CSR_SUBJECT_REJECTED`.
 */
export async function readCertificateRequest(
  csrPem: string,
  unit: string | null,
): Promise<CertificateRequest> {
  const request = parse(csrPem);
  const { keyType, spki } = readKey(request);
  await refuseSignature(request);
  const names = readSubject(request, unit);
  const { L, ST, C } = names;
  return {
    csrPem,
    requestedSubject: request.subject,
    contactEmail: (names['E'] ?? '').toLowerCase(),
    place: {
      ...(L === undefined ? {} : { L }),
      ...(ST === undefined ? {} : { ST }),
      ...(C === undefined ? {} : { C }),
    },
    keyType,
    keySha256: createHash('sha256').update(spki).digest('hex'),
  };
}

/** The public key of a request in its one canonical form. Throws `CSR_INVALID`, `CSR_KEY_REJECTED`. */
export const keyOfRequest = (csrPem: string): x509.PublicKey =>
  new x509.PublicKey(new Uint8Array(readKey(parse(csrPem)).spki));

const invalid = (): Refusal =>
  new Refusal('CSR_INVALID', 'This is no PKCS#10 request in PEM with a good signature of SHA-256 or better.');

const STRONG = new Set(['SHA-256', 'SHA-384', 'SHA-512']);

function parse(csrPem: string): x509.Pkcs10CertificateRequest {
  if (Buffer.byteLength(csrPem) > MOST_BYTES) throw invalid();
  if (!/^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(csrPem)) throw invalid();
  try {
    return new x509.Pkcs10CertificateRequest(csrPem);
  } catch {
    // The parser's own words hold pieces of what was sent.
    throw invalid();
  }
}

async function refuseSignature(request: x509.Pkcs10CertificateRequest): Promise<void> {
  try {
    const { hash } = request.signatureAlgorithm;
    if (!STRONG.has(typeof hash === 'string' ? hash : (hash?.name ?? ''))) throw invalid();
    if (!(await request.verify())) throw invalid();
  } catch {
    throw invalid();
  }
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' };

/** `spki`: DER of the key as we write it. A key has several forms on the wire, and each hashes differently. */
function readKey(request: x509.Pkcs10CertificateRequest): { keyType: string; spki: Buffer } {
  const key = openKey(Buffer.from(request.publicKey.rawData));
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 && modulusLength <= 4096) {
    return { keyType: `RSA-${modulusLength}`, spki: canonical(key) };
  }
  const curve = key.asymmetricKeyType === 'ec' ? CURVES[namedCurve] : undefined;
  if (curve !== undefined) return { keyType: curve, spki: canonical(key) };
  throw new Refusal('CSR_KEY_REJECTED', 'The key must be RSA of 2048 to 4096 bits, or P-256 or P-384.');
}

function openKey(der: Buffer): KeyObject {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    throw invalid();
  }
}

// A JWK holds the numbers alone: neither a compressed point nor parameters of the algorithm survive it.
const canonical = (key: KeyObject): Buffer =>
  createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' }).export({
    format: 'der',
    type: 'spki',
  });

const NAME_RULES: Readonly<Record<string, (value: string) => boolean>> = {
  CN: (value) => /^[A-Za-z0-9 ._-]{1,64}$/.test(value),
  E: (value) => value.length <= 254 && /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(value),
  O: (value) => value.length <= 64,
  L: (value) => value.length <= 64,
  ST: (value) => value.length <= 64,
  OU: () => true,
  C: isCountry,
};

// A leading number sign stands for raw DER in the text form of a name.
const UNSAFE = /^#|,|\p{Cc}/u;

const refusedSubject = (detail: string): Refusal => new Refusal('CSR_SUBJECT_REJECTED', detail);

function readSubject(
  request: x509.Pkcs10CertificateRequest,
  unit: string | null,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const part of request.subjectName.toJSON()) {
    const values = Object.entries(part).flatMap(([name, all]) => all.map((value) => [name, value] as const));
    const [only, ...more] = values;
    if (only === undefined || more.length > 0)
      throw refusedSubject('A part of the subject has several values.');
    const [name, value] = only;
    const rule = NAME_RULES[name];
    if (rule === undefined) {
      throw refusedSubject('The subject may have CN, emailAddress, O, OU, L, ST and C only.');
    }
    if (name in found || UNSAFE.test(value) || !rule(value)) {
      throw refusedSubject(`${name === 'E' ? 'emailAddress' : name} of the subject is not as it must be.`);
    }
    found[name] = value;
  }
  if (found['CN'] === undefined || found['E'] === undefined) {
    throw refusedSubject('The subject needs CN and emailAddress.');
  }
  if (found['OU'] !== undefined && found['OU'].toLowerCase() !== unit) {
    throw refusedSubject('OU must be the UUID of the partner.');
  }
  return found;
}
