import { readFileSync } from 'node:fs';
import { type Authority, openAuthority } from './certificate-authority.ts';
import { openBody, sealBody } from './message-bodies.ts';
import type { Vault } from './vault.ts';

const PLACE = { partnerId: null, table: 'certificate_authority', rowId: 'issuing', field: 'key' } as const;
const SEALED = 'cardloom-sealed-key:';

/** The issuing key as it lies in a file of production: only this vault opens it (channels 9). */
export const sealAuthorityKey = (vault: Vault, keyPem: string): string =>
  `${SEALED}${sealBody(vault, PLACE, Buffer.from(keyPem)).toString('base64')}\n`;

/**
 * The issuing authority of two files: its chain, and its key as `sealAuthorityKey` wrote it, or as PEM where
 * `plainAllowed`. Throws where a plain key is not allowed.
 */
export async function openAuthorityFiles(
  vault: Vault,
  files: { readonly chain: string; readonly key: string },
  plainAllowed: boolean,
): Promise<Authority> {
  const text = readFileSync(files.key, 'utf8').trim();
  const sealed = text.startsWith(SEALED);
  if (!sealed && !plainAllowed)
    throw new Error('the key of the issuing authority is not sealed by the vault');
  const keyPem = sealed
    ? openBody(vault, PLACE, Buffer.from(text.slice(SEALED.length), 'base64')).toString('utf8')
    : text;
  return await openAuthority(readFileSync(files.chain, 'utf8'), keyPem);
}
