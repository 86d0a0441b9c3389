import { type Kysely, sql } from 'kysely';
import { nowOf, type Trx } from './atomically.ts';
import { audit } from './audit-log.ts';
import type { ChainVerdict } from './audit-seals.ts';
import type { Database } from './database.ts';

/** What was read of the anchors for a proof. */
export interface CheckedAnchors {
  readonly checked: number;
  readonly forged: number;
  readonly lastAt: string | null;
}

/** Keeps what was found in whole chains, instead of what was found before. Engine only. */
export async function keepVerdicts(
  trx: Trx,
  verdicts: readonly ChainVerdict[],
  anchors: CheckedAnchors,
): Promise<void> {
  for (const { chain, rows, ok, firstBadSeq, problem } of verdicts) {
    const found = {
      checked_at: nowOf(trx),
      rows,
      ok,
      first_bad_seq: firstBadSeq,
      problem,
      anchors_checked: anchors.checked,
      anchors_forged: anchors.forged,
      last_anchor_at: anchors.lastAt === null ? null : new Date(anchors.lastAt),
    };
    await trx
      .insertInto('audit_verifications')
      .values({ chain, ...found })
      .onConflict((conflict) => conflict.column('chain').doUpdateSet(found))
      .execute();
  }
}

/** Keeps what the nightly proof of all chains found, with its audit row; true when all is whole. Engine only. */
export async function keepNightlyProof(
  trx: Trx,
  verdicts: readonly ChainVerdict[],
  anchors: CheckedAnchors,
): Promise<boolean> {
  const broken = verdicts.filter((one) => !one.ok);
  const ok = broken.length === 0 && anchors.forged === 0;
  await keepVerdicts(trx, verdicts, anchors);
  await audit(trx, {
    action: 'audit.verified',
    objectType: 'audit_log',
    objectId: 'all',
    result: ok ? 'OK' : 'FAILED',
    after: {
      chains: verdicts.length,
      anchorsChecked: anchors.checked,
      anchorsForged: anchors.forged,
      broken: broken.map(({ chain, firstBadSeq, problem }) => ({ chain, firstBadSeq, problem })),
    },
  });
  return ok;
}

/** True when the proof of last night (03:30 UTC) has not been made yet. Engine only. */
export async function isProofDue(engine: Kysely<Database>): Promise<boolean> {
  const { rows } = await sql<{ due: boolean }>`
    select coalesce(max(created_at) < date_trunc('day', cardloom_now() - interval '3 hours 30 minutes', 'UTC')
      + interval '3 hours 30 minutes', true) as due
    from audit_log
    where action = 'audit.verified' and actor_type = 'SYSTEM' and id >= id_bound(cardloom_now() - interval '2 days')`.execute(
    engine,
  );
  return rows[0]?.due ?? true;
}

/** How each chain stands for those who watch: its last verdict, and the age of its oldest row without a seal. */
export async function auditStanding(
  engine: Kysely<Database>,
): Promise<{ readonly chain: string; readonly ok: boolean | null; readonly unsealedSeconds: number }[]> {
  const { rows } = await sql<{ chain: string; ok: boolean | null; unsealedSeconds: number }>`
    with unsealed as (
      select coalesce((select p.public_id::text from partners p where p.partner_id = a.partner_id), 'platform') as chain,
        extract(epoch from cardloom_now() - min(a.created_at))::float8 as seconds
      from audit_log a
      where a.id >= id_bound(cardloom_now() - interval '1 day')
        and not exists (select from audit_seals s where s.audit_id = a.id)
      group by 1)
    select coalesce(u.chain, v.chain) as chain, v.ok, coalesce(u.seconds, 0) as "unsealedSeconds"
    from unsealed u full join audit_verifications v on v.chain = u.chain`.execute(engine);
  return rows;
}
