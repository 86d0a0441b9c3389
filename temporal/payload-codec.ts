import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { type Payload, type PayloadCodec, ValueError } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { PayloadKeys } from './payload-keys.ts';

const ALGORITHM = 'aes-256-gcm';
const ENCODING = 'binary/encrypted';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
// A CommonJS package whose members Node does not see as named exports.
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

export interface PayloadCodecOptions {
  readonly keys: PayloadKeys;
  readonly namespace: string;
  /** True in production: a payload that was never encrypted fails what reads it (operations 10.2). */
  readonly refusePlain: boolean;
}

/**
 * Encrypts whole payloads with AES-256-GCM: nonce, ciphertext, tag; key id in the metadata; key id and
 * namespace authenticated, so that nothing opens under another key's name or in another namespace. Decoding
 * throws a `ValueError` for an unknown key, a changed payload, and where `refusePlain` says so.
 */
export function createPayloadCodec({ keys, namespace, refusePlain }: PayloadCodecOptions): PayloadCodec {
  const ring = new Map<string, KeyObject>();
  for (const [id, bytes] of keys.keys) ring.set(id, createSecretKey(bytes));
  const boundTo = (keyId: string) => Buffer.from(JSON.stringify([keyId, namespace]));

  const encrypt = (payload: Payload): Payload => {
    const keyId = keys.current;
    const key = ring.get(keyId);
    if (key === undefined) throw new ValueError('the current payload key is missing');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(boundTo(keyId));
    const inner = PayloadMessage.encode(payload).finish();
    const data = Buffer.concat([nonce, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
    return {
      metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(keyId) },
      data,
    };
  };

  const decrypt = (payload: Payload): Payload => {
    if (textOf(payload, 'encoding') !== ENCODING) {
      if (refusePlain) throw new ValueError('a payload is not encrypted');
      return payload;
    }
    const keyId = textOf(payload, 'encryption-key-id');
    const key = ring.get(keyId);
    const data = Buffer.from(payload.data ?? []);
    if (key === undefined) throw new ValueError('a payload is encrypted with a key that the ring lacks');
    if (data.length < NONCE_BYTES + TAG_BYTES) throw cannotOpen();
    const decipher = createDecipheriv(ALGORITHM, key, data.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(keyId));
    decipher.setAuthTag(data.subarray(data.length - TAG_BYTES));
    try {
      const inner = decipher.update(data.subarray(NONCE_BYTES, data.length - TAG_BYTES));
      return PayloadMessage.decode(Buffer.concat([inner, decipher.final()]));
    } catch {
      throw cannotOpen();
    }
  };

  return {
    encode: async (payloads) => payloads.map(encrypt),
    decode: async (payloads) => payloads.map(decrypt),
  };
}

const textOf = ({ metadata }: Payload, name: string): string =>
  Buffer.from(metadata?.[name] ?? []).toString('utf8');

const cannotOpen = () => new ValueError('a payload cannot be opened');
