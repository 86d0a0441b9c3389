import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createAuthority,
  issueCertificate,
  notAfter,
  openAuthority,
  privateKeyPem,
  type Authority,
  type CertificateUse,
} from '../vault/certificate-authority.ts';
import { makePrivateDir, writePrivate } from './private-file.ts';

const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** The certificates of a data folder: file name, subject, what it may be used for. */
const certificates = {
  server: { subject: 'CN=localhost, O=Cardloom', use: 'server' },
  demo: { subject: 'CN=demo-default, O=Demo Partner', use: 'client' },
  processor: { subject: 'CN=processor-default, O=Card Processor', use: 'client' },
  ims: { subject: 'CN=ims-default, O=IBAN Service', use: 'client' },
  'bin-sponsor': { subject: 'CN=bin-sponsor-default, O=BIN Sponsor', use: 'client' },
  outbound: { subject: 'CN=cardloom-outbound, O=Cardloom', use: 'client' },
  'processor-server': { subject: 'CN=localhost, O=Card Processor', use: 'server' },
} as const satisfies Record<string, { subject: string; use: CertificateUse }>;

export type CertificateName = keyof typeof certificates;

export interface CertificateFile {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateFiles {
  /** The chain that verifies every certificate made here. */
  readonly ca: string;
  /** The key that signs them, PEM. */
  readonly caKey: string;
  readonly of: Readonly<Record<CertificateName, CertificateFile>>;
}

/**
 * The private authority and its certificates in `<dataDir>/certs`, made once (operations 1, step 6). Those
 * with less than 30 days left are made anew; the authority too, and then everything below it.
 */
export async function ensureCertificateFiles(dataDir: string): Promise<CertificateFiles> {
  const dir = join(dataDir, 'certs');
  makePrivateDir(dir);
  const ca = join(dir, 'ca.pem');
  const caKey = join(dir, 'ca.key');
  const fresh = !isGood(ca) || !existsSync(caKey);
  const authority = fresh ? await newAuthority(ca, caKey) : await openAuthority(read(ca), read(caKey));
  const of = {} as Record<CertificateName, CertificateFile>;
  for (const name of Object.keys(certificates) as CertificateName[]) {
    const file = { certificate: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
    of[name] = file;
    if (!fresh && isGood(file.certificate) && existsSync(file.key)) continue;
    const { subject, use } = certificates[name];
    const issued = await issueCertificate(authority, subject, use, use === 'server' ? LOCAL_NAMES : []);
    writePrivate(file.key, issued.keyPem);
    writePrivate(file.certificate, issued.certificatePem);
  }
  return { ca, caKey, of };
}

async function newAuthority(ca: string, caKey: string): Promise<Authority> {
  const authority = await createAuthority();
  writePrivate(caKey, await privateKeyPem(authority.keys));
  writePrivate(ca, authority.chainPem);
  return authority;
}

const isGood = (path: string): boolean =>
  existsSync(path) && notAfter(read(path)).getTime() - Date.now() > RENEW_BEFORE_MS;

const read = (path: string): string => readFileSync(path, 'utf8');
