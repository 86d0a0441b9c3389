import { OPERATOR_TRIES, lockedUntil } from '../domain/lock-out.ts';
import { Refusal } from '../domain/errors.ts';
import { nowOf, type Trx } from './atomically.ts';
import { audit } from './audit-log.ts';

const WINDOW_MS = 15 * 60 * 1_000;
const SIGN_INS_A_WINDOW = 10;
const HOUR_MS = 60 * 60 * 1_000;
/** Mails of one kind that an address gets in an hour. */
const MAILS_AN_HOUR = 5;

interface Mails {
  readonly startedAt: Date;
  readonly count: number;
}

interface SignIns {
  readonly failures: number;
  readonly lockedUntil: Date | null;
  readonly windowStartedAt: Date;
  readonly signIns: number;
  readonly codes: Mails;
  readonly links: Mails;
}

/** Locks the counters of an address, known or not, for the rest of the transaction. Engine only. */
async function lockSignIns(trx: Trx, emailHash: Buffer): Promise<SignIns> {
  const now = nowOf(trx);
  await trx
    .insertInto('operator_sign_ins')
    .values({
      email_hash: emailHash,
      locked_until: null,
      window_started_at: now,
      codes_started_at: now,
      links_started_at: now,
    })
    .onConflict((conflict) => conflict.column('email_hash').doNothing())
    .execute();
  const row = await trx
    .selectFrom('operator_sign_ins')
    .selectAll()
    .where('email_hash', '=', emailHash)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const lockIsOver = row.locked_until !== null && row.locked_until <= now;
  return {
    // A lock that is over gives all tries back.
    failures: lockIsOver ? 0 : row.failures,
    lockedUntil: lockIsOver ? null : row.locked_until,
    windowStartedAt: row.window_started_at,
    signIns: row.sign_ins,
    codes: { startedAt: row.codes_started_at, count: row.codes },
    links: { startedAt: row.links_started_at, count: row.links },
  };
}

/** How a try with an address may go on. */
export type TryVerdict =
  { readonly kind: 'go on' } | { readonly kind: 'wait'; readonly locked: boolean; readonly seconds: number };

/**
 * Takes one try of an address before the password is looked at, so that parallel guesses cannot outnumber it: the
 * try counts as wrong until `giveTryBack`. Commit before the password is checked. `operatorId` is null for an unknown
 * address. Engine only.
 */
export async function takeTry(
  trx: Trx,
  emailHash: Buffer,
  operatorId: string | null,
  timeZone: string,
): Promise<TryVerdict> {
  const now = nowOf(trx);
  const counters = await lockSignIns(trx, emailHash);
  // Tries that were never settled, because their process died, count like wrong ones.
  const unsettled = counters.lockedUntil === null && counters.failures >= OPERATOR_TRIES;
  const lock = unsettled
    ? await lockOut(trx, emailHash, operatorId, counters, timeZone)
    : counters.lockedUntil;
  if (lock !== null) return { kind: 'wait', locked: true, seconds: secondsUntil(now, lock) };
  const fresh = now.getTime() - counters.windowStartedAt.getTime() >= WINDOW_MS;
  const signIns = fresh ? 0 : counters.signIns;
  if (signIns >= SIGN_INS_A_WINDOW) {
    const until = new Date(counters.windowStartedAt.getTime() + WINDOW_MS);
    return { kind: 'wait', locked: false, seconds: secondsUntil(now, until) };
  }
  await setCounters(trx, emailHash, {
    failures: counters.failures + 1,
    locked_until: null,
    sign_ins: signIns + 1,
    ...(fresh ? { window_started_at: now } : {}),
  });
  return { kind: 'go on' };
}

const secondsUntil = (now: Date, until: Date): number =>
  Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1_000));

/** Tells to wait: 429 with the time until it makes sense again. */
export const waitRefusal = (locked: boolean, seconds: number): Refusal =>
  new Refusal(
    locked ? 'TOO_MANY_ATTEMPTS' : 'TOO_MANY_REQUESTS',
    locked ? 'Too many wrong tries. Sign-in is locked for now.' : 'Too many sign-ins. Wait a little.',
    { retryAfterSeconds: seconds },
  );

/**
 * The try was wrong and stays counted; the fifth in a row locks. `operatorId` is null for an unknown address, which
 * is locked like any other. True when it is locked now.
 */
export async function lockAfterTries(
  trx: Trx,
  emailHash: Buffer,
  operatorId: string | null,
  timeZone: string,
): Promise<boolean> {
  const counters = await lockSignIns(trx, emailHash);
  if (counters.failures < OPERATOR_TRIES) return false;
  await lockOut(trx, emailHash, operatorId, counters, timeZone);
  return true;
}

/** Locks an address, and the operator where there is one, until the time it answers. */
async function lockOut(
  trx: Trx,
  emailHash: Buffer,
  operatorId: string | null,
  { failures, lockedUntil: known }: SignIns,
  timeZone: string,
): Promise<Date> {
  const until = known ?? lockedUntil(nowOf(trx), timeZone);
  await setCounters(trx, emailHash, { failures, locked_until: until });
  if (operatorId === null) return until;
  const locked = await trx
    .updateTable('operators')
    .set({ locked_until: until })
    .where('operator_id', '=', operatorId)
    .where((where) => where.or([where('locked_until', 'is', null), where('locked_until', '<', until)]))
    .executeTakeFirst();
  if (Number(locked.numUpdatedRows) > 0) {
    await audit(trx, {
      action: 'operator.locked',
      objectType: 'operator',
      objectId: operatorId,
      after: { until: until.toISOString() },
    });
  }
  return until;
}

/** The try of `takeTry` was right: it does not count. Throws `TOO_MANY_ATTEMPTS` when others have locked meanwhile. */
export async function giveTryBack(trx: Trx, emailHash: Buffer): Promise<void> {
  const counters = await lockSignIns(trx, emailHash);
  refuseLocked(trx, counters);
  const failures = Math.max(0, counters.failures - 1);
  await setCounters(trx, emailHash, { failures, locked_until: null });
}

/** Locks the counters for a look at a code. Throws `TOO_MANY_ATTEMPTS` while locked. */
export async function lockTries(trx: Trx, emailHash: Buffer): Promise<void> {
  refuseLocked(trx, await lockSignIns(trx, emailHash));
}

function refuseLocked(trx: Trx, counters: SignIns): void {
  if (counters.lockedUntil === null) return;
  throw waitRefusal(true, secondsUntil(nowOf(trx), counters.lockedUntil));
}

/** Counts a wrong code; `lockAfterTries` follows. */
export async function countWrongCode(trx: Trx, emailHash: Buffer): Promise<void> {
  const counters = await lockSignIns(trx, emailHash);
  await setCounters(trx, emailHash, { failures: counters.failures + 1, locked_until: counters.lockedUntil });
}

/** Somebody is in, or an Admin has unlocked: the count starts again. */
export async function forgetTries(trx: Trx, emailHash: Buffer): Promise<void> {
  await setCounters(trx, emailHash, { failures: 0, locked_until: null });
}

/**
 * Takes one of the five mails with a code, or with a link, that an address gets in an hour; false when they are used
 * up. Anybody may ask for links, so they are counted apart: they cost nobody a code.
 */
export async function takeMail(trx: Trx, emailHash: Buffer, kind: 'codes' | 'links'): Promise<boolean> {
  const now = nowOf(trx);
  const counters = await lockSignIns(trx, emailHash);
  const { startedAt, count } = counters[kind];
  const fresh = now.getTime() - startedAt.getTime() >= HOUR_MS;
  const sent = fresh ? 0 : count;
  if (sent >= MAILS_AN_HOUR) return false;
  await setCounters(trx, emailHash, {
    failures: counters.failures,
    locked_until: counters.lockedUntil,
    [kind]: sent + 1,
    ...(fresh ? { [`${kind}_started_at`]: now } : {}),
  });
  return true;
}

async function setCounters(
  trx: Trx,
  emailHash: Buffer,
  values: {
    readonly failures: number;
    readonly locked_until: Date | null;
    readonly sign_ins?: number;
    readonly window_started_at?: Date;
    readonly codes?: number;
    readonly codes_started_at?: Date;
    readonly links?: number;
    readonly links_started_at?: Date;
  },
): Promise<void> {
  await trx.updateTable('operator_sign_ins').set(values).where('email_hash', '=', emailHash).execute();
}
