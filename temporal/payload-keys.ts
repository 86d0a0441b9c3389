/** The ring of keys that payloads are encrypted with: `current` encrypts, every key decrypts. */
export interface PayloadKeys {
  readonly current: string;
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Reads the text of `temporal-keys.json`; null when it is not a ring with its current key in it. */
export function parsePayloadKeys(json: string): PayloadKeys | null {
  const file = parseObject(json);
  const entries = file === null ? null : asObject(file['keys']);
  if (file === null || entries === null) return null;
  const keys = new Map<string, Uint8Array>();
  for (const [id, encoded] of Object.entries(entries)) {
    const bytes = typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
    if (!KEY_ID.test(id) || bytes.length !== KEY_BYTES) return null;
    keys.set(id, bytes);
  }
  const { current } = file;
  return typeof current === 'string' && keys.has(current) ? { current, keys } : null;
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    return asObject(JSON.parse(json));
  } catch {
    return null;
  }
}

const asObject = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
