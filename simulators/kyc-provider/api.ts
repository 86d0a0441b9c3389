import { createHash } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { invalid, readJson, refuse } from './answers.ts';
import type { Checks } from './checks.ts';
import { nextId } from './ids.ts';
import { scenarioFor, takeFailure } from './scenarios.ts';
import { isSameText } from './same-text.ts';
import type { Applicant, ProviderCall, State } from './state.ts';

const text = z.string().min(1);
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}/);
const applicantSchema = z.looseObject({
  externalId: text,
  firstName: text,
  lastName: text,
  birthDate: date,
  nationality: text,
  pesel: text.nullish(),
  address: z.union([text, z.looseObject({})]),
  documentType: text,
  // A company's form asks neither of its persons.
  identityCardNo: text.optional(),
  documentExpirationDate: date.optional(),
});
const checkSchema = z.looseObject({
  applicantId: text,
  checks: z.array(z.enum(['DOCUMENT', 'FACE_MATCH'])).min(1),
  callbackUrl: z.url({ protocol: /^https?$/ }),
});
const documentSchema = z.object({ kind: z.enum(['FACE', 'FRONT', 'BACK']), file: z.instanceof(File) });

const longestBodyBytes = 32 * 1_024 * 1_024;

interface Done {
  readonly status: 200 | 201 | 202 | 204 | 404;
  readonly body: unknown;
}

export interface ProviderApiParts {
  readonly state: State;
  readonly checks: Checks;
  /** Bearer key of the platform; null: any is accepted. */
  readonly apiKey: string | null;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The calls of onboarding 9.1. */
export function createProviderApi(parts: ProviderApiParts): Hono {
  const { state, checks } = parts;
  const app = new Hono();
  app.use(
    bodyLimit({
      maxSize: longestBodyBytes,
      onError: (c) => refuse(c, 413, 'PAYLOAD_TOO_LARGE', 'Too long.'),
    }),
  );
  app.use(async (c, next) => {
    const given = c.req.header('Authorization') ?? '';
    if (parts.apiKey !== null && !isSameText(given, `Bearer ${parts.apiKey}`)) {
      return refuse(c, 401, 'UNAUTHENTICATED', 'The key is missing or wrong.');
    }
    return next();
  });

  /** Applies the scenario of the person, then acts once per idempotency key. Keeps a record of the call. */
  async function serve(
    c: Context,
    call: ProviderCall,
    externalId: string | null,
    fingerprint: string,
    act: () => Done,
  ): Promise<Response> {
    const key = c.req.header('X-Idempotency-Key') ?? null;
    const answer = await answerOnce(c, call, externalId, key, fingerprint, act);
    const callId = nextId(state, 'call');
    const at = new Date(parts.nowMs()).toISOString();
    state.calls.set(callId, { callId, at, call, externalId, key, status: answer.status });
    return answer;
  }

  async function answerOnce(
    c: Context,
    call: ProviderCall,
    externalId: string | null,
    key: string | null,
    fingerprint: string,
    act: () => Done,
  ): Promise<Response> {
    const isRead = call === 'getCheck';
    if (key === null && !isRead) {
      return refuse(c, 400, 'VALIDATION_ERROR', 'The header X-Idempotency-Key is missing.');
    }
    const { hangMs = 0 } = scenarioFor(state, externalId ?? 'default');
    if (hangMs > 0) await parts.sleep(hangMs);
    const failure = takeFailure(state, externalId ?? 'default', call);
    if (failure !== null) {
      if (failure === 429 || failure === 503) c.header('Retry-After', '1');
      return refuse(c, failure, 'SIMULATED_FAILURE', 'A scenario has this call fail.');
    }
    const known = isRead || key === null ? undefined : state.answers.get(key);
    if (known !== undefined) {
      if (known.fingerprint === fingerprint) return give(c, known as Done);
      return refuse(c, 422, 'IDEMPOTENCY_KEY_REUSED', 'This key came with another request.');
    }
    const done = act();
    if (key !== null && !isRead) state.answers.set(key, { fingerprint, ...done });
    return give(c, done);
  }

  const externalIdOf = (applicantId: string): string | null =>
    state.applicants.get(applicantId)?.externalId ?? null;

  app.post('/applicants', async (c) => {
    const body = applicantSchema.safeParse(await readJson(c));
    if (!body.success) return invalid(c, body.error);
    const { externalId, identityCardNo = '' } = body.data;
    return serve(c, 'applicants', externalId, fingerprintOf('applicants', body.data), () => {
      const applicant: Applicant = { applicantId: nextId(state, 'ap'), externalId, identityCardNo };
      state.applicants.set(applicant.applicantId, applicant);
      return { status: 201, body: { applicantId: applicant.applicantId } };
    });
  });

  app.post('/applicants/:applicantId/documents', async (c) => {
    const applicantId = c.req.param('applicantId');
    const form = documentSchema.safeParse(await readForm(c));
    if (!form.success) return invalid(c, form.error);
    const { kind, file } = form.data;
    const content = Buffer.from(await file.arrayBuffer());
    const sha256 = createHash('sha256').update(content).digest('hex');
    const fingerprint = fingerprintOf('documents', { applicantId, kind, sha256 });
    return serve(c, 'documents', externalIdOf(applicantId), fingerprint, () => {
      if (state.applicants.get(applicantId) === undefined) return missing;
      const documentId = nextId(state, 'doc');
      state.documents.set(documentId, { documentId, applicantId, kind, sha256, bytes: content.length });
      return { status: 201, body: { documentId } };
    });
  });

  app.post('/checks', async (c) => {
    const body = checkSchema.safeParse(await readJson(c));
    if (!body.success) return invalid(c, body.error);
    const { applicantId, callbackUrl } = body.data;
    return serve(c, 'checks', externalIdOf(applicantId), fingerprintOf('checks', body.data), () => {
      const applicant = state.applicants.get(applicantId);
      if (applicant === undefined) return missing;
      const { checkId } = checks.start(applicant, body.data.checks, callbackUrl);
      return { status: 202, body: { checkId, state: 'RUNNING' } };
    });
  });

  app.get('/checks/:checkId', (c) => {
    const found = state.checks.get(c.req.param('checkId'));
    return serve(c, 'getCheck', found?.externalId ?? null, '', () => {
      // Read again: a hanging call shows the check as it is when the answer leaves.
      const check = state.checks.get(c.req.param('checkId'));
      if (check === undefined) return missing;
      const { checkId, state: progress, outcome, reasons, completedAt } = check;
      return { status: 200, body: { checkId, state: progress, outcome, reasons, completedAt } };
    });
  });

  app.delete('/applicants/:applicantId', (c) => {
    const applicantId = c.req.param('applicantId');
    const fingerprint = fingerprintOf('deleteApplicant', applicantId);
    return serve(c, 'deleteApplicant', externalIdOf(applicantId), fingerprint, () => {
      if (!state.applicants.delete(applicantId)) return missing;
      for (const document of state.documents.all()) {
        if (document.applicantId === applicantId) state.documents.delete(document.documentId);
      }
      return { status: 204, body: null };
    });
  });
  return app;
}

const missing: Done = { status: 404, body: { code: 'NOT_FOUND', detail: 'There is nothing under this id.' } };

function give(c: Context, done: Done): Response {
  return done.status === 204 ? c.body(null, 204) : c.json(done.body, done.status);
}

function fingerprintOf(call: ProviderCall, content: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([call, content]))
    .digest('hex');
}

async function readForm(c: Context): Promise<unknown> {
  try {
    return await c.req.parseBody();
  } catch {
    return undefined;
  }
}
