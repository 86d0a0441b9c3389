import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureCertificateFiles } from '../../cli/certificate-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

const load = (path: string) => new X509Certificate(readFileSync(path));

test('every certificate is signed by the authority and matches its private key', async () => {
  const { ca, of } = await ensureCertificateFiles(temporaryFolder());
  const issuing = load(ca);
  for (const { certificate, key } of Object.values(of)) {
    const leaf = load(certificate);
    expect(leaf.checkIssued(issuing)).toBe(true);
    expect(leaf.verify(issuing.publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(readFileSync(key)))).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / 86_400_000;
    expect(days).toBe(397);
  }
  expect(load(of.demo.certificate).subject).toBe('CN=demo-default\nO=Demo Partner');
  expect(load(of.demo.certificate).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(load(of.server.certificate).subjectAltName).toBe(
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  );
});

test('a second start keeps the certificates', async () => {
  const folder = temporaryFolder();
  const { of } = await ensureCertificateFiles(folder);
  const before = readFileSync(of.demo.certificate, 'utf8');
  await ensureCertificateFiles(folder);
  expect(readFileSync(of.demo.certificate, 'utf8')).toBe(before);
});

test('one that is about to expire is made anew from the same authority', async () => {
  const folder = temporaryFolder();
  const { ca, of } = await ensureCertificateFiles(folder);
  const authority = readFileSync(ca, 'utf8');
  const other = await ensureCertificateFiles(temporaryFolder());
  const kept = readFileSync(of.ims.certificate, 'utf8');
  writeFileSync(join(of.demo.key), readFileSync(other.of.demo.key));
  writeFileSync(of.demo.certificate, EXPIRED);
  await ensureCertificateFiles(folder);
  expect(readFileSync(ca, 'utf8')).toBe(authority);
  expect(load(of.demo.certificate).verify(load(ca).publicKey)).toBe(true);
  expect(readFileSync(of.ims.certificate, 'utf8')).toBe(kept);
});

/** Self-signed, valid for one day in the year it was made. */
const EXPIRED = `-----BEGIN CERTIFICATE-----
MIIBejCCAR+gAwIBAgIUcKII8LDQSRjR5K1EBVgG8PP5+aswCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHZXhwaXJlZDAeFw0yNjExMjEwODU2MDNaFw0yNjExMjIwODU2
MDNaMBIxEDAOBgNVBAMMB2V4cGlyZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARQuhfJVHAHlX/c8tXoFY9IXRy5/ekdY88KXAgxCWoKyRFH9dkzkKwzmNYIOpUU
8CHf8PjICJnNgOuuwNzjMerUo1MwUTAdBgNVHQ4EFgQUXmrROmIvWE5OqqsuQwbP
pvoK8fkwHwYDVR0jBBgwFoAUXmrROmIvWE5OqqsuQwbPpvoK8fkwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEA7dmq4DKF/m2QSz1KLexKzMRAhvIq
/3F+Dls+QEIBDkwCIQDbuF77dLuFrTVg8qfBiSf9g7MjT9gcvA5FM/gBoJHjFg==
-----END CERTIFICATE-----`;
