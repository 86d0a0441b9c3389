import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, type FormData } from 'undici';
import type { ZodType } from 'zod';
import type { Quickstart } from '../quickstart.ts';
import { Difference } from './difference.ts';
import { type HttpRequest, send } from './http.ts';
import { createReader } from './jwe-reader.ts';

export interface PartnerRequest<T> {
  readonly body?: object;
  readonly form?: FormData;
  /** The answer comes encrypted to the key pair of this run. */
  readonly encrypted?: boolean;
  readonly status: number;
  /** What the answer must look like; further members are let through. */
  readonly answer: ZodType<T>;
}

/** The demo partner's server, as it calls Cardloom: client certificate, JWE, an idempotency key per call. */
export interface PartnerClient {
  get<T>(path: string, request: Omit<PartnerRequest<T>, 'body' | 'form' | 'status'>): Promise<T>;
  post<T>(path: string, request: PartnerRequest<T>): Promise<T>;
  put<T>(path: string, request: PartnerRequest<T>): Promise<T>;
  close(): Promise<void>;
}

/** A client with the partner's certificate for one programme, and an RSA key pair of its own. */
export function createPartnerClient(quickstart: Quickstart, issuerCode: string): PartnerClient {
  const { certificateUrl, caCertificate, partner } = quickstart;
  const read = (path: string): string => readFileSync(path, 'utf8');
  const agent = new Agent({
    connect: { ca: read(caCertificate), cert: read(partner.certificate), key: read(partner.key) },
  });
  const reader = createReader();

  async function call<T>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    request: PartnerRequest<T>,
  ): Promise<T> {
    const { body, form, encrypted = false, status: expectedStatus } = request;
    const http: HttpRequest = {
      method,
      url: `${certificateUrl}${path}`,
      headers: {
        'issuer-code': issuerCode,
        ...(method === 'GET' ? {} : { 'x-idempotency-key': randomUUID() }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(encrypted ? { 'encrypt-response': 'true', 'public-key': reader.publicKey } : {}),
      },
      ...(body === undefined ? {} : { body }),
      ...(form === undefined ? {} : { form }),
      expectedStatus,
    };
    const content = await send(http, agent);
    const parsed = request.answer.safeParse(encrypted ? await reader.open(content) : content);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Difference(
      `${method} ${path}`,
      `${issue?.path.join('.')}: ${issue?.message}`,
      'another answer',
    );
  }

  return {
    get: (path, request) => call('GET', path, { ...request, status: 200 }),
    post: (path, request) => call('POST', path, request),
    put: (path, request) => call('PUT', path, request),
    close: () => agent.destroy(),
  };
}
