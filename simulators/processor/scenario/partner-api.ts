import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { Agent, request } from 'undici';
import type { CallPartnerApi, HttpAnswer } from './world.ts';

export interface PartnerApiOptions {
  readonly url: string | (() => string);
  /** PEM texts of the partner's client certificate, and the platform's CA. */
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Programme of the calls. */
  readonly issuerCode: string;
}

export interface PartnerApi {
  readonly call: CallPartnerApi;
  close(): Promise<void>;
}

const DEADLINE_MS = 15_000;

/** A client of the partner channel, with an RSA key pair of its own for encrypted answers. */
export function createPartnerApi(options: PartnerApiOptions): PartnerApi {
  const { cert, key, ca, issuerCode } = options;
  const agent = new Agent({ connect: { cert, key, ca } });
  const url = (): string => (typeof options.url === 'string' ? options.url : options.url());
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const encryption = { 'encrypt-response': 'true', 'public-key': Buffer.from(pem).toString('base64') };

  async function open(body: unknown): Promise<unknown> {
    const payload = (body as { payload?: unknown } | null)?.payload;
    if (typeof payload !== 'string') return body;
    const { plaintext } = await compactDecrypt(payload, privateKey, {
      keyManagementAlgorithms: ['RSA-OAEP-256'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
  }

  return {
    call: async ({ method, path, body, encrypted = false }): Promise<HttpAnswer> => {
      const answer = await request(url() + path, {
        dispatcher: agent,
        method,
        headers: {
          'issuer-code': issuerCode,
          ...(method !== 'GET' && { 'x-idempotency-key': randomUUID() }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(encrypted && encryption),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const content = parseOrNull(await answer.body.text());
      return { status: answer.statusCode, body: encrypted ? await open(content) : content };
    },
    close: () => agent.destroy(),
  };
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
