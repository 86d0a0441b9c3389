import { readFileSync, watchFile, unwatchFile } from 'node:fs';
import { createServer as createHttpServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { constants, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { Refusal } from '../domain/errors.ts';
import type { Direct } from './direct.ts';
import { toErrorAnswer } from './errors.ts';

const HEADER_MS = 10_000;
const REQUEST_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;
const HEADER_BYTES = 16 * 1024;
const RELOAD_MS = 60_000;
const CHECK_TIMEOUTS_MS = 2_000;

const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const limits: ServerOptions = {
  maxHeaderSize: HEADER_BYTES,
  headersTimeout: HEADER_MS,
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  // Node looks for requests past their time only this often.
  connectionsCheckingInterval: CHECK_TIMEOUTS_MS,
};

export interface Listener {
  readonly port: number;
  /** Stops listening; open requests finish. Resolves when the last connection has gone. */
  stop(): Promise<void>;
  /** Ends connections that have nothing running. */
  closeIdle(): void;
  closeAll(): void;
}

export interface CertificateListener extends Listener {
  readonly sockets: ReadonlySet<TLSSocket>;
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The public listener (channels 1): TLS only when files are named. */
export async function listenPublic(app: Hono, address: Address, tls: TlsFiles | null): Promise<Listener> {
  const handler = handlerOf(app);
  const server =
    tls === null
      ? createHttpServer(limits, handler)
      : createHttpsServer({ ...limits, ...readTls(tls), minVersion: 'TLSv1.2' }, handler);
  return await listen(server, address);
}

/** The certificate listener: no request without a client certificate of one of the authorities in `caFile`. */
export async function listenCertificate(
  app: Hono,
  direct: Direct,
  address: Address,
  tls: TlsFiles & { readonly caFile: string },
): Promise<CertificateListener> {
  const routed = handlerOf(app);
  const material = () => ({ ...readTls(tls), ca: readFileSync(tls.caFile) });
  const server = createHttpsServer(
    {
      ...limits,
      ...material(),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      honorCipherOrder: true,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    },
    (incoming, outgoing) => {
      if (!direct(incoming, outgoing)) void routed(incoming, outgoing);
    },
  );
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // A renewed server certificate is taken without a restart (operations 7.4).
  watchFile(tls.cert, { interval: RELOAD_MS, persistent: false }, () => server.setSecureContext(material()));
  server.once('close', () => unwatchFile(tls.cert));
  return { ...(await listen(server, address)), sockets };
}

const readTls = (tls: TlsFiles) => ({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) });

/** A request that cannot even be handed to the application has no path and no principal. */
const handlerOf = (app: Hono) =>
  getRequestListener(app.fetch, {
    errorHandler: () => {
      const refusal = new Refusal('VALIDATION_ERROR', 'The request line or its Host header is malformed.');
      const { status, body } = toErrorAnswer(refusal);
      return new Response(JSON.stringify(body), {
        status,
        headers: { ...plainHeaders(), Connection: 'close' },
      });
    },
  });

const plainHeaders = (): Record<string, string> => ({
  'Content-Type': 'application/json; charset=UTF-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Request-Id': randomUUID(),
});

function headersTooLarge(): string {
  const body = JSON.stringify(
    toErrorAnswer(new Refusal('PAYLOAD_TOO_LARGE', 'The request headers are too large.')).body,
  );
  const headers = { ...plainHeaders(), 'Content-Length': String(body.length), Connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 413 Payload Too Large\r\n${lines.join('')}\r\n${body}`;
}

async function listen(server: Server | HttpsServer, { host, port }: Address): Promise<Listener> {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'HPE_HEADER_OVERFLOW' && socket.writable) socket.end(headersTooLarge());
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    closeIdle: () => server.closeIdleConnections(),
    closeAll: () => server.closeAllConnections(),
  };
}
