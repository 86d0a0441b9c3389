import { createHash } from 'node:crypto';
import { refusal, type Answer, type Call, type Incoming } from './call.ts';
import type { EncryptionKey } from './encryption-key.ts';
import { asObject } from './facts.ts';
import { isSensitive, type Route } from './operations.ts';
import type { KnownKey, SimState } from './state.ts';

export interface IntakeSettings {
  readonly encryptionKey: EncryptionKey;
  /** `required`: sensitive bodies in clear are refused. */
  readonly jwe: 'required' | 'accept-both';
  readonly now: () => Date;
}

export interface Intake {
  readonly call: Call;
  readonly encrypted: boolean;
  /** What is wrong with the form of the request, in words for the record of violations. */
  readonly faults: readonly { readonly code: IntakeFault; readonly detail: string }[];
}

type IntakeFault = 'BYTES_CHANGED' | 'KEY_REUSED' | 'NO_KEY_HEADER' | 'SCHEMA' | 'SENSITIVE_CLEAR_TEXT';

interface ReadBody {
  readonly body: unknown;
  readonly encrypted: boolean;
  readonly problem: Answer | null;
  readonly faults: Intake['faults'];
}

const unreadable = refusal(400, 'CANT_DECRYPT_PAYLOAD', 'The payload cannot be decrypted.');
const keyReused = refusal(422, 'IDEMPOTENCY_KEY_REUSED', 'This key came with another request.');

/** Hash of a body as it came. */
export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Reads a request of the contract: body, encryption, idempotency key. Counts the attempt under its key. */
export async function readCall(
  state: SimState,
  settings: IntakeSettings,
  incoming: Incoming,
  route: Route,
  n: number,
): Promise<Intake> {
  const read = await readBody(settings, incoming, route);
  const bodySha256 = sha256(incoming.body ?? '');
  const target = `${incoming.method} ${incoming.path}`;
  const key = incoming.headers['x-idempotency-key'] ?? null;
  const seen = { key, operation: route.operation, target, bodySha256 };
  const counted = countAttempt(state, seen, incoming.method, settings.now());
  const call: Call = {
    n,
    operation: route.operation,
    params: route.params,
    target,
    headers: incoming.headers,
    key,
    sequence: readSequence(incoming.headers['x-event-sequence']),
    attempt: counted.attempt,
    bodySha256,
    body: read.body,
    problem: counted.fault === null ? read.problem : keyReused,
  };
  const faults = counted.fault === null ? read.faults : [...read.faults, counted.fault];
  return { call, encrypted: read.encrypted, faults: [...faults, ...missingKey(incoming.method, key)] };
}

async function readBody(settings: IntakeSettings, incoming: Incoming, route: Route): Promise<ReadBody> {
  const nothing = { body: undefined, encrypted: false, problem: null, faults: [] };
  if (incoming.body === null) {
    return { ...nothing, problem: refusal(413, 'PAYLOAD_TOO_LARGE', 'The body is too long.') };
  }
  if (incoming.method === 'GET' || incoming.method === 'DELETE') return nothing;
  const json = parseJson(incoming.body);
  if (json === undefined) return { ...nothing, ...malformed('The body is not JSON.') };
  if (!isSensitive(route.operation)) return { ...nothing, body: json };

  const envelope = asObject(json)['payload'];
  if (typeof envelope !== 'string') {
    if (settings.jwe === 'accept-both') return { ...nothing, body: json };
    const problem = refusal(400, 'ENCRYPTION_REQUIRED', 'This body is accepted encrypted only.');
    return {
      ...nothing,
      body: json,
      problem,
      faults: [{ code: 'SENSITIVE_CLEAR_TEXT', detail: 'The body came in clear text.' }],
    };
  }
  const plaintext = await settings.encryptionKey.open(envelope);
  if (plaintext === null) return { ...nothing, encrypted: true, problem: unreadable };
  const body = parseJson(plaintext);
  if (body === undefined)
    return { ...nothing, encrypted: true, ...malformed('The opened body is not JSON.') };
  const announced = incoming.headers['encrypted-request'] === 'true';
  const detail = 'The header Encrypted-Request: true is missing.';
  return { ...nothing, encrypted: true, body, faults: announced ? [] : [{ code: 'SCHEMA', detail }] };
}

function malformed(detail: string): Pick<ReadBody, 'problem' | 'faults'> {
  return { problem: refusal(400, 'VALIDATION_ERROR', detail), faults: [{ code: 'SCHEMA', detail }] };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function missingKey(method: string, key: string | null): Intake['faults'] {
  if (method === 'GET' || key !== null) return [];
  return [{ code: 'NO_KEY_HEADER', detail: 'The header X-Idempotency-Key is missing.' }];
}

function readSequence(header: string | undefined): number | null {
  return header !== undefined && /^[1-9][0-9]{0,15}$/.test(header) ? Number(header) : null;
}

type Seen = Pick<KnownKey, 'operation' | 'target' | 'bodySha256'> & { readonly key: string | null };

function countAttempt(
  state: SimState,
  seen: Seen,
  method: string,
  now: Date,
): { attempt: number; fault: Intake['faults'][number] | null } {
  const { key } = seen;
  if (key === null || method === 'GET') return { attempt: 1, fault: null };
  const known = state.keys.get(key);
  if (known === undefined) {
    state.keys.set(key, { ...seen, key, attempts: 1, answer: null, firstAt: now.toISOString() });
    return { attempt: 1, fault: null };
  }
  if (known.target !== seen.target) {
    const detail = `The key came before with ${known.operation}.`;
    return { attempt: known.attempts, fault: { code: 'KEY_REUSED', detail } };
  }
  if (known.bodySha256 !== seen.bodySha256) {
    const detail = 'The body differs from the first one with this key.';
    return { attempt: known.attempts, fault: { code: 'BYTES_CHANGED', detail } };
  }
  state.keys.set(key, { ...known, attempts: known.attempts + 1 });
  return { attempt: known.attempts + 1, fault: null };
}
