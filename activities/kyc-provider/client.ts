import type { ZodType } from 'zod';
import type { PictureKind } from '../../domain/verification.ts';
import {
  type Applicant,
  type Check,
  check,
  createdApplicant,
  startedCheck,
  uploadedDocument,
} from './schemas.ts';

/** One provider of identity checks, as the configuration names it. */
export interface KycProvider {
  readonly code: string;
  readonly url: string;
  readonly apiKey: string;
}

/**
 * `refused`: the provider will not do it, however often it is asked (4xx). `unavailable`: asking again may
 * help (429, 5xx, no answer, an answer that is not the documented one).
 */
export type ProviderAnswer<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number | null };

/** The calls of onboarding 9.1; the same key gets the same answer. */
export interface KycProviderClient {
  createApplicant(key: string, applicant: Applicant): Promise<ProviderAnswer<{ applicantId: string }>>;
  uploadDocument(
    key: string,
    document: {
      readonly applicantId: string;
      readonly kind: PictureKind;
      readonly mediaType: string;
      readonly content: Uint8Array;
    },
  ): Promise<ProviderAnswer<{ documentId: string }>>;
  startCheck(
    key: string,
    order: { readonly applicantId: string; readonly callbackUrl: string },
  ): Promise<ProviderAnswer<{ checkId: string }>>;
  fetchCheck(checkId: string): Promise<ProviderAnswer<Check>>;
}

const DEADLINE_MS = 10_000;
const UPLOAD_DEADLINE_MS = 30_000;
const TOO_MANY_REQUESTS = 429;
const REQUEST_TIMEOUT = 408;

/** A client of one provider; it makes one attempt a call and repeats nothing by itself. */
export function createKycProviderClient(provider: KycProvider): KycProviderClient {
  const send = async <T>(
    path: string,
    init: { readonly method: string; readonly body?: string | FormData; readonly key?: string },
    schema: ZodType<T>,
    deadlineMs: number = DEADLINE_MS,
  ): Promise<ProviderAnswer<T>> => {
    const headers: Record<string, string> = { Authorization: `Bearer ${provider.apiKey}` };
    if (init.key !== undefined) headers['X-Idempotency-Key'] = init.key;
    if (typeof init.body === 'string') headers['Content-Type'] = 'application/json';
    try {
      const response = await fetch(`${provider.url}${path}`, {
        method: init.method,
        headers,
        redirect: 'error',
        signal: AbortSignal.timeout(deadlineMs),
        ...(init.body === undefined ? {} : { body: init.body }),
      });
      return await readAnswer(response, schema);
    } catch {
      return { kind: 'unavailable', retryAfterMs: null };
    }
  };
  return {
    createApplicant: (key, applicant) =>
      send('/applicants', { method: 'POST', key, body: JSON.stringify(applicant) }, createdApplicant),
    uploadDocument: (key, { applicantId, kind, mediaType, content }) => {
      const form = new FormData();
      form.set('kind', kind);
      form.set('file', new Blob([new Uint8Array(content)], { type: mediaType }), kind.toLowerCase());
      const path = `/applicants/${encodeURIComponent(applicantId)}/documents`;
      return send(path, { method: 'POST', key, body: form }, uploadedDocument, UPLOAD_DEADLINE_MS);
    },
    startCheck: (key, { applicantId, callbackUrl }) => {
      const order = { applicantId, checks: ['DOCUMENT', 'FACE_MATCH'], callbackUrl };
      return send('/checks', { method: 'POST', key, body: JSON.stringify(order) }, startedCheck);
    },
    fetchCheck: (checkId) => send(`/checks/${encodeURIComponent(checkId)}`, { method: 'GET' }, check),
  };
}

async function readAnswer<T>(response: Response, schema: ZodType<T>): Promise<ProviderAnswer<T>> {
  const { status } = response;
  if (response.ok) {
    const read = schema.safeParse(await response.json());
    return read.success ? { kind: 'ok', value: read.data } : { kind: 'unavailable', retryAfterMs: null };
  }
  await response.body?.cancel();
  const again = status >= 500 || status === TOO_MANY_REQUESTS || status === REQUEST_TIMEOUT;
  return again
    ? { kind: 'unavailable', retryAfterMs: retryAfterMs(response.headers.get('retry-after')) }
    : { kind: 'refused', status };
}

const retryAfterMs = (header: string | null): number | null =>
  header !== null && /^[0-9]{1,6}$/.test(header) ? Number(header) * 1000 : null;
