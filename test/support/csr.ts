import 'reflect-metadata';
import { generateKeyPairSync, type KeyObject, sign, webcrypto } from 'node:crypto';
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
  subject: x509.JsonName | x509.Name = GOOD_SUBJECT,
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

/** Two requests for one P-256 key, which the second writes as a compressed point. */
export function twoFormsOfOneKey(): { readonly plain: MadeRequest; readonly compressed: MadeRequest } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const plain = publicKey.export({ format: 'der', type: 'spki' });
  const point = plain.subarray(-65);
  const short = Buffer.concat([Buffer.from([2 + (point.readUInt8(64) & 1)]), point.subarray(1, 33)]);
  // The algorithm stands between the outer header of two bytes and the bit string of 68.
  const compressed = der(0x30, plain.subarray(2, -68), der(0x03, Buffer.from([0]), short));
  const csrOf = (spki: Buffer): MadeRequest => ({ csr: signedRequest(spki, privateKey), keyPem });
  return { plain: csrOf(plain), compressed: csrOf(compressed) };
}

function signedRequest(spki: Buffer, key: KeyObject): string {
  const name = Buffer.from(new x509.Name(GOOD_SUBJECT).toArrayBuffer());
  const info = der(0x30, Buffer.from([2, 1, 0]), name, spki, Buffer.from([0xa0, 0]));
  const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const signature = der(0x03, Buffer.from([0]), sign('sha256', info, key));
  return x509.PemConverter.encode(
    new Uint8Array(der(0x30, info, ecdsaWithSha256, signature)),
    'CERTIFICATE REQUEST',
  );
}

/** A value of DER that is shorter than 65,536 bytes. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
