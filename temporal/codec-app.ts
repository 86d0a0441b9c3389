import type { PayloadCodec } from '@temporalio/common';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';

interface CodecAppOptions {
  /** The codec of a namespace, or null when this server does not serve it. */
  readonly codecOf: (namespace: string) => PayloadCodec | null;
  readonly defaultNamespace: string;
  /** The only origin that a browser may call from. */
  readonly allowedOrigin: string;
}

interface WirePayload {
  readonly metadata?: Record<string, string> | null;
  readonly data?: string | null;
}

const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** The codec server's calls (operations 10.2): `{payloads: [{metadata, data}]}` in base64, in and out. */
export function createCodecApp({ codecOf, defaultNamespace, allowedOrigin }: CodecAppOptions): Hono {
  const app = new Hono();
  app.use(
    cors({
      origin: allowedOrigin,
      allowMethods: ['POST', 'GET', 'OPTIONS'],
      allowHeaders: ['Content-Type', 'X-Namespace', 'Authorization'],
      maxAge: 600,
    }),
  );
  app.get('/health/live', (c) => c.json({ status: 'ok' }));
  for (const direction of ['encode', 'decode'] as const) {
    app.post(`/${direction}`, bodyLimit({ maxSize: MAX_BODY_BYTES }), async (c) => {
      const codec = codecOf(c.req.header('x-namespace') ?? defaultNamespace);
      if (codec === null) throw new HTTPException(404, { message: 'There is no such namespace here.' });
      const payloads = readPayloads(await c.req.json().catch(() => null));
      if (payloads === null) throw new HTTPException(400, { message: 'The body is not a list of payloads.' });
      const worked = await codec[direction](payloads).catch(() => null);
      if (worked === null) throw new HTTPException(400, { message: 'A payload cannot be opened.' });
      return c.json({ payloads: worked.map(toWire) });
    });
  }
  app.onError((error, c) => {
    const known = error instanceof HTTPException;
    return c.json(
      { message: known ? error.message : 'The codec server failed.' },
      known ? error.status : 500,
    );
  });
  return app;
}

type Payloads = Parameters<PayloadCodec['decode']>[0];

function readPayloads(body: unknown): Payloads | null {
  const list = typeof body === 'object' && body !== null && 'payloads' in body ? body.payloads : null;
  if (!Array.isArray(list) || !list.every(isWirePayload)) return null;
  return list.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
    ),
    data: Buffer.from(data ?? '', 'base64'),
  }));
}

function isWirePayload(value: unknown): value is WirePayload {
  if (typeof value !== 'object' || value === null) return false;
  const { metadata, data } = value as Record<string, unknown>;
  const isText = (one: unknown) => typeof one === 'string';
  if (data !== undefined && data !== null && !isText(data)) return false;
  if (metadata === undefined || metadata === null) return true;
  return typeof metadata === 'object' && Object.values(metadata).every(isText);
}

const toWire = ({ metadata, data }: Payloads[number]): WirePayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
