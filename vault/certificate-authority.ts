import 'reflect-metadata';
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { keyOfRequest } from './certificate-request.ts';

x509.cryptoProvider.set(webcrypto as never);

/** An issuing authority: it signs, and `chainPem` is what proves it (its own certificate, then the root's). */
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly chainPem: string;
}

export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export type CertificateUse = 'client' | 'server';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const ROOT_DAYS = 3_650;
const ISSUING_DAYS = 1_095;
const LEAF_DAYS = 397;
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** A new root and an issuing authority below it. The root's key is forgotten: nothing is signed by it again. */
export async function createAuthority(): Promise<Authority> {
  const rootKeys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...validFor(ROOT_DAYS),
    serialNumber: newSerial(),
    name: 'CN=Cardloom development root, O=Cardloom',
    keys: rootKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...authorityExtensions(1),
      await x509.SubjectKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...validFor(ISSUING_DAYS),
    serialNumber: newSerial(),
    subject: 'CN=Cardloom development issuing, O=Cardloom',
    issuer: root.subject,
    publicKey: keys.publicKey,
    signingKey: rootKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...authorityExtensions(0),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root),
    ],
  });
  return { certificate, keys, chainPem: `${certificate.toString('pem')}\n${root.toString('pem')}\n` };
}

/** The authority kept as PEM: `chainPem` starts with its certificate. */
export async function openAuthority(chainPem: string, keyPem: string): Promise<Authority> {
  const certificate = new x509.X509Certificate(firstCertificate(chainPem));
  const der = x509.PemConverter.decodeFirst(keyPem);
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
  const publicKey = await certificate.publicKey.export(ALGORITHM, ['verify']);
  return { certificate, keys: { privateKey, publicKey } as webcrypto.CryptoKeyPair, chainPem };
}

/**
 * Issues a leaf of 397 days (channels 9). `names` are the DNS names and IP addresses of a server; a server's
 * PEM carries the issuing certificate too, because callers may know only the root.
 */
export async function issueCertificate(
  authority: Authority,
  subject: string,
  use: CertificateUse,
  names: readonly string[],
): Promise<IssuedCertificate> {
  const keys = await newKeys();
  const alternative = names.map(
    (value) => ({ type: /^[0-9.]+$|:/.test(value) ? 'ip' : 'dns', value }) as const,
  );
  const leaf = await x509.X509CertificateGenerator.create({
    ...validFor(LEAF_DAYS),
    serialNumber: newSerial(),
    subject,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([use === 'client' ? CLIENT_AUTH : SERVER_AUTH]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
      ...(alternative.length > 0 ? [new x509.SubjectAlternativeNameExtension([...alternative])] : []),
    ],
  });
  const own = `${leaf.toString('pem')}\n`;
  return {
    certificatePem: use === 'server' ? `${own}${authority.certificate.toString('pem')}\n` : own,
    keyPem: await privateKeyPem(keys),
  };
}

/** What is written into a client's certificate besides its key (channels 9). */
export interface ClientSubject {
  readonly commonName: string;
  readonly organization: string;
  /** The partner's UUID, null for one without partner. */
  readonly unit: string | null;
  /** L, ST and C as they were asked for. */
  readonly place: Readonly<Partial<Record<'L' | 'ST' | 'C', string>>>;
}

/** A client certificate as the registry keeps it; serial and fingerprint are lower-case hexadecimal. */
export interface ClientCertificate {
  readonly certificatePem: string;
  readonly subject: string;
  readonly serial: string;
  readonly fingerprintSha256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Issues a client certificate for the key of a request. Nothing else of the request gets into it: whatever
 * extensions it asked for, this is no authority and good for client authentication alone.
 */
export async function issueForRequest(
  authority: Authority,
  csrPem: string,
  { commonName, organization, unit, place }: ClientSubject,
  { days, nowMs }: { readonly days: number; readonly nowMs: number },
): Promise<ClientCertificate> {
  const publicKey = keyOfRequest(csrPem);
  const leaf = await x509.X509CertificateGenerator.create({
    ...validFor(days, nowMs),
    serialNumber: newSerial(),
    subject: nameOf([
      ['CN', commonName],
      ['O', organization],
      ...(unit === null ? [] : [['OU', unit] as const]),
      ...Object.entries(place),
    ]),
    issuer: authority.certificate.subject,
    publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([CLIENT_AUTH]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
    ],
  });
  return {
    certificatePem: `${leaf.toString('pem')}\n`,
    subject: leaf.subject,
    serial: leaf.serialNumber.toLowerCase(),
    fingerprintSha256: createHash('sha256').update(new Uint8Array(leaf.rawData)).digest('hex'),
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
  };
}

// Plain text would be read as the text form of a name, with its quotes, escapes and raw DER after a number sign.
const nameOf = (parts: readonly (readonly [name: string, value: string])[]): x509.Name =>
  new x509.Name(
    parts.map(([name, value]) => ({
      [name]: [x509.Name.isPrintableString(value) ? { printableString: value } : { utf8String: value }],
    })),
  );

const REVOCATION_REASONS: Readonly<Record<string, x509.X509CrlReason>> = {
  KEY_COMPROMISE: x509.X509CrlReason.keyCompromise,
  SUPERSEDED: x509.X509CrlReason.superseded,
  AFFILIATION_CHANGED: x509.X509CrlReason.affiliationChanged,
  CESSATION_OF_OPERATION: x509.X509CrlReason.cessationOfOperation,
};

/** The list of revoked certificates as DER, good for 24 hours from `nowMs`. */
export async function signRevocationList(
  authority: Authority,
  revoked: readonly { readonly serial: string; readonly revokedAt: Date; readonly reason: string }[],
  nowMs: number,
): Promise<Buffer> {
  const list = await x509.X509CrlGenerator.create({
    issuer: authority.certificate.subject,
    thisUpdate: new Date(nowMs),
    nextUpdate: new Date(nowMs + DAY_MS),
    signingAlgorithm: ALGORITHM,
    signingKey: authority.keys.privateKey,
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(authority.certificate), listNumber(nowMs)],
    entries: revoked.map(({ serial, revokedAt, reason }) => {
      const told = REVOCATION_REASONS[reason];
      return {
        serialNumber: serial,
        revocationDate: revokedAt,
        ...(told === undefined ? {} : { reason: told }),
      };
    }),
  });
  return Buffer.from(list.rawData);
}

/** The CRL number (RFC 5280, 5.2.3): the time in milliseconds, so that it grows whichever process signs. */
function listNumber(nowMs: number): x509.Extension {
  const value = Buffer.alloc(6);
  value.writeUIntBE(nowMs, 0, 6);
  return new x509.Extension('2.5.29.20', false, Buffer.concat([Buffer.from([2, 6]), value]));
}

/** The private key as PKCS#8 PEM. */
export async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`;
}

/** The end of validity of the first certificate in a PEM text. */
export const notAfter = (pem: string): Date => new x509.X509Certificate(firstCertificate(pem)).notAfter;

const firstCertificate = (pem: string): ArrayBuffer => x509.PemConverter.decodeFirst(pem);

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

const authorityExtensions = (pathLength: number): x509.Extension[] => [
  new x509.BasicConstraintsExtension(true, pathLength, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
];

/** 128 random bits behind a byte that is fixed, so that the number is positive and of one length. */
const newSerial = (): string => `01${randomBytes(16).toString('hex')}`;

function validFor(days: number, nowMs = Date.now()): { notBefore: Date; notAfter: Date } {
  // Five minutes back, for clocks that are a little behind ours.
  const notBefore = new Date(nowMs - 300_000);
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * DAY_MS) };
}
