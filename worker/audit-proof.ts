import type { Kysely } from 'kysely';
import { atomically } from '../db/atomically.ts';
import { verifyAudit } from '../db/audit-seals.ts';
import { isProofDue, keepNightlyProof } from '../db/audit-verifications.ts';
import type { Database } from '../db/database.ts';
import type { Caller } from '../domain/actor.ts';
import type { AnchorSink } from '../vault/anchor-sink.ts';
import { readAnchors } from '../vault/read-anchors.ts';
import type { Vault } from '../vault/vault.ts';

/**
 * Proves all audit chains once a night (administration 7); null where that was done already, else whether all is
 * whole. What was found is kept with its audit row, and told by `audit_verify_ok`.
 */
export async function proveAuditNightly(
  { engine, vault, anchors }: { engine: Kysely<Database>; vault: Vault; anchors: AnchorSink },
  caller: Caller,
): Promise<boolean | null> {
  if (!(await isProofDue(engine))) return null;
  const read = await readAnchors(vault, anchors);
  const verdicts = await verifyAudit(engine, read.heads);
  return await atomically(engine, caller, (trx) => keepNightlyProof(trx, verdicts, read));
}
