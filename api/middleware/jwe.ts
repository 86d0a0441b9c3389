import { invalid, Refusal } from '../../domain/errors.ts';
import { decrypt, encryptTo } from '../../vault/jwe.ts';
import { readRecipientKey, type RecipientKey } from '../../vault/recipient-key.ts';
import type { Vault } from '../../vault/vault.ts';
import type { JweClass } from '../route.ts';

export interface EncryptionHeaders {
  readonly encryptedRequest: string | undefined;
  readonly encryptResponse: string | undefined;
  readonly publicKey: string | undefined;
}

export interface Decrypted {
  readonly body: unknown;
  /** Key for the answer; null = the answer is plain. */
  readonly recipient: RecipientKey | null;
}

interface Request {
  readonly jwe: JweClass;
  readonly headers: EncryptionHeaders;
  /** Parsed JSON, undefined without a body; `multipart` for forms, which are never encrypted. */
  readonly body: unknown;
  readonly multipart: boolean;
  readonly pinnedPublicKeys: readonly string[];
}

/**
 * The table of channels 8: what the three headers, the route's class and the body together mean. Gives the
 * plain body and the key for the answer; throws its four errors in their order of precedence.
 */
export async function openRequest(vault: Vault, request: Request): Promise<Decrypted> {
  const faults = (['encryptedRequest', 'encryptResponse'] as const)
    .filter((name) => flag(request.headers[name]) === 'bad')
    .map((name) => ({
      field: name === 'encryptedRequest' ? 'Encrypted-Request' : 'Encrypt-Response',
      message: 'must be true or false',
    }));
  if (faults.length > 0) throw invalid(faults);
  const encryptedRequest = flag(request.headers.encryptedRequest) === 'true';
  const encryptResponse = flag(request.headers.encryptResponse) === 'true';
  const answerEncrypted = encryptedRequest || encryptResponse;
  if (request.jwe === 'none') return { body: request.body, recipient: null };
  if (required(request.jwe, encryptedRequest, answerEncrypted)) {
    throw new Refusal(
      'ENCRYPTION_REQUIRED',
      'This call must be encrypted: see the headers Encrypted-Request, Encrypt-Response and Public-Key.',
    );
  }
  const recipient = answerEncrypted ? await recipientOf(request) : null;
  if (!encryptedRequest) {
    if (isEnvelope(request.body))
      throw invalidPayload('The body is encrypted but Encrypted-Request is not true.');
    return { body: request.body, recipient };
  }
  if (request.multipart) throw invalidPayload('A form cannot be encrypted.');
  if (request.body === undefined || isEmptyObject(request.body)) {
    if (request.jwe === 'both') throw invalidPayload('The body must be encrypted.');
    return { body: request.body, recipient };
  }
  if (!isEnvelope(request.body))
    throw invalidPayload('The body must be an object with the one member payload.');
  return { body: await decryptPayload(vault, request.body.payload), recipient };
}

/** The envelope of an answer. */
export const sealAnswer = async (recipient: RecipientKey, body: unknown): Promise<{ payload: string }> => ({
  payload: await encryptTo(recipient, body),
});

const required = (jwe: JweClass, encryptedRequest: boolean, answerEncrypted: boolean): boolean =>
  (jwe === 'both' && !encryptedRequest) || (jwe === 'response' && !answerEncrypted);

async function recipientOf(request: Request): Promise<RecipientKey> {
  const key =
    request.headers.publicKey === undefined
      ? 'INVALID_PUBLIC_KEY'
      : readRecipientKey(request.headers.publicKey);
  const pinned = request.pinnedPublicKeys;
  if (key === 'INVALID_PUBLIC_KEY' || (pinned.length > 0 && !pinned.includes(key.thumbprint))) {
    throw new Refusal(
      'INVALID_PUBLIC_KEY',
      'The Public-Key header must hold an RSA public key of 2048 to 4096 bits (base64 of SPKI) that this caller may use.',
    );
  }
  return key;
}

async function decryptPayload(vault: Vault, payload: string): Promise<unknown> {
  const opened = await decrypt(vault, payload);
  switch (opened) {
    case 'INVALID_PAYLOAD':
      throw invalidPayload('payload must be a compact JWE that holds a JSON object.');
    case 'CANT_DECRYPT_PAYLOAD':
      throw new Refusal(
        'CANT_DECRYPT_PAYLOAD',
        'The payload could not be decrypted. Fetch our public key again.',
      );
    case 'OVERLOADED':
      throw new Refusal('OVERLOADED', 'Too many encrypted requests at once. Send it again.');
    default:
      return opened.plaintext;
  }
}

const invalidPayload = (detail: string): Refusal => new Refusal('INVALID_PAYLOAD', detail);

function flag(value: string | undefined): 'true' | 'false' | 'bad' {
  if (value === undefined) return 'false';
  const lower = value.trim().toLowerCase();
  return lower === 'true' || lower === 'false' ? lower : 'bad';
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmptyObject = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;

const isEnvelope = (value: unknown): value is { payload: string } =>
  isObject(value) && Object.keys(value).length === 1 && typeof value['payload'] === 'string';
