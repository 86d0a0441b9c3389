import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { createCodecApp } from '../../temporal/codec-app.ts';
import { failureConverter } from '../../temporal/failure-converter.ts';
import { createPayloadCodec } from '../../temporal/payload-codec.ts';
import { parsePayloadKeys, type PayloadKeys } from '../../temporal/payload-keys.ts';

const ring = (current: string, ...others: string[]): PayloadKeys => ({
  current,
  keys: new Map([current, ...others].map((id) => [id, Buffer.alloc(32, id)])),
});
const codecOf = (keys: PayloadKeys, options: { namespace?: string; refusePlain?: boolean } = {}) =>
  createPayloadCodec({ keys, namespace: 'cardloom', refusePlain: true, ...options });
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) as Payload;
const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('utf8');

async function one(list: Promise<Payload[]>): Promise<Payload> {
  const [first] = await list;
  if (first === undefined) throw new Error('no payload');
  return first;
}

describe('the payload codec', () => {
  it('gives back what it encrypted and shows nothing of it meanwhile', async () => {
    const codec = codecOf(ring('a'));
    const payload = payloadOf({ name: 'Ada Nowak' });
    const sealed = await one(codec.encode([payload]));
    expect(text(sealed.metadata?.['encoding'])).toBe('binary/encrypted');
    expect(text(sealed.metadata?.['encryption-key-id'])).toBe('a');
    expect(text(sealed.data)).not.toContain('Nowak');
    const opened = await one(codec.decode([sealed]));
    expect(defaultPayloadConverter.fromPayload(opened)).toEqual({ name: 'Ada Nowak' });
  });

  it('encrypts equal payloads differently', async () => {
    const codec = codecOf(ring('a'));
    const [first, second] = await codec.encode([payloadOf(1), payloadOf(1)]);
    expect(text(first?.data)).not.toBe(text(second?.data));
  });

  it('opens what an older key of the ring made, and seals with the current one', async () => {
    const old = await one(codecOf(ring('a')).encode([payloadOf(1)]));
    const rotated = codecOf(ring('b', 'a'));
    expect(defaultPayloadConverter.fromPayload(await one(rotated.decode([old])))).toBe(1);
    const sealed = await one(rotated.encode([payloadOf(1)]));
    expect(text(sealed.metadata?.['encryption-key-id'])).toBe('b');
  });

  it.each([
    ['a changed byte', (data: Buffer) => data.fill(data[20]! ^ 1, 20, 21)],
    ['a cut tag', (data: Buffer) => data.subarray(0, data.length - 1)],
    ['too few bytes', (data: Buffer) => data.subarray(0, 10)],
  ])('refuses %s', async (_what, change) => {
    const codec = codecOf(ring('a'));
    const sealed = await one(codec.encode([payloadOf('x')]));
    const data = change(Buffer.from(sealed.data ?? []));
    await expect(codec.decode([{ ...sealed, data }])).rejects.toThrow('a payload cannot be opened');
  });

  it('refuses a payload of another namespace, another key id, and a key it lacks', async () => {
    const sealed = await one(codecOf(ring('a', 'b')).encode([payloadOf('x')]));
    await expect(codecOf(ring('a'), { namespace: 'other' }).decode([sealed])).rejects.toThrow();
    const same = {
      current: 'a',
      keys: new Map([
        ['b', Buffer.alloc(32, 'a')],
        ['a', Buffer.alloc(32, 'a')],
      ]),
    };
    const renamed = { ...sealed, metadata: { ...sealed.metadata, 'encryption-key-id': Buffer.from('b') } };
    await expect(codecOf(same).decode([renamed])).rejects.toThrow('cannot be opened');
    await expect(codecOf(ring('c')).decode([sealed])).rejects.toThrow('the ring lacks');
  });

  it('refuses what was never encrypted where it must, and lets it pass elsewhere', async () => {
    const plain = payloadOf('x');
    await expect(codecOf(ring('a')).decode([plain])).rejects.toThrow('a payload is not encrypted');
    expect(await codecOf(ring('a'), { refusePlain: false }).decode([plain])).toEqual([plain]);
  });

  it('gets the messages of failures too: only the type stays readable', () => {
    const failure = failureConverter.errorToFailure(new Error('card of Ada'), defaultPayloadConverter);
    expect(JSON.stringify({ ...failure, encodedAttributes: null })).not.toContain('Ada');
    expect(failure.message).toBe('Encoded failure');
  });
});

describe('the file of payload keys', () => {
  const key = randomBytes(32).toString('base64');
  it('is read with its current key', () => {
    const keys = parsePayloadKeys(JSON.stringify({ current: 'k1', keys: { k1: key, k0: key } }));
    expect([keys?.current, [...(keys?.keys.keys() ?? [])]]).toEqual(['k1', ['k1', 'k0']]);
  });

  it.each([
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['no keys', '{"current":"k1"}'],
    ['a current key that is not there', JSON.stringify({ current: 'k2', keys: { k1: key } })],
    ['a short key', JSON.stringify({ current: 'k1', keys: { k1: 'AAAA' } })],
  ])('is refused with %s', (_what, file) => expect(parsePayloadKeys(file)).toBeNull());
});

describe('the codec server', () => {
  const codec = codecOf(ring('a'), { refusePlain: false });
  const app = createCodecApp({
    codecOf: (namespace) => (namespace === 'cardloom' ? codec : null),
    defaultNamespace: 'cardloom',
    allowedOrigin: 'http://localhost:8233',
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-namespace': 'cardloom', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const wire = { metadata: { encoding: btoa('json/plain') }, data: btoa('{"a":1}') };

  it('encodes and decodes in the form of the UI', async () => {
    const encoded = (await (await post('/encode', { payloads: [wire] })).json()) as { payloads: object[] };
    expect(JSON.stringify(encoded)).not.toContain(wire.data);
    const decoded = await post('/decode', encoded);
    expect(await decoded.json()).toEqual({ payloads: [wire] });
  });

  it('answers the browser of the UI alone, preflight included', async () => {
    const preflight = (origin: string) =>
      app.request('/decode', {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-namespace',
        },
      });
    const allowed = await preflight('http://localhost:8233');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('http://localhost:8233');
    expect(allowed.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('x-namespace');
    const foreign = await preflight('http://evil.test');
    expect(foreign.headers.get('access-control-allow-origin')).not.toBe('http://evil.test');
  });

  it.each([
    ['a body that is no JSON', 'x', 400],
    ['a payload that is no object', { payloads: [1] }, 400],
    [
      'bytes that cannot be opened',
      { payloads: [{ metadata: { encoding: btoa('binary/encrypted') }, data: 'AA==' }] },
      400,
    ],
  ])('refuses %s', async (_what, body, status) => expect((await post('/decode', body)).status).toBe(status));

  it('serves no other namespace', async () => {
    expect((await post('/decode', { payloads: [] }, { 'x-namespace': 'other' })).status).toBe(404);
  });
});
