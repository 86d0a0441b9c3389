import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

export interface Authority {
  readonly caPem: string;
  readonly serverCertificatePem: string;
  readonly serverKeyPem: string;
  /** Signs a client certificate for a PKCS#10 request; null when the request is unreadable or badly signed. */
  signClient(csrPem: string): Promise<string | null>;
}

interface Pair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
const dayMs = 86_400_000;
const caDays = 3_650;
const leafDays = 397;
/** Clocks of two machines differ; a certificate starts a little in the past. */
const backdateMs = 5 * 60_000;
const renewBeforeMs = 30 * dayMs;

/**
 * The partner's own certificate authority. With a folder it is made there at the first start and read
 * afterwards; without one it lives as long as the process.
 */
export async function openAuthority(folder: string | null): Promise<Authority> {
  const ca = await loadOrMake(folder, 'ca', makeCa);
  const issuer = new x509.X509Certificate(ca.certificatePem);
  const issuerKey = await importKey(ca.keyPem);
  const server = await loadOrMake(folder, 'server', () => makeServer(issuer, issuerKey));
  return {
    caPem: ca.certificatePem,
    serverCertificatePem: server.certificatePem,
    serverKeyPem: server.keyPem,
    signClient: (csrPem) => signClient(csrPem, issuer, issuerKey),
  };
}

async function loadOrMake(folder: string | null, name: string, make: () => Promise<Pair>): Promise<Pair> {
  if (folder === null) return make();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const certificateFile = join(folder, `${name}.crt`);
  const keyFile = join(folder, `${name}.key`);
  if (existsSync(certificateFile) && existsSync(keyFile)) {
    const pair = {
      certificatePem: readFileSync(certificateFile, 'utf8'),
      keyPem: readFileSync(keyFile, 'utf8'),
    };
    const endMs = new x509.X509Certificate(pair.certificatePem).notAfter.getTime();
    if (endMs - Date.now() > renewBeforeMs) return pair;
  }
  const pair = await make();
  writeFileSync(certificateFile, pair.certificatePem);
  writeFileSync(keyFile, pair.keyPem, { mode: 0o600 });
  return pair;
}

async function makeCa(): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: 'CN=Partner simulator CA,O=Partner simulator',
    keys,
    signingAlgorithm,
    ...validity(caDays),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: await exportKey(keys.privateKey) };
}

async function makeServer(issuer: x509.X509Certificate, issuerKey: webcrypto.CryptoKey): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const names = new x509.SubjectAlternativeNameExtension([
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
  ]);
  const certificatePem = await issue('CN=localhost', keys.publicKey, issuer, issuerKey, [
    names,
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
  ]);
  return { certificatePem, keyPem: await exportKey(keys.privateKey) };
}

async function signClient(
  csrPem: string,
  issuer: x509.X509Certificate,
  issuerKey: webcrypto.CryptoKey,
): Promise<string | null> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(csrPem);
    if (!(await request.verify())) return null;
  } catch {
    return null;
  }
  const publicKey = await request.publicKey.export();
  return issue(request.subjectName.toJSON(), publicKey, issuer, issuerKey, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ]);
}

async function issue(
  subject: string | x509.JsonName,
  publicKey: webcrypto.CryptoKey,
  issuer: x509.X509Certificate,
  issuerKey: webcrypto.CryptoKey,
  extensions: readonly x509.Extension[],
): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject,
    issuer: issuer.subjectName.toJSON(),
    publicKey,
    signingKey: issuerKey,
    signingAlgorithm,
    ...validity(leafDays),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      ...extensions,
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const nowMs = Date.now();
  return { notBefore: new Date(nowMs - backdateMs), notAfter: new Date(nowMs + days * dayMs) };
}

function randomSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  // A serial number is a positive integer: the highest bit stays clear and the first byte is not zero.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

async function importKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = x509.PemConverter.decodeFirst(keyPem);
  return webcrypto.subtle.importKey('pkcs8', der, keyAlgorithm, false, ['sign']);
}
