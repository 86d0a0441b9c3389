import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Delivery, Incoming } from './call.ts';

export interface PartnerServer {
  /** The port, the same over all openings. */
  port(): number;
  open(): Promise<void>;
  /** Stops listening and cuts every connection. */
  close(): Promise<void>;
}

export interface TlsMaterial {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Client certificates of this authority are demanded; null: no client certificate is asked for. */
  readonly clientCaPem: string | null;
}

export interface PartnerServerOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly tls: TlsMaterial | null;
  readonly exchange: (incoming: Incoming) => Promise<Delivery>;
  readonly onFault: (error: unknown) => void;
}

const host = '127.0.0.1';
const longestBodyBytes = 32_768;
/** Longer than a client keeps an idle connection, so that the client is the one who closes it. */
const keepAliveMs = 65_000;

/** The listener of the partner contract. It can be closed and opened again on the same port. */
export function createPartnerServer(options: PartnerServerOptions): PartnerServer {
  const { tls } = options;
  /** TCP sockets by the port of the caller: a reset has to be sent below TLS. */
  const rawSockets = new Map<number, Socket>();
  let port = options.port;
  let server: Server | null = null;

  const listener: RequestListener = (request, response) => {
    answer(request, response).catch((error: unknown) => {
      options.onFault(error);
      response.destroy();
    });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hangUp = new AbortController();
    response.on('close', () => hangUp.abort());
    const body = await readBody(request);
    if (body === 'CUT') return;
    const delivery = await options.exchange({
      method: request.method ?? '',
      path: request.url ?? '',
      headers: readHeaders(request),
      body,
      hungUp: hangUp.signal,
    });
    if (delivery.kind === 'ANSWER') send(response, delivery, body === null);
    else if (delivery.kind === 'CLOSE') request.socket.destroy();
    else reset(request.socket);
  }

  function reset(socket: Socket): void {
    const raw = rawSockets.get(socket.remotePort ?? 0);
    if (raw === undefined) socket.destroy();
    else raw.resetAndDestroy();
  }

  function create(): Server {
    const created =
      tls === null
        ? createServer(listener)
        : createTlsServer(
            {
              cert: tls.certificatePem,
              key: tls.keyPem,
              minVersion: 'TLSv1.2',
              ...(tls.clientCaPem !== null && {
                ca: tls.clientCaPem,
                requestCert: true,
                rejectUnauthorized: true,
              }),
            },
            listener,
          );
    created.keepAliveTimeout = keepAliveMs;
    created.on('connection', (socket: Socket) => {
      const callerPort = socket.remotePort ?? 0;
      rawSockets.set(callerPort, socket);
      socket.once('close', () => {
        if (rawSockets.get(callerPort) === socket) rawSockets.delete(callerPort);
      });
    });
    return created;
  }

  return {
    port: () => port,
    async open() {
      if (server !== null) return;
      const created = create();
      await new Promise<void>((resolve, reject) => {
        created.once('error', reject);
        created.listen(port, host, resolve);
      });
      port = (created.address() as AddressInfo).port;
      server = created;
    },
    async close() {
      const closing = server;
      server = null;
      if (closing === null) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      closing.closeAllConnections();
      for (const socket of rawSockets.values()) socket.destroy();
      await closed;
    },
  };
}

/** The whole body; null when it is too long, in which case the rest stays unread. */
function readBody(request: IncomingMessage): Promise<Buffer | null | 'CUT'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= longestBodyBytes) return;
      request.pause();
      resolve(null);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => resolve('CUT'));
    request.on('close', () => resolve('CUT'));
  });
}

function readHeaders(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function send(response: ServerResponse, { answer }: Delivery & { kind: 'ANSWER' }, last: boolean): void {
  if (response.destroyed) return;
  const text = answer.body === null ? '' : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    ...(text !== '' && { 'Content-Type': 'application/json' }),
    ...(answer.status !== 204 && { 'Content-Length': Buffer.byteLength(text) }),
    // The rest of a body that was too long is not read.
    ...(last && { Connection: 'close' }),
    ...answer.headers,
  });
  response.end(text);
}
