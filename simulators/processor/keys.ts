import { z } from 'zod';

/** The keys shared with the platform: the card verification key and the PIN transport key. */
export interface ProcessorKeys {
  /** Double-length 3DES key, 16 bytes. */
  readonly cvk: Buffer;
  readonly pinTransport: { readonly keyId: string; readonly key: Buffer };
}

const hex16 = z.string().regex(/^[0-9a-fA-F]{32}$/);
const keyFile = z.object({
  cvk: z.object({ version: z.number().int().optional(), key: hex16 }),
  pinTransport: z.object({ keyId: z.string().min(1), key: hex16 }),
});

/** Reads the text of a key file (`processor-keys.json`); null when it is not one. */
export function parseProcessorKeys(text: string): ProcessorKeys | null {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = keyFile.safeParse(content);
  if (!parsed.success) return null;
  const { cvk, pinTransport } = parsed.data;
  return {
    cvk: Buffer.from(cvk.key, 'hex'),
    pinTransport: { keyId: pinTransport.keyId, key: Buffer.from(pinTransport.key, 'hex') },
  };
}
