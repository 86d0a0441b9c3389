import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { newestKey } from './key-ring.ts';
import type { Vault } from './vault.ts';

/** Where every audit chain stood at a moment; hashes as hexadecimal. */
export interface AnchoredHeads {
  readonly at: string;
  readonly heads: readonly { readonly chain: string; readonly seq: number; readonly hash: string }[];
}

/** Signed heads, as they are kept outside the database (administration 7). */
export interface Anchor {
  /** The signed bytes: JSON of `AnchoredHeads`. */
  readonly text: string;
  readonly keyVersion: number;
  /** Ed25519, base64. */
  readonly signature: string;
}

/** Signs heads with the newest key. */
export function signAnchor(vault: Vault, heads: AnchoredHeads): Anchor {
  const text = JSON.stringify(heads);
  const key = privateKeyOf(newestKey(vault.auditAnchor).export());
  const signature = sign(null, Buffer.from(text), key).toString('base64');
  return { text, keyVersion: vault.auditAnchor.newest, signature };
}

/** The heads of an anchor; null when it was not signed by a key of ours. */
export function openAnchor(vault: Vault, anchor: Anchor): AnchoredHeads | null {
  const key = vault.auditAnchor.keys.get(anchor.keyVersion);
  if (key === undefined) return null;
  const publicKey = createPublicKey(privateKeyOf(key.export()));
  const signed = verify(null, Buffer.from(anchor.text), publicKey, Buffer.from(anchor.signature, 'base64'));
  return signed ? (JSON.parse(anchor.text) as AnchoredHeads) : null;
}

function privateKeyOf(pkcs8: Buffer) {
  try {
    return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  } finally {
    pkcs8.fill(0);
  }
}
