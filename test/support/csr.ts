import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

export const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface MadeRequest {
  readonly csr: string;
  readonly keyPem: string;
}

/** The subject of a request that nothing is wrong with. */
export const GOOD_SUBJECT: x509.JsonName = [{ CN: ['demo server'] }, { E: ['ops@demo.test'] }, { C: ['PL'] }];

/** A PKCS#10 request with a new key. */
export async function aCsr(
  subject: x509.JsonName = GOOD_SUBJECT,
  algorithm: object = P256,
  extensions: x509.Extension[] = [],
): Promise<MadeRequest> {
  const keys = (await webcrypto.subtle.generateKey(algorithm as never, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: algorithm as never,
    extensions,
  });
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { csr: request.toString('pem'), keyPem: x509.PemConverter.encode(der, 'PRIVATE KEY') };
}

/** Extensions that ask to become an authority and to speak for any name. */
export const greedyExtensions = (): x509.Extension[] => [
  new x509.BasicConstraintsExtension(true, 3, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
  new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
];
