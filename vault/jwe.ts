import { CompactEncrypt, compactDecrypt } from 'jose';
import { livePlatformKeys, type PlatformKey } from './platform-key.ts';
import type { RecipientKey } from './recipient-key.ts';
import type { Vault } from './vault.ts';

const ANSWER_ALG = 'RSA-OAEP-256';
const ENC = 'A256GCM';
const INBOUND_ALGS = ['RSA-OAEP-256', 'RSA-OAEP'];
const INBOUND_MEMBERS = new Set(['alg', 'enc', 'kid', 'typ', 'cty']);
const FIVE_PARTS = /^[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){4}$/;

interface EncryptOptions {
  /** Only in calls to partners; answers carry no key id. */
  readonly kid?: string;
}

export type Decrypted =
  { readonly plaintext: Record<string, unknown> } | 'INVALID_PAYLOAD' | 'CANT_DECRYPT_PAYLOAD' | 'OVERLOADED';

/** Encrypts a JSON value to one recipient as a compact JWE (RSA-OAEP-256, A256GCM). */
export async function encryptTo(
  to: RecipientKey,
  value: unknown,
  options: EncryptOptions = {},
): Promise<string> {
  return await encryptBytes(to, Buffer.from(JSON.stringify(value)), options);
}

/** Encrypts bytes; the caller zeroes them when they hold card data. */
export async function encryptBytes(
  { key }: RecipientKey | PublicPart,
  plaintext: Uint8Array,
  { kid }: EncryptOptions = {},
): Promise<string> {
  return await new CompactEncrypt(plaintext)
    .setProtectedHeader({ alg: ANSWER_ALG, enc: ENC, ...(kid === undefined ? {} : { kid }) })
    .encrypt(key);
}

type PublicPart = Pick<RecipientKey, 'key'>;

/**
 * Opens a compact JWE made for one of our live keys (channels 8). `INVALID_PAYLOAD`: not five base64url parts,
 * or the plaintext is no JSON object. `CANT_DECRYPT_PAYLOAD`: every other fault, told and timed alike.
 * `OVERLOADED`: too many wait already. Authenticate the caller first: this costs an RSA operation.
 */
export async function decrypt(vault: Vault, compact: string): Promise<Decrypted> {
  if (!FIVE_PARTS.test(compact)) return 'INVALID_PAYLOAD';
  const opened = await vault.decryptions.run(() => openCompact(vault, compact));
  if (opened === 'OVERLOADED') return 'OVERLOADED';
  if (opened === null) return 'CANT_DECRYPT_PAYLOAD';
  const plaintext = jsonObject(opened);
  opened.fill(0);
  return plaintext === null ? 'INVALID_PAYLOAD' : { plaintext };
}

async function openCompact(vault: Vault, compact: string): Promise<Uint8Array | null> {
  const live = livePlatformKeys(vault);
  const candidates = keysFor(live, compact);
  for (const { privateKey } of candidates) {
    const opened = await openWith(compact, privateKey);
    if (opened !== null) return opened;
  }
  // A refused header must not answer sooner than a wrong key: every failure costs one opening for each live key.
  for (const { privateKey, publicKey } of live.slice(candidates.length)) {
    await openWith(await decoy(publicKey), privateKey);
  }
  return null;
}

/** The keys to try: the one that `kid` names, else all; none when the header is not one we accept. */
function keysFor(live: readonly PlatformKey[], compact: string): readonly PlatformKey[] {
  const header = jsonObject(Buffer.from(compact.slice(0, compact.indexOf('.')), 'base64url'));
  if (header === null || !isAcceptedHeader(header)) return [];
  const { kid } = header;
  return kid === undefined ? live : live.filter((one) => one.kid === kid);
}

function isAcceptedHeader(header: Readonly<Record<string, unknown>>): boolean {
  for (const [name, value] of Object.entries(header)) {
    if (!INBOUND_MEMBERS.has(name) || typeof value !== 'string') return false;
  }
  return INBOUND_ALGS.includes(String(header['alg'])) && header['enc'] === ENC;
}

async function openWith(compact: string, key: PlatformKey['privateKey']): Promise<Uint8Array | null> {
  try {
    const { plaintext } = await compactDecrypt(compact, key, {
      keyManagementAlgorithms: INBOUND_ALGS,
      contentEncryptionAlgorithms: [ENC],
      maxDecompressedLength: 0,
    });
    return plaintext;
  } catch {
    return null;
  }
}

const decoys = new WeakMap<PlatformKey['publicKey'], Promise<string>>();

async function decoy(publicKey: PlatformKey['publicKey']): Promise<string> {
  const made = decoys.get(publicKey) ?? encryptBytes({ key: publicKey }, Buffer.alloc(256));
  decoys.set(publicKey, made);
  return await made;
}

function jsonObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
