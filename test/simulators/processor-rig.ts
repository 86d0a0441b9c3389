import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { compactDecrypt } from 'jose';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { expect } from 'vitest';
import { startProcessorSimulator } from '../../simulators/processor/start.ts';
import type { ProcessorSimulator, ProcessorSimulatorOptions } from '../../simulators/processor/start.ts';

export type Json = Record<string, unknown>;

/** A message that the platform of the test got; `body` null when it was not JSON. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly key: string;
  readonly body: Json;
  readonly text: string;
}
interface Scripted {
  readonly status: number;
  readonly body: unknown;
  readonly afterMs?: number;
}
export type Script = (received: Received) => Scripted;

export const TOKEN = 'control-token';
export const CVK = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex');
export const PIN_KEY = Buffer.from('00112233445566778899AABBCCDDEEFF', 'hex');
export const APPROVED = {
  id: '24cbc777-de3f-42e2-b772-7d5427dc616e',
  result: 'APPROVED',
  responseCode: '00',
  authorizationCode: 'A7K2Q9',
  currency: 'EUR',
};

/** Approves what asks for a decision, takes everything else. */
export const approve: Script = ({ path, body }) => {
  if (path !== '/processor/authorizations') return { status: 200, body: { accepted: true } };
  if (body['advice'] === true) return { status: 200, body: { result: 'ACKNOWLEDGED', responseCode: '00' } };
  return { status: 200, body: { ...APPROVED, approvedAmount: body['amount'] } };
};

interface Answered {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly body: Json;
}

/** The simulator between a platform that answers by `script` and the calls of a test. */
export interface ProcessorRig {
  script: Script;
  received: Received[];
  simulator: ProcessorSimulator;
  readonly options: ProcessorSimulatorOptions;
  readonly certified: Agent;
  readonly ca: Awaited<ReturnType<typeof makeCa>>;
  readonly folder: string;
  control(method: string, path: string, body?: unknown): Promise<Answered>;
  contract(method: string, path: string, body?: unknown, key?: string): Promise<Answered>;
  newCard(): Promise<{ cardId: number; processorCardId: string }>;
  decrypt(payload: unknown): Promise<Json>;
  authorize(cardId: number, more?: Json): Promise<Answered & { traceId: string; request: Json }>;
  /** No faults, no received messages, everything approved. */
  clean(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the platform of the test and the simulator with seed 7 and short deadlines; `partner` with its certificate. */
export async function startRig({ partner = false } = {}): Promise<ProcessorRig> {
  const platformKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const folder = mkdtempSync(join(tmpdir(), 'processor-sim-'));
  const ca = await makeCa();
  const publicKey = platformKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const platform = createServer(
    { ...(await ca.issue('localhost')), ca: ca.pem, requestCert: true, rejectUnauthorized: true },
    (req, res) => {
      let text = '';
      req.on('error', () => undefined);
      req.on('data', (chunk: Buffer) => (text += chunk.toString()));
      req.on('end', () => {
        res.setHeader('content-type', 'application/json');
        if (req.url === '/public-key') {
          res.end(JSON.stringify({ publicKey: Buffer.from(publicKey).toString('base64') }));
          return;
        }
        const body = text === '' ? {} : parse(text);
        const key = String(req.headers['x-idempotency-key']);
        const one = { method: req.method ?? '', path: req.url ?? '', key, body: body ?? {}, text };
        rig.received.push(one);
        const answer = body === null ? { status: 400, body: { title: 'VALIDATION_ERROR' } } : rig.script(one);
        setTimeout(() => {
          res.statusCode = answer.status;
          res.end(JSON.stringify(answer.body));
        }, answer.afterMs ?? 0);
      });
    },
  );
  await new Promise<void>((resolve) => platform.listen(0, '127.0.0.1', resolve));
  const url = () => `https://localhost:${(platform.address() as AddressInfo).port}`;
  const options: ProcessorSimulatorOptions = {
    token: TOKEN,
    contractTls: { ...(await ca.issue('localhost')), ca: ca.pem },
    platform: { url, ...(await ca.issue('processor')), ca: ca.pem },
    ...(partner && {
      scenarioPartner: { url, ...(await ca.issue('partner')), ca: ca.pem, issuerCode: 'sandbox' },
    }),
    storeFolder: join(folder, 'store'),
    keys: { cvk: CVK, pinTransport: { keyId: 'ptk-1', key: PIN_KEY } },
    seed: 7,
    times: { authorizationMs: 400, otherMs: 2_000, firstRepeatMs: 20, longestRepeatMs: 80 },
    logger: pino({ level: 'silent' }),
  };
  const certified = new Agent({ connect: { ...(await ca.issue('platform')), ca: ca.pem } });
  const rig: ProcessorRig = {
    script: approve,
    received: [],
    simulator: await startProcessorSimulator(options),
    options,
    certified,
    ca,
    folder,
    control: (method, path, body) =>
      call(rig.simulator.controlUrl + path, method, body, { authorization: `Bearer ${TOKEN}` }),
    contract: (method, path, body, key = randomUUID()) =>
      call(rig.simulator.contractUrl + path, method, body, { 'x-idempotency-key': key }, certified),
    newCard: async () => {
      const order = newOrder();
      const made = await rig.contract('POST', '/v1/cards/virtual', order);
      return { cardId: order.externalCardId, processorCardId: String(made.body['processorCardId']) };
    },
    decrypt: async (payload) => {
      const { plaintext, protectedHeader } = await compactDecrypt(String(payload), platformKeys.privateKey);
      expect(protectedHeader).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM' });
      return JSON.parse(new TextDecoder().decode(plaintext)) as Json;
    },
    authorize: async (cardId, extra = {}) => {
      const body = { cardId, amount: 1234, currency: 'EUR', ...extra };
      const answer = await rig.control('POST', '/simulator/authorizations', body);
      return {
        ...answer,
        traceId: String(answer.body['traceId']),
        request: answer.body['request'] as Json,
      };
    },
    clean: async () => {
      rig.script = approve;
      await rig.control('DELETE', '/simulator/faults');
      rig.received = [];
    },
    stop: async () => {
      await rig.simulator.stop();
      await certified.destroy();
      platform.closeAllConnections();
      await new Promise((resolve) => platform.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
  return rig;
}

/** A CA and certificates for localhost, all RSA 2048. */
export async function makeCa() {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const makeKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const keys = await makeKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=ca ${randomUUID()}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true)],
  });
  return {
    pem: root.toString('pem'),
    issue: async (name: string) => {
      const own = await makeKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${name}`,
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
      });
      const der = await crypto.subtle.exportKey('pkcs8', own.privateKey);
      return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(der, 'PRIVATE KEY') };
    },
  };
}

/** One HTTP call; a text goes out as it is. */
export async function call(
  url: string,
  method: string,
  body: unknown,
  headers: Json,
  agent?: Agent,
): Promise<Answered> {
  const answer = await request(url, {
    method: method as 'GET',
    headers: { 'content-type': 'application/json', ...headers } as Record<string, string>,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(agent !== undefined && { dispatcher: agent }),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, text, body: parse(text) ?? {} };
}

let nextCardId = 1000;

/** A body of `generateVirtualCard` with ids of its own. */
export const newOrder = (more: Json = {}) => ({
  reference: randomUUID().replaceAll('-', ''),
  externalCardId: (nextCardId += 1),
  productId: 'VIR-EUR',
  currency: 'EUR',
  expiryMonths: 36,
  cardholder: { name: 'ADA NOWAK', country: 'POL' },
  ...more,
});

/** Waits until it holds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 3_000, interval: 10 }).toBe(true);
}

function parse(text: string): Json | null {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
