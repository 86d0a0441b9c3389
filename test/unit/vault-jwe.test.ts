import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { CompactEncrypt, compactDecrypt, GeneralEncrypt } from 'jose';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { decrypt, encryptTo } from '../../vault/jwe.ts';
import { platformPublicKey } from '../../vault/platform-key.ts';
import { type RecipientKey, readRecipientKey, rsaThumbprint } from '../../vault/recipient-key.ts';
import type { Vault } from '../../vault/vault.ts';
import { testKey, testVault } from '../support/vault.ts';

const rsa = (modulusLength = 2048, publicExponent = 0x10001) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent });
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const base64 = (value: string | Buffer): string => Buffer.from(value).toString('base64');

function recipient(key: KeyObject): RecipientKey {
  const read = readRecipientKey(base64(pem(key)));
  if (typeof read === 'string') throw new Error(read);
  return read;
}

describe('the recipient key', () => {
  const { publicKey, privateKey } = rsa();
  const der = publicKey.export({ type: 'spki', format: 'der' });

  it.each([
    ['base64 of PEM', base64(pem(publicKey))],
    ['base64url of PEM', Buffer.from(pem(publicKey)).toString('base64url')],
    ['base64 of DER', base64(der)],
    ['base64url of DER without padding', der.toString('base64url')],
    ['base64 of PEM with CRLF', base64(pem(publicKey).replaceAll('\n', '\r\n'))],
    ['base64 of PEM without the last line break', base64(pem(publicKey).trim())],
  ])('is read from %s', (_form, value) => {
    expect(readRecipientKey(value)).toMatchObject({ thumbprint: rsaThumbprint(publicKey) });
  });

  it('may have 4096 bits', () => {
    expect(recipient(rsa(4096).publicKey).keyId).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each<[string, () => string]>([
    ['nothing', () => ''],
    ['no base64', () => '%%%'],
    ['PEM that is not encoded', () => pem(publicKey)],
    ['random bytes', () => base64('not a key at all')],
    ['a private key in PEM', () => base64(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())],
    ['a private key in DER', () => base64(privateKey.export({ type: 'pkcs8', format: 'der' }))],
    ['a PKCS1 public key', () => base64(publicKey.export({ type: 'pkcs1', format: 'pem' }).toString())],
    [
      'a private key labelled public',
      () =>
        base64(
          pem(publicKey).replace(
            /\n[^-]+\n/,
            `\n${base64(privateKey.export({ type: 'pkcs8', format: 'der' }))}\n`,
          ),
        ),
    ],
    ['an EC key', () => base64(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey))],
    ['an RSA-PSS key', () => base64(pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey))],
    ['1024 bits', () => base64(pem(rsa(1024).publicKey))],
    ['exponent 3', () => base64(pem(rsa(2048, 3).publicKey))],
    ['bytes after the key', () => base64(Buffer.concat([der, Buffer.from([0])]))],
    ['two keys', () => base64(pem(publicKey) + pem(publicKey))],
    ['a text before the key', () => base64(`x${pem(publicKey)}`)],
    ['more than 2048 characters', () => base64(pem(publicKey) + ' '.repeat(2000))],
    ['a certificate', () => base64(CERTIFICATE)],
    ['a certificate in DER', () => base64(new X509Certificate(CERTIFICATE).raw)],
  ])('is refused: %s', (_case, value) => {
    expect(readRecipientKey(value())).toBe('INVALID_PUBLIC_KEY');
  });

  it('has the thumbprint of the RFC 7638 example', () => {
    const key = createPublicKey({ key: RFC_7638_KEY, format: 'jwk' });
    expect(rsaThumbprint(key)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });
});

describe('an answer', () => {
  const { publicKey, privateKey } = rsa();

  it("has exactly the two header members and opens with the recipient's key", async () => {
    const compact = await encryptTo(recipient(publicKey), { id: 1125 });
    const header = Buffer.from(compact.split('.')[0] ?? '', 'base64url').toString();
    expect(header).toBe('{"alg":"RSA-OAEP-256","enc":"A256GCM"}');
    const { plaintext } = await compactDecrypt(compact, privateKey);
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({ id: 1125 });
  });

  it('carries a key id only when it is asked for', async () => {
    const to = recipient(publicKey);
    const compact = await encryptTo(to, {}, { kid: to.keyId });
    const { protectedHeader } = await compactDecrypt(compact, privateKey);
    expect(protectedHeader).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: to.keyId });
  });
});

describe('the platform key', () => {
  it('is announced as the chapter shows it', () => {
    const vault = testVault();
    const announced = platformPublicKey(vault);
    expect(announced).toMatchObject({
      kid: '2026-1',
      alg: 'RSA-OAEP-256',
      enc: 'A256GCM',
      validUntil: '2027-01-31T00:00:00.000Z',
    });
    expect(readRecipientKey(announced.publicKey)).toMatchObject({ key: expect.anything() });
  });
});

describe('a request', () => {
  let vault: Vault;
  let to: RecipientKey;

  const seal = (header: object, plaintext: string | Uint8Array = '{"card_no":1337}', key: unknown = to.key) =>
    new CompactEncrypt(Buffer.from(plaintext))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', ...header })
      .encrypt(key as KeyObject);

  beforeAll(() => {
    vault = testVault({
      moreKeys: [testKey('jwe', 2, new Date('2026-06-01T00:00:00Z'))],
      now: () => new Date('2026-06-10'),
    });
    const [newest] = vault.platformKeys;
    if (newest === undefined) throw new Error('no key');
    to = recipient(newest.publicKey);
  });

  it.each([
    ['RSA-OAEP-256', {}],
    ['RSA-OAEP', { alg: 'RSA-OAEP' }],
    ['a key id', { kid: '2026-2' }],
    ['typ and cty', { typ: 'JOSE', cty: 'application/json' }],
  ])('opens with %s', async (_case, header) => {
    expect(await decrypt(vault, await seal(header))).toEqual({ plaintext: { card_no: 1337 } });
  });

  it.each<[string, () => Promise<string>]>([
    ['alg RSA-OAEP-512', () => seal({ alg: 'RSA-OAEP-512' })],
    ['alg RSA-OAEP-384', () => seal({ alg: 'RSA-OAEP-384' })],
    ['alg RSA1_5', async () => relabel(await seal({}), { alg: 'RSA1_5', enc: 'A256GCM' })],
    ['alg dir', () => seal({ alg: 'dir' }, '{}', new Uint8Array(32))],
    ['alg PBES2', () => seal({ alg: 'PBES2-HS256+A128KW' }, '{}', Buffer.from('password'))],
    [
      'alg ECDH-ES',
      () => seal({ alg: 'ECDH-ES' }, '{}', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
    ],
    ['alg none', async () => relabel(await seal({}), { alg: 'none', enc: 'A256GCM' })],
    ['enc A128GCM', () => seal({ enc: 'A128GCM' })],
    ['enc A256CBC-HS512', () => seal({ enc: 'A256CBC-HS512' })],
    [
      'zip',
      async () =>
        relabel(await seal({}, deflateRawSync('{}')), { alg: 'RSA-OAEP-256', enc: 'A256GCM', zip: 'DEF' }),
    ],
    ['zip made by a library', () => seal({ zip: 'DEF' })],
    [
      'member crit',
      async () => relabel(await seal({}), { alg: 'RSA-OAEP-256', enc: 'A256GCM', crit: ['exp'] }),
    ],
    ['member jwk', () => seal({ jwk: { kty: 'RSA' } })],
    ['member jku', () => seal({ jku: 'https://example.test/keys' })],
    ['member x5u', () => seal({ x5u: 'https://example.test/cert' })],
    ['member p2c', () => seal({ p2c: 1 })],
    ['an unknown member', () => seal({ iat: 'now' })],
    [
      'a key id that is no text',
      async () => relabel(await seal({}), { alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 7 }),
    ],
    ['an unknown key id', () => seal({ kid: '2025-1' })],
    ['the key id of the other key', () => seal({ kid: '2026-1' })],
    ['a changed header', async () => relabel(await seal({}), { enc: 'A256GCM', alg: 'RSA-OAEP-256' })],
    ["somebody else's key", () => seal({}, '{}', rsa().publicKey)],
    [
      'a key of 1024 bits',
      async () =>
        part(await seal({}), 1, () =>
          publicEncrypt({ key: rsa(1024).publicKey, oaepHash: 'sha256' }, randomBytes(32)).toString(
            'base64url',
          ),
        ),
    ],
    ['a truncated tag', async () => (await seal({})).slice(0, -4)],
    ['a truncated ciphertext', async () => part(await seal({}), 3, (text) => text.slice(0, -4))],
    ['no encrypted key', async () => part(await seal({}), 1, () => '')],
    ['no tag', async () => part(await seal({}), 4, () => '')],
    ['a header that is no JSON', async () => part(await seal({}), 0, () => 'AAAA')],
    ['five empty parts', async () => '....'],
  ])('CANT_DECRYPT_PAYLOAD: %s', async (_case, make) => {
    expect(await decrypt(vault, await make())).toBe('CANT_DECRYPT_PAYLOAD');
  });

  it.each<[string, () => Promise<string>]>([
    ['an empty text', async () => ''],
    ['four parts', async () => 'a.b.c.d'],
    ['six parts', async () => 'a.b.c.d.e.f'],
    ['characters outside base64url', async () => (await seal({})).replace('.', '.=')],
    ['a line break at the end', async () => `${await seal({})}\n`],
    [
      'JSON serialization',
      async () =>
        JSON.stringify(
          await new GeneralEncrypt(Buffer.from('{}'))
            .setProtectedHeader({ enc: 'A256GCM' })
            .addRecipient(to.key)
            .setUnprotectedHeader({ alg: 'RSA-OAEP-256' })
            .encrypt(),
        ),
    ],
    ['a plaintext that is no JSON', () => seal({}, 'hello')],
    ['a plaintext that is a list', () => seal({}, '[1]')],
    ['a plaintext that is a number', () => seal({}, '1')],
    ['a plaintext that is null', () => seal({}, 'null')],
    ['a plaintext that is no UTF-8', () => seal({}, Buffer.from([0x7b, 0xff, 0x7d]))],
  ])('INVALID_PAYLOAD: %s', async (_case, make) => {
    expect(await decrypt(vault, await make())).toBe('INVALID_PAYLOAD');
  });

  it('for the previous key opens for 30 days after the new one', async () => {
    const [, previous] = vault.platformKeys;
    if (previous === undefined) throw new Error('no key');
    const compact = await seal({}, '{}', previous.publicKey);
    expect(await decrypt(vault, compact)).toEqual({ plaintext: {} });
    const later = { ...vault, now: () => new Date('2026-07-01T00:00:00Z') };
    expect(await decrypt(later, compact)).toBe('CANT_DECRYPT_PAYLOAD');
  });

  it('is turned away when 8 run and 100 wait', async () => {
    const compact = await seal({});
    const results = await Promise.all(Array.from({ length: 110 }, () => decrypt(vault, compact)));
    expect(results.filter((one) => one === 'OVERLOADED')).toHaveLength(2);
    expect(await decrypt(vault, compact)).toEqual({ plaintext: { card_no: 1337 } });
  });

  it('takes similar time for every failure', async () => {
    const failures = [
      await seal({ zip: 'DEF' }),
      await seal({}, '{}', rsa().publicKey),
      await seal({ kid: 'x' }),
    ];
    const times: number[][] = failures.map(() => []);
    for (let round = 0; round < 21; round += 1) {
      for (const [at, compact] of failures.entries()) {
        const startedAt = performance.now();
        await decrypt(vault, compact);
        times[at]?.push(performance.now() - startedAt);
      }
    }
    const medians = times.map((some) => some.sort((one, other) => one - other)[10] ?? 0);
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(4);
  });
});

function part(compact: string, at: number, change: (text: string) => string): string {
  return compact
    .split('.')
    .map((text, index) => (index === at ? change(text) : text))
    .join('.');
}

const relabel = (compact: string, header: object): string =>
  part(compact, 0, () => Buffer.from(JSON.stringify(header)).toString('base64url'));

const RFC_7638_KEY = {
  kty: 'RSA',
  n:
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs' +
    'tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn' +
    '1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
};

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIC/zCCAeegAwIBAgIURtvLjhLxKH3b01DoRue3uakGydYwDQYJKoZIhvcNAQEL
BQAwDzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjEwODMwNDlaFw0zNjExMTgwODMw
NDlaMA8xDTALBgNVBAMMBHRlc3QwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEK
AoIBAQDmI4wFRGF+f/PxFOdE2FxDGB6poL0ebNQvRvbsb5tRzYYtI1+FqlnKgoyE
3MTjNosVR6KDnHiB7Sdn88F33qwY4DPHK9efrnozcZJUs5memMowFGFD4MbitjW8
AGcE56Nk/UItuhy7ND17jhWu4b7tv2z1KD1nfNO1Uu4kXF+OeOI7pBnIt8cPcc+O
gKfu66Uhm3WtpksdCm10kM0f2htAn2wPNH0uSqfjgKwcrhEIgoLZj4FLaoEtCsxY
lv81sMBIhYRM7piH8vX7jE+6ZG8vaaUduY1B5XruJ+ahUtomswjdtyyi7n1pWF9i
mz9641Y3mn8fxVhMDZEqxeG/mTipAgMBAAGjUzBRMB0GA1UdDgQWBBRnDeaIV434
q4j5j0ktO1DxlwIJ9DAfBgNVHSMEGDAWgBRnDeaIV434q4j5j0ktO1DxlwIJ9DAP
BgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQAA2CwFq+Kojos+5Z85
cFXd6wP/K9YE7myOLl70YteNrH8HNo3exz20u33tg7aiuIc+wCFmeQtBO0ZOxRv0
zFDJ0IH4RH5zS7ick+Aq3n2eXwHG86S5WAm9R6+c5OrDaONkknewpenvBacj8cji
bCom3Y92JvjSEDQwZmkUG4TKuIZoRDXporrk+FEfq43dzV7iA10LQU9nJwgYao9I
SVoIAPFLeFvtd2EcEo2Jl2kCUKOC0GtlvnAszZmsevXq3sW5IjHvoKud4MpGNIGX
z3OVANHwEZdAeUs0By72Cv/i7RV6paH9vUtIuk9zR38i4Oxdv0qM44MNHrfrp6vQ
IXIw
-----END CERTIFICATE-----`;
