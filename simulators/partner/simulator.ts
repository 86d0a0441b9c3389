import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Server } from 'node:http';
import { demandsCertificate, type Authentication } from './authentication.ts';
import { createBehaviour } from './behaviour.ts';
import { openAuthority } from './certificates.ts';
import { createControlApi } from './control-api.ts';
import { createControl, type Control } from './control.ts';
import { openEncryptionKey } from './encryption-key.ts';
import { exchange, type Simulation } from './exchange.ts';
import { createFeed } from './feed.ts';
import { openLedger } from './ledger.ts';
import { createMetrics } from './metrics.ts';
import { isUnreachable, type Mode } from './modes.ts';
import { createPartnerServer } from './partner-server.ts';
import { openState } from './state.ts';
import { openMemoryStore, openSqliteStore } from './store.ts';

/** All optional; without any the simulator runs in memory, with mTLS, on free ports. */
export interface PartnerSimOptions {
  /** 0: any free port. */
  readonly port?: number;
  readonly controlPort?: number;
  /** Bearer token of the control API; null: none is asked for. */
  readonly token?: string | null;
  readonly tls?: boolean;
  /** SQLite file; null: memory. */
  readonly storeFile?: string | null;
  readonly mode?: Mode;
  readonly authentication?: Authentication;
  /** Folder of the CA, the server certificate and the encryption key; null: new ones for this run. */
  readonly caFolder?: string | null;
  readonly users?: 'auto' | readonly string[];
  readonly jwe?: 'required' | 'accept-both';
  readonly maxResends?: number;
  readonly overdraftMinorUnits?: number;
  readonly seed?: number;
  readonly now?: () => Date;
  /** Told of a fault of the simulator itself. */
  readonly onFault?: (error: unknown) => void;
}

export interface PartnerSim {
  /** Base URL of the partner contract. */
  readonly url: string;
  /** The control functions, callable inside the process. */
  readonly control: Control;
  /** Base URL of the control API and inspect page. */
  readonly controlUrl: string;
  readonly token: string | null;
  /** Certificate of the authority that verifies the server. */
  readonly caPem: string;
  stop(): Promise<void>;
}

const controlHost = '127.0.0.1';
const firstForeignUserId = 900_000_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Starts the partner simulator (transaction-history 9). Throws when a port is taken or a file unreadable. */
export async function startPartnerSim(options: PartnerSimOptions = {}): Promise<PartnerSim> {
  const {
    tls = true,
    token = null,
    users = 'auto',
    now = () => new Date(),
    onFault = () => undefined,
  } = options;
  const authentication = options.authentication ?? { kind: 'mtls' };
  const startMode = options.mode ?? { mode: 'reference' };
  const [authority, encryptionKey] = await Promise.all([
    openAuthority(options.caFolder ?? null),
    openEncryptionKey(options.caFolder ?? null),
  ]);
  const store = options.storeFile ? openSqliteStore(options.storeFile) : openMemoryStore();
  const state = openState(store);
  // What came before this run may have met a closed port.
  let outageEndedAt = state.requests.all().length > 0 ? now() : null;

  const simulation: Simulation = {
    state,
    ledger: openLedger(state, {
      overdraftMinorUnits: options.overdraftMinorUnits ?? 0,
      userExists: (userId) => (users === 'auto' ? existsByItself(userId) : users.includes(userId)),
      now,
    }),
    behaviour: createBehaviour(startMode, options.seed ?? 1),
    metrics: createMetrics(),
    feed: createFeed(),
    settings: {
      authentication,
      encryptionKey,
      jwe: options.jwe ?? 'required',
      maxResends: options.maxResends ?? 5,
      now,
      outageEndedAt: () => outageEndedAt,
    },
  };
  const server = createPartnerServer({
    port: options.port ?? 0,
    tls: tls
      ? {
          certificatePem: authority.serverCertificatePem,
          keyPem: authority.serverKeyPem,
          clientCaPem: demandsCertificate(authentication) ? authority.caPem : null,
        }
      : null,
    exchange: (incoming) => exchange(simulation, incoming),
    onFault,
  });
  await server.open();
  if (isUnreachable(startMode)) await server.close();
  const url = `${tls ? 'https' : 'http'}://localhost:${server.port()}`;

  const control = createControl({
    simulation,
    server,
    authority,
    baseUrl: () => url,
    onReopened: () => (outageEndedAt = now()),
  });
  const api = createControlApi(control, simulation.feed, token);
  const controlServer = createAdaptorServer({ fetch: api.fetch }) as Server;
  await listen(controlServer, options.controlPort ?? 0);

  return {
    url,
    control,
    controlUrl: `http://localhost:${(controlServer.address() as AddressInfo).port}`,
    token,
    caPem: authority.caPem,
    async stop() {
      simulation.behaviour.end();
      await server.close();
      const closed = new Promise<void>((resolve) => controlServer.close(() => resolve()));
      controlServer.closeAllConnections();
      await closed;
      store.close();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, controlHost, resolve);
  });
}

function existsByItself(userId: string): boolean {
  return uuid.test(userId) || (/^[0-9]{1,9}$/.test(userId) && Number(userId) < firstForeignUserId);
}
