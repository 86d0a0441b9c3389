import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { type Kysely, sql } from 'kysely';
import { nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';

/** Most rows that one call seals. */
export const AUDIT_SEALS_A_RUN = 1_000;
/** A row is found this long after it was stamped: far longer than any transaction lives. */
const LATE_SECONDS = 3_600;

/** An audit row in the form that is hashed; texts come from the database, so that no number is rounded. */
interface SealedRow {
  readonly id: string;
  readonly chain: string;
  readonly at: string;
  readonly partner_id: number | null;
  readonly actor_type: string;
  readonly actor_id: string;
  readonly action: string;
  readonly object_type: string;
  readonly object_id: string;
  readonly result: string;
  readonly request_id: string;
  readonly ip: string | null;
  readonly before: string | null;
  readonly after: string | null;
}

const ROW = sql`
  a.id, coalesce((select p.public_id::text from partners p where p.partner_id = a.partner_id), 'platform') as chain,
  to_char(a.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, a.partner_id, a.actor_type,
  a.actor_id, a.action, a.object_type, a.object_id, a.result, a.request_id, a.ip, a.before::text as before,
  a.after::text as after`;

/** Every row with an older time is sealed, or was slipped in; before the first seal that is none. */
const SEALED_UNTIL = sql`
  select case when newest is null then timestamptz '2000-01-01 00:00:00+00'
    else least(newest, cardloom_now()) - make_interval(secs => ${LATE_SECONDS}) end
  from (select max(sealed_at) as newest from audit_seals) sealed`;

/** What the first row of a chain is sealed to. */
export const firstHash = (chain: string): Buffer =>
  createHash('sha256').update(`cardloom-audit:${chain}`).digest();

/** `hash_n = SHA-256(hash_{n-1} || JCS(row without hash))` (administration 7). */
const nextHash = (previous: Buffer, seq: number, row: SealedRow): Buffer =>
  createHash('sha256')
    .update(previous)
    .update(canonicalize({ ...row, seq }) ?? '')
    .digest();

/**
 * Numbers and seals audit rows that are not sealed yet, off the path of those who write; answers how many. Sealers
 * wait for each other, so a chain has no gap and no fork. Engine only.
 */
export async function sealAudit(trx: Trx): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtext('seal-audit'))`.execute(trx);
  const { rows } = await sql<SealedRow>`
    select ${ROW} from audit_log a
    where a.id >= id_bound((${SEALED_UNTIL}))
      and not exists (select from audit_seals s where s.audit_id = a.id)
    order by a.id limit ${AUDIT_SEALS_A_RUN}`.execute(trx);
  if (rows.length === 0) return 0;
  const heads = await headsOf(trx, [...new Set(rows.map((row) => row.chain))]);
  const seals = rows.map((row) => {
    const head = heads.get(row.chain) ?? { seq: 0, hash: firstHash(row.chain) };
    const seq = head.seq + 1;
    const hash = nextHash(head.hash, seq, row);
    heads.set(row.chain, { seq, hash });
    return { chain: row.chain, seq, audit_id: row.id, hash, sealed_at: nowOf(trx) };
  });
  await trx.insertInto('audit_seals').values(seals).execute();
  return seals.length;
}

interface Head {
  readonly seq: number;
  readonly hash: Buffer;
}

async function headsOf(db: Kysely<Database>, chains?: readonly string[]): Promise<Map<string, Head>> {
  const rows = await db
    .selectFrom('audit_seals')
    .distinctOn('chain')
    .select(['chain', 'seq', 'hash'])
    .$if(chains !== undefined, (query) => query.where('chain', 'in', chains as string[]))
    .orderBy('chain')
    .orderBy('seq', 'desc')
    .execute();
  return new Map(rows.map(({ chain, seq, hash }) => [chain, { seq, hash }]));
}

/** Where every chain stands, for an anchor; hashes as hexadecimal. Engine only. */
export async function auditHeads(
  engine: Kysely<Database>,
): Promise<{ at: Date; heads: { chain: string; seq: number; hash: string }[] }> {
  const { rows } = await sql<{ now: Date }>`select cardloom_now() as now`.execute(engine);
  const heads = await headsOf(engine);
  const at = rows[0]?.now;
  if (at === undefined) throw new Error('the database gave no time');
  return {
    at,
    heads: [...heads].map(([chain, { seq, hash }]) => ({ chain, seq, hash: hash.toString('hex') })),
  };
}

export type ChainProblem = 'HASH' | 'GAP' | 'ORDER' | 'ANCHOR';

/** What was found in one chain; `problem` null when it is whole. */
export interface ChainVerdict {
  readonly chain: string;
  readonly rows: number;
  readonly ok: boolean;
  readonly firstBadSeq: number | null;
  readonly problem: ChainProblem | null;
}

/** A head that was anchored outside the database. */
export interface AnchoredHead {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
}

/** What of the chains is proved; places count from 1, both ends included. */
export interface ProvedPart {
  /** The only chain; all without it. */
  readonly chain?: string | undefined;
  readonly fromSeq?: number | undefined;
  readonly toSeq?: number | undefined;
}

/**
 * Proves chains from the rows: every hash fits its row and the hash before, no place and no row is missing, no row was
 * slipped in later, and every anchored head is still there. All chains or one, whole or from a place to a place: the
 * hash before the first place is then taken as it is kept. Engine only.
 */
export async function verifyAudit(
  engine: Kysely<Database>,
  anchored: readonly AnchoredHead[],
  { chain: only, fromSeq = 1, toSeq = Number.MAX_SAFE_INTEGER }: ProvedPart = {},
): Promise<ChainVerdict[]> {
  const known = [...(await headsOf(engine)).keys(), ...anchored.map((one) => one.chain)];
  // What was slipped in has no place, so that only a whole proof can find it.
  const whole = fromSeq === 1 && toSeq === Number.MAX_SAFE_INTEGER;
  const late = whole ? await slippedIn(engine) : [];
  const chains = [...new Set([...known, ...late])].filter((chain) => only === undefined || chain === only);
  const verdicts: ChainVerdict[] = [];
  for (const chain of chains.toSorted()) {
    const heads = anchored.filter((one) => one.chain === chain);
    const outside = new Map(heads.map(({ seq, hash }) => [seq, hash]));
    const walked = await walk(engine, chain, outside, fromSeq, toSeq);
    verdicts.push(walked.ok && late.includes(chain) ? { ...walked, ok: false, problem: 'ORDER' } : walked);
  }
  return verdicts;
}

/** Chains with rows that no sealer will ever find: they were written with an old time. */
async function slippedIn(engine: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ chain: string }>`
    select distinct coalesce((select p.public_id::text from partners p where p.partner_id = a.partner_id), 'platform')
      as chain
    from audit_log a
    where a.id < id_bound((${SEALED_UNTIL}))
      and not exists (select from audit_seals s where s.audit_id = a.id)`.execute(engine);
  return rows.map((row) => row.chain);
}

const STEP = 1_000;

async function walk(
  engine: Kysely<Database>,
  chain: string,
  anchored: ReadonlyMap<number, string>,
  fromSeq: number,
  toSeq: number,
): Promise<ChainVerdict> {
  let hash = fromSeq === 1 ? firstHash(chain) : await keptHash(engine, chain, fromSeq - 1);
  let seq = fromSeq - 1;
  let proved = 0;
  const verdict = (problem: ChainProblem | null, firstBadSeq: number | null): ChainVerdict => ({
    chain,
    rows: proved,
    ok: problem === null,
    firstBadSeq,
    problem,
  });
  // The chain does not reach that far.
  if (hash === null) return verdict(null, null);
  for (;;) {
    const rows = await sealedRows(engine, chain, seq, toSeq);
    for (const { seq: stored, hash: kept, row } of rows) {
      if (stored !== seq + 1 || row === null) return verdict('GAP', seq + 1);
      hash = nextHash(hash, stored, row);
      if (!hash.equals(kept)) return verdict('HASH', stored);
      seq = stored;
      proved += 1;
      const outside = anchored.get(seq);
      if (outside !== undefined && outside !== hash.toString('hex')) return verdict('ANCHOR', seq);
    }
    if (rows.length < STEP) break;
  }
  // An anchor of a place that is not there any more: the end of the chain was cut off.
  const lost = [...anchored.keys()].filter((place) => place > seq && place <= toSeq);
  return lost.length > 0 ? verdict('ANCHOR', seq + 1) : verdict(null, null);
}

async function keptHash(engine: Kysely<Database>, chain: string, seq: number): Promise<Buffer | null> {
  const row = await engine
    .selectFrom('audit_seals')
    .select('hash')
    .where('chain', '=', chain)
    .where('seq', '=', seq)
    .executeTakeFirst();
  return row?.hash ?? null;
}

/** The next seals of a chain with their audit rows; null for a row that is gone. */
async function sealedRows(
  engine: Kysely<Database>,
  chain: string,
  after: number,
  last: number,
): Promise<{ seq: number; hash: Buffer; row: SealedRow | null }[]> {
  const { rows } = await sql<SealedRow & { seal_seq: number; seal_hash: Buffer; present: boolean }>`
    select s.seq as seal_seq, s.hash as seal_hash, a.id is not null as present, ${ROW}
    from audit_seals s left join audit_log a on a.id = s.audit_id
    where s.chain = ${chain} and s.seq > ${after} and s.seq <= ${last} order by s.seq limit ${STEP}`.execute(
    engine,
  );
  return rows.map(({ seal_seq: seq, seal_hash: hash, present, ...row }) => ({
    seq,
    hash,
    row: present ? row : null,
  }));
}
