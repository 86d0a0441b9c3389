import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Kysely } from 'kysely';
import { type Logger, pino } from 'pino';
import { Agent, request } from 'undici';
import { createAuthorizer } from '../../activities/authorization/authorizer.ts';
import { createProcessorClient } from '../../activities/processor/client.ts';
import { addressRanges } from '../../api/address-list.ts';
import { createApp } from '../../api/app.ts';
import { mountAuthority } from '../../api/authority-files.ts';
import { listenForChanges } from '../../api/certificate-changes.ts';
import { createCertificateRegistry } from '../../api/certificate-registry.ts';
import type { MountedRoute } from '../../api/mount.ts';
import { certificateChannels, publicChannels } from '../../api/channels.ts';
import { createDirect } from '../../api/direct.ts';
import { mountDocs } from '../../api/docs.ts';
import { mountKybForm } from '../../api/kyb/page.ts';
import { listenCertificate, listenPublic } from '../../api/listeners.ts';
import { closeUntrusted } from '../../api/middleware/client-certificate.ts';
import { describeApi } from '../../api/openapi.ts';
import type { RateLimits, Services } from '../../api/services.ts';
import { VERSION } from '../../api/version.ts';
import {
  type Authority,
  createAuthority,
  issueCertificate,
  type IssuedCertificate,
} from '../../vault/certificate-authority.ts';
import { seedDemo } from '../../cli/demo-data.ts';
import type { DemoFacts } from '../../cli/quickstart.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { startProcessorSimulator } from '../../simulators/processor/start.ts';
import { parseProcessorKeys } from '../../simulators/processor/keys.ts';
import { openAnchorSink } from '../../vault/anchor-sink.ts';
import { openDocumentStore } from '../../vault/document-store.ts';
import { openVault, type Vault } from '../../vault/vault.ts';
import { type Client, clientOf, openSocket, register, type Registration } from './clients.ts';
import { freshDatabase } from './database.ts';
import type { WorkflowTarget } from '../../temporal/workflows.ts';
import { clientOfNobody } from './temporal-client.ts';
import { testKeySources } from './vault.ts';

/** Who a test calls as; each is a client certificate of its own. */
export type ClientName =
  | 'demo'
  | 'other'
  | 'processor'
  | 'sponsor'
  | 'ims'
  | 'revoked'
  | 'unregistered'
  | 'foreignAuthority'
  | 'nobody';

export interface CallOptions {
  readonly as?: ClientName | Client;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; text and bytes as they are. */
  readonly body?: unknown;
  readonly form?: FormData;
  readonly listener?: 'certificate' | 'public';
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  // Tests look into answers freely; a wrong shape fails the expectation.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface ApiHarness {
  readonly demo: DemoFacts;
  readonly vault: Vault;
  /** Role cardloom_owner: tests read what they expect to find. */
  readonly owner: Kysely<Database>;
  readonly databaseUrls: {
    readonly ownerUrl: string;
    readonly appUrl: string;
    readonly engineUrl: string;
    readonly adminUrl: string;
  };
  readonly services: Services;
  readonly routes: readonly MountedRoute[];
  /** Every log line of the API so far. */
  readonly logLines: () => readonly string[];
  /** Every text message and mail that was sent past the outbox, oldest first. */
  readonly messages: readonly SentMessage[];
  readonly processorControl: (path: string, body?: object, method?: 'POST' | 'DELETE') => Promise<HttpAnswer>;
  call(method: string, path: string, options?: CallOptions): Promise<HttpAnswer>;
  /** Address of the certificate listener. */
  readonly certificateUrl: string;
  /** A file of the public listener. */
  bytes(path: string): Promise<Buffer>;
  /** One more client certificate of our authority, in the registry as told. */
  addClient(registration: Registration): Promise<Client>;
  /** An open connection to write any bytes to. */
  connect(to: ClientName | Client | 'public'): Promise<Socket>;
  stop(): Promise<void>;
}

export interface SentMessage {
  readonly to: string;
  readonly text: string;
}

const TOKEN = 'test-simulator-token';

/** A gateway that takes everything. */
const recorder = (into: SentMessage[]) => ({
  send: async ({ to, text: sent }: SentMessage): Promise<'ACCEPTED'> => {
    into.push({ to, text: sent });
    return 'ACCEPTED';
  },
});
/** What links and origins are made of in tests; nobody listens there. */
export const PUBLIC_URL = 'http://panel.test';

export interface ApiOptions {
  /** Temporal; without it, it is away, as most calls need to know of it. */
  readonly workflows?: WorkflowTarget;
  /** The token buckets; without any, everybody may send as fast as they can. */
  readonly rates?: RateLimits;
  readonly trustedProxies?: readonly string[];
}

/** The API on random ports over a fresh database, with the processor simulator on the other side. */
export async function startApi(options: ApiOptions = {}): Promise<ApiHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'cardloom-api-'));
  const database = await freshDatabase();
  const authority = await createAuthority();
  const foreign = await createAuthority();
  const server = await issueCertificate(authority, 'CN=localhost', 'server', ['localhost', '127.0.0.1']);
  const clients = await issueClients(authority, foreign);
  const lines: string[] = [];
  const messages: SentMessage[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });

  const ownerPool = createPool({ url: database.ownerUrl, max: 4, name: 'test-owner' });
  const owner = createDatabase(ownerPool);
  const vaultEngine = createDatabase(createPool({ url: database.engineUrl, max: 4, name: 'test-engine' }));
  const vault = await openVault(vaultEngine, testKeySources());
  const keysFile = join(folder, 'processor-keys.json');
  writeFileSync(
    keysFile,
    JSON.stringify({
      cvk: { version: 1, key: '0123456789ABCDEFFEDCBA9876543210' },
      pinTransport: { keyId: 'ptk-1', key: '00112233445566778899AABBCCDDEEFF' },
    }),
  );
  let certificateUrl = '';
  const simulator = await startProcessorSimulator({
    token: TOKEN,
    contractTls: { cert: server.certificatePem, key: server.keyPem, ca: authority.chainPem },
    platform: {
      url: () => certificateUrl,
      cert: clients.processor.certificatePem,
      key: clients.processor.keyPem,
      ca: authority.chainPem,
    },
    storeFolder: folder,
    keys: parseProcessorKeys(await readText(keysFile)),
    seed: 7,
    logger,
  } as Parameters<typeof startProcessorSimulator>[0]);

  const files = writeTls(folder, server, clients.demo, authority);
  const parts = await createServices({
    database,
    engine: vaultEngine,
    vault,
    logger,
    folder,
    files,
    processorUrl: simulator.contractUrl,
    messages,
    authority,
    workflows: options.workflows ?? { client: clientOfNobody() },
    rates: options.rates ?? UNLIMITED,
    trustedProxies: options.trustedProxies ?? [],
  });
  const publicApp = createApp(parts.services, 'public', publicChannels);
  const certificateApp = createApp(parts.services, 'certificate', certificateChannels);
  const routes = [...publicApp.routes, ...certificateApp.routes];
  mountKybForm(publicApp.hono, parts.services);
  mountAuthority(publicApp.hono, parts.services);
  mountDocs(publicApp.hono, parts.services, describeApi(routes, VERSION));
  const publicListener = await listenPublic(publicApp.hono, { host: '127.0.0.1', port: 0 }, null);
  const certificateListener = await listenCertificate(
    certificateApp.hono,
    createDirect(parts.services, 'certificate', certificateChannels),
    { host: '127.0.0.1', port: 0 },
    { cert: files.serverCert, key: files.serverKey, caFile: files.ca },
  );
  certificateUrl = `https://localhost:${certificateListener.port}`;
  let checked = Promise.resolve();
  const socketCheck = setInterval(() => {
    checked = closeUntrusted(certificateListener.sockets, parts.services.certificates, Date.now());
  }, 500);
  const demo = await seedDemo({
    ownerUrl: database.ownerUrl,
    engineUrl: database.engineUrl,
    certificates: {
      demo: clients.demo.certificatePem,
      processor: clients.processor.certificatePem,
      ims: clients.ims.certificatePem,
      binSponsor: clients.sponsor.certificatePem,
    },
    partnerUrl: 'https://localhost:9',
    partnerControlUrl: 'http://localhost:9',
    simulatorToken: TOKEN,
    environment: {},
    say: () => undefined,
    vault,
  });
  await addOtherPartner(owner, clients);
  const known: Record<ClientName, Client> = {
    ...(Object.fromEntries(
      Object.entries(clients).map(([name, issued]) => [name, clientOf(authority, issued)]),
    ) as Record<keyof Clients, Client>),
    nobody: clientOf(authority, null),
  };
  const added: Client[] = [];
  const control = new Agent();
  const clientNamed = (as: ClientName | Client): Client => (typeof as === 'string' ? known[as] : as);
  return {
    demo,
    vault,
    owner,
    databaseUrls: database,
    services: parts.services,
    routes,
    logLines: () => lines,
    messages,
    processorControl: async (path, body, method = 'POST') =>
      await send(`${simulator.controlUrl}${path}`, method, control, {
        headers: { Authorization: `Bearer ${TOKEN}` },
        body,
      }),
    call: async (method, path, options = {}) => {
      const onPublic = options.listener === 'public';
      const base = onPublic ? `http://localhost:${publicListener.port}` : certificateUrl;
      return await send(base + path, method, clientNamed(options.as ?? 'demo').agent, options);
    },
    certificateUrl,
    bytes: async (path) => {
      const answer = await request(`http://localhost:${publicListener.port}${path}`);
      return Buffer.from(await answer.body.arrayBuffer());
    },
    addClient: async (registration) => {
      const issued = await issueCertificate(authority, `CN=${registration.label}`, 'client', []);
      await register(owner, issued.certificatePem, registration);
      const client = clientOf(authority, issued);
      added.push(client);
      return client;
    },
    connect: (to) =>
      to === 'public'
        ? openSocket(publicListener.port, null)
        : openSocket(certificateListener.port, clientNamed(to)),
    stop: async () => {
      clearInterval(socketCheck);
      await checked;
      const clientAgents = [...Object.values(known), ...added].map((client) => client.agent);
      await Promise.all([...clientAgents, control].map((agent) => agent.destroy()));
      await simulator.stop();
      publicListener.closeAll();
      certificateListener.closeAll();
      await Promise.all([publicListener.stop(), certificateListener.stop()]);
      await parts.stop();
      await vaultEngine.destroy();
      await owner.destroy();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Clients = Record<Exclude<ClientName, 'nobody'>, IssuedCertificate>;

async function issueClients(authority: Authority, foreign: Authority): Promise<Clients> {
  const issue = (name: string, by = authority) => issueCertificate(by, `CN=${name}`, 'client', []);
  return {
    demo: await issue('demo-demo'),
    other: await issue('other-other'),
    processor: await issue('processor'),
    sponsor: await issue('sponsor'),
    ims: await issue('ims'),
    revoked: await issue('demo-revoked'),
    unregistered: await issue('demo-demo'),
    foreignAuthority: await issue('demo-demo', foreign),
  };
}

interface Files {
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  readonly ca: string;
}

function writeTls(
  folder: string,
  server: IssuedCertificate,
  client: IssuedCertificate,
  authority: Authority,
): Files {
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  return {
    serverCert: write('server.crt', server.certificatePem),
    serverKey: write('server.key', server.keyPem),
    clientCert: write('client.crt', client.certificatePem),
    clientKey: write('client.key', client.keyPem),
    ca: write('ca.pem', authority.chainPem),
  };
}

interface ServiceParts {
  readonly database: { readonly appUrl: string; readonly engineUrl: string };
  readonly engine: Kysely<Database>;
  readonly vault: Vault;
  readonly logger: Logger;
  readonly folder: string;
  readonly files: Files;
  readonly processorUrl: string;
  readonly messages: SentMessage[];
  readonly authority: Authority;
  readonly workflows: WorkflowTarget;
  readonly rates: RateLimits;
  readonly trustedProxies: readonly string[];
}

/** Tests send as fast as they can, all from one address and most as one partner. */
const UNLIMITED: RateLimits = { take: () => undefined, countedAddress: () => null };

async function createServices(parts: ServiceParts): Promise<{ services: Services; stop(): Promise<void> }> {
  const { database, engine, vault, logger, folder, files, processorUrl, messages } = parts;
  const app = createDatabase(createPool({ url: database.appUrl, max: 8, name: 'test-app' }));
  const lanes = createPool({ url: database.engineUrl, max: 4, name: 'test-lanes', pipeline: true });
  const certificates = createCertificateRegistry(engine, Date.now);
  const changes = listenForChanges(database.engineUrl, certificates.flush, logger);
  const authorizer = createAuthorizer({
    engine,
    pool: lanes,
    lanes: 2,
    batchMax: 128,
    deadlineMs: 5_000,
    queueMax: 256,
    logger,
  });
  return {
    services: {
      app,
      engine,
      vault,
      documents: openDocumentStore(`file:${join(folder, 'documents')}`),
      authorizer,
      processor: createProcessorClient({
        url: processorUrl,
        certificateFile: files.clientCert,
        keyFile: files.clientKey,
        caFile: files.ca,
      }),
      certificates,
      sms: recorder(messages),
      mail: recorder(messages),
      authority: parts.authority,
      workflows: parts.workflows,
      kycProviders: [
        {
          code: 'simulator',
          url: 'http://localhost:9',
          apiKey: 'k',
          webhookSecrets: ['whsec_one', 'whsec_two'],
        },
      ],
      anchors: openAnchorSink(`file:${join(folder, 'anchors')}`),
      operators: {
        publicUrl: PUBLIC_URL,
        allowedCidrs: [],
        timeZone: 'UTC',
        secureCookie: false,
      },
      logger,
      health: { live: () => true, draining: () => false, check: async () => ({ database: 'ok' }) },
      metrics: { request: () => undefined, rateLimited: () => undefined },
      rates: parts.rates,
      isTrustedProxy: addressRanges(parts.trustedProxies),
      nowMs: Date.now,
    },
    stop: async () => {
      await changes.stop();
      await authorizer.drain();
      await lanes.end();
      await app.destroy();
    },
  };
}

/** A second partner with a programme of its own, and a certificate of the demo partner that was revoked. */
async function addOtherPartner(owner: Kysely<Database>, clients: Clients): Promise<void> {
  const { partner_id: otherId } = await owner
    .insertInto('partners')
    .values({ public_id: randomUUID(), code: 'other', name: 'Other partner' })
    .returning('partner_id')
    .executeTakeFirstOrThrow();
  await owner
    .insertInto('programmes')
    .values({
      public_id: randomUUID(),
      partner_id: otherId,
      issuer_code: 'other',
      name: 'Other',
      sandbox: true,
      balance_holder: 'platform',
      funding: 'credit',
      enforce_partner_balance: false,
      default_currency: 'EUR',
      currencies: ['EUR'],
      kyc_mode: 'EXTERNAL',
      external_kyc: true,
      kyc_provider: null,
      country: 'PL',
    })
    .execute();
  const { partner_id: demoId } = await owner
    .selectFrom('partners')
    .select('partner_id')
    .where('code', '=', 'demo')
    .executeTakeFirstOrThrow();
  await register(owner, clients.other.certificatePem, {
    label: 'other',
    scopes: ['partner'],
    partnerId: otherId,
  });
  await register(owner, clients.revoked.certificatePem, {
    label: 'old',
    scopes: ['partner'],
    partnerId: demoId,
    state: 'REVOKED',
  });
}

async function send(
  url: string,
  method: string,
  dispatcher: Agent,
  options: CallOptions,
): Promise<HttpAnswer> {
  const { body, form } = options;
  const headers: Record<string, string> = { ...options.headers };
  let payload: string | Buffer | FormData | undefined;
  if (form !== undefined) payload = form;
  else if (typeof body === 'string' || Buffer.isBuffer(body)) payload = body;
  else if (body !== undefined) payload = JSON.stringify(body);
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  if (payload !== undefined && form === undefined && !hasType) headers['Content-Type'] = 'application/json';
  const answer = await request(url, {
    method: method as 'GET',
    headers,
    dispatcher,
    ...(payload === undefined ? {} : { body: payload as string }),
  });
  const text = await answer.body.text();
  return {
    status: answer.statusCode,
    headers: answer.headers as Record<string, string>,
    text,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : null,
  };
}

const readText = async (path: string): Promise<string> =>
  await (await import('node:fs/promises')).readFile(path, 'utf8');
