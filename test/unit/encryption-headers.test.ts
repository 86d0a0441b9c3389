import { generateKeyPairSync } from 'node:crypto';
import { compactDecrypt, CompactEncrypt, importSPKI } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRequest, sealAnswer } from '../../api/middleware/jwe.ts';
import type { JweClass } from '../../api/route.ts';
import { Refusal } from '../../domain/errors.ts';
import { platformPublicKey } from '../../vault/platform-key.ts';
import { testVault } from '../support/vault.ts';

const vault = testVault();
const caller = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicKey = Buffer.from(caller.publicKey.export({ type: 'spki', format: 'pem' })).toString('base64');
const CLASSES: readonly JweClass[] = ['open', 'response', 'both'];

let envelope: { payload: string };

beforeAll(async () => {
  const pem = Buffer.from(platformPublicKey(vault).publicKey, 'base64').toString('utf8');
  envelope = {
    payload: await new CompactEncrypt(Buffer.from('{"reason":3}'))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
      .encrypt(await importSPKI(pem, 'RSA-OAEP-256')),
  };
});

interface Sent {
  readonly encryptedRequest?: string;
  readonly encryptResponse?: string;
  readonly publicKey?: string;
  readonly body?: unknown;
  readonly multipart?: boolean;
  readonly pinned?: readonly string[];
}

/** What comes of a request: `plain` or `sealed` answer with the opened body, or the refusal's code. */
async function outcome(jwe: JweClass, sent: Sent): Promise<string> {
  try {
    const opened = await openRequest(vault, {
      jwe,
      headers: {
        encryptedRequest: sent.encryptedRequest,
        encryptResponse: sent.encryptResponse,
        publicKey: sent.publicKey,
      },
      body: sent.body,
      multipart: sent.multipart ?? false,
      pinnedPublicKeys: sent.pinned ?? [],
    });
    return `${opened.recipient === null ? 'plain' : 'sealed'} ${JSON.stringify(opened.body)}`;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const plain = { reason: 3 };
const table: readonly [string, () => Sent, readonly [string, string, string]][] = [
  [
    '1 nothing asked, plain body',
    () => ({ body: plain }),
    ['plain {"reason":3}', 'ENCRYPTION_REQUIRED', 'ENCRYPTION_REQUIRED'],
  ],
  [
    '1 both headers false, key ignored',
    () => ({ encryptedRequest: 'false', encryptResponse: 'FALSE', publicKey: 'x', body: plain }),
    ['plain {"reason":3}', 'ENCRYPTION_REQUIRED', 'ENCRYPTION_REQUIRED'],
  ],
  [
    '2 answer only',
    () => ({ encryptResponse: 'true', publicKey, body: plain }),
    ['sealed {"reason":3}', 'sealed {"reason":3}', 'ENCRYPTION_REQUIRED'],
  ],
  [
    '3 envelope',
    () => ({ encryptedRequest: 'true', encryptResponse: 'false', publicKey, body: envelope }),
    ['sealed {"reason":3}', 'sealed {"reason":3}', 'sealed {"reason":3}'],
  ],
  [
    '4 encrypted, no body',
    () => ({ encryptedRequest: 'True', publicKey }),
    ['sealed undefined', 'sealed undefined', 'INVALID_PAYLOAD'],
  ],
  [
    '5 encrypted, plain body',
    () => ({ encryptedRequest: 'true', publicKey, body: plain }),
    ['INVALID_PAYLOAD', 'INVALID_PAYLOAD', 'INVALID_PAYLOAD'],
  ],
  [
    '5 envelope with another member',
    () => ({ encryptedRequest: 'true', publicKey, body: { ...envelope, more: 1 } }),
    ['INVALID_PAYLOAD', 'INVALID_PAYLOAD', 'INVALID_PAYLOAD'],
  ],
  [
    '6 no key',
    () => ({ encryptedRequest: 'true', body: envelope }),
    ['INVALID_PUBLIC_KEY', 'INVALID_PUBLIC_KEY', 'INVALID_PUBLIC_KEY'],
  ],
  [
    '6 bad key',
    () => ({ encryptedRequest: 'true', publicKey: 'AAAA', body: envelope }),
    ['INVALID_PUBLIC_KEY', 'INVALID_PUBLIC_KEY', 'INVALID_PUBLIC_KEY'],
  ],
  [
    '7 envelope, nothing asked',
    () => ({ body: envelope }),
    ['INVALID_PAYLOAD', 'ENCRYPTION_REQUIRED', 'ENCRYPTION_REQUIRED'],
  ],
  [
    '7 envelope, answer only',
    () => ({ encryptResponse: 'true', publicKey, body: envelope }),
    ['INVALID_PAYLOAD', 'INVALID_PAYLOAD', 'ENCRYPTION_REQUIRED'],
  ],
  [
    '8 not true or false',
    () => ({ encryptedRequest: 'yes', publicKey, body: plain }),
    ['VALIDATION_ERROR', 'VALIDATION_ERROR', 'VALIDATION_ERROR'],
  ],
];

describe('every header combination of channels 8', () => {
  for (const [name, sent, expected] of table) {
    it.each(CLASSES.map((jwe, index) => [jwe, expected[index]]))(
      `${name}: class %s gives %s`,
      async (jwe, result) => {
        expect(await outcome(jwe as JweClass, sent())).toBe(result);
      },
    );
  }

  it('a form is never encrypted, its answer may be', async () => {
    expect(await outcome('open', { encryptedRequest: 'true', publicKey, body: {}, multipart: true })).toBe(
      'INVALID_PAYLOAD',
    );
    expect(
      await outcome('open', { encryptResponse: 'true', publicKey, body: { a: '1' }, multipart: true }),
    ).toBe('sealed {"a":"1"}');
  });

  it('a payload that is no JWE is INVALID_PAYLOAD, one that does not open CANT_DECRYPT_PAYLOAD', async () => {
    expect(await outcome('open', { encryptedRequest: 'true', publicKey, body: { payload: 'x' } })).toBe(
      'INVALID_PAYLOAD',
    );
    const broken = `${envelope.payload.slice(0, -4)}AAAA`;
    expect(await outcome('open', { encryptedRequest: 'true', publicKey, body: { payload: broken } })).toBe(
      'CANT_DECRYPT_PAYLOAD',
    );
  });

  it('with pinned keys only those are answered to', async () => {
    const sent = { encryptResponse: 'true', publicKey, body: plain };
    expect(await outcome('open', { ...sent, pinned: ['another-thumbprint'] })).toBe('INVALID_PUBLIC_KEY');
  });

  it("an answer opens with the caller's key and has exactly the documented header", async () => {
    const opened = await openRequest(vault, {
      jwe: 'response',
      headers: { encryptedRequest: undefined, encryptResponse: 'true', publicKey },
      body: plain,
      multipart: false,
      pinnedPublicKeys: [],
    });
    if (opened.recipient === null) throw new Error('no recipient');
    const { payload } = await sealAnswer(opened.recipient, { id: 1 });
    const { plaintext, protectedHeader } = await compactDecrypt(payload, caller.privateKey);
    expect(protectedHeader).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM' });
    expect(JSON.parse(Buffer.from(plaintext).toString())).toEqual({ id: 1 });
  });
});
