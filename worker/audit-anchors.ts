import type { Kysely } from 'kysely';
import { auditHeads } from '../db/audit-seals.ts';
import type { Database } from '../db/database.ts';
import { type Anchor, type AnchoredHeads, signAnchor } from '../vault/audit-anchor.ts';
import type { Vault } from '../vault/vault.ts';

/** The heads of all audit chains as they are now, signed: proof outside the database of what was in it. */
export async function makeAnchor(engine: Kysely<Database>, vault: Vault): Promise<Anchor> {
  const { at, heads } = await auditHeads(engine);
  return signAnchor(vault, { at: at.toISOString(), heads });
}

/** The chains whose heads an anchor holds. */
export const chainsOf = ({ text }: Anchor): string[] =>
  (JSON.parse(text) as AnchoredHeads).heads.map((one) => one.chain);
