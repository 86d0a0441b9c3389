import type { Selectable } from 'kysely';
import type { RefusalCode } from '../domain/errors.ts';
import { Refusal } from '../domain/errors.ts';
import { countKilledCode, countSending, forgetKilledCode, type GuardedAddress } from './address-guards.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { OneTimeCodesTable } from './database.ts';

export type CodePurpose = OneTimeCodesTable['purpose'];
export type CodeRow = Selectable<OneTimeCodesTable>;

const CODE_SECONDS = 5 * 60;
const OBJECT_SECONDS = 30 * 60;
const RESEND_SECONDS = 60;
const MOST_RESENDS = 3;
const MOST_TRIES = 5;

export interface NewCode extends GuardedAddress {
  readonly codeId: string;
  readonly purpose: CodePurpose;
  readonly customerId: number | null;
  readonly codeHash: Buffer;
  readonly secondCodeHash: Buffer | null;
  /** What the confirmation will do, sealed. */
  readonly data: Buffer | null;
}

/** When a code ends and when another may be asked for. */
export interface CodeTimes {
  readonly otpExpiresAt: Date;
  readonly resendAfter: Date;
}

/** Stores what a code will confirm (channels 11). Throws `TOO_MANY_REQUESTS`, `TOO_MANY_ATTEMPTS`. */
export async function storeCode(trx: Trx, code: NewCode): Promise<CodeTimes> {
  await countSending(trx, code);
  const now = nowOf(trx);
  await trx
    .insertInto('one_time_codes')
    .values({
      code_id: code.codeId,
      partner_id: code.partnerId,
      programme_id: code.programmeId,
      purpose: code.purpose,
      customer_id: code.customerId,
      address_index: code.addressIndex,
      code_hash: code.codeHash,
      second_code_hash: code.secondCodeHash,
      data: code.data,
      created_at: now,
      sent_at: now,
      code_expires_at: after(now, CODE_SECONDS),
      expires_at: after(now, OBJECT_SECONDS),
      used_at: null,
      killed_at: null,
    })
    .execute();
  return { otpExpiresAt: after(now, CODE_SECONDS), resendAfter: after(now, RESEND_SECONDS) };
}

interface CodeLook {
  readonly codeId: string;
  readonly purpose: CodePurpose;
  readonly programmeId: number;
  /** Whose it must be, where the caller is known. */
  readonly customerId?: number;
}

/** Replaces a code by a new one; the old dies. Throws 404, `TOO_MANY_REQUESTS`, `TOO_MANY_ATTEMPTS`. */
export async function resendCode(
  trx: Trx,
  look: CodeLook,
  hashes: { readonly codeHash: Buffer; readonly secondCodeHash: Buffer | null },
): Promise<CodeRow> {
  const row = await holdCode(trx, look);
  const now = nowOf(trx);
  if (row.resends >= MOST_RESENDS) throw tooMany(row.expires_at, now);
  const freeAt = after(row.sent_at, RESEND_SECONDS);
  if (freeAt > now) throw tooMany(freeAt, now);
  await countSending(trx, addressOf(row));
  await trx
    .updateTable('one_time_codes')
    .set({
      code_hash: hashes.codeHash,
      second_code_hash: row.second_code_hash === null ? null : hashes.secondCodeHash,
      resends: row.resends + 1,
      sent_at: now,
      code_expires_at: after(now, CODE_SECONDS),
    })
    .where('code_id', '=', row.code_id)
    .execute();
  return row;
}

/** A guess at a code that was counted before anybody looked at it. */
export interface ChargedCode {
  readonly row: CodeRow;
  /** When the guess killed the object, as the fifth one; null for the ones before. */
  readonly killedAt: Date | null;
}

/**
 * Charges one guess at a code, as if it were wrong; the caller commits before it compares. `EXPIRED`: there is nothing
 * to compare with until it is sent again. The fifth one kills the object. Throws `missing` for an unknown, used, killed
 * or old object.
 */
export async function chargeCode(trx: Trx, look: CodeLook): Promise<ChargedCode | 'EXPIRED'> {
  const row = await holdCode(trx, look);
  const now = nowOf(trx);
  if (row.code_expires_at <= now) return 'EXPIRED';
  const tries = row.tries + 1;
  const killedAt = tries >= MOST_TRIES ? now : null;
  await trx
    .updateTable('one_time_codes')
    .set({ tries, killed_at: killedAt })
    .where('code_id', '=', row.code_id)
    .execute();
  if (killedAt !== null) await countKilledCode(trx, addressOf(row), killedAt);
  return { row, killedAt };
}

/** Gives the charge of a right guess back: what follows may still be refused, and the code be sent again. */
export async function returnCharge(trx: Trx, { row, killedAt }: ChargedCode): Promise<void> {
  await trx
    .updateTable('one_time_codes')
    .set((set) => ({ tries: set('tries', '-', 1), killed_at: null }))
    .where('code_id', '=', row.code_id)
    .where('tries', '>', 0)
    .execute();
  if (killedAt !== null) await forgetKilledCode(trx, addressOf(row), killedAt);
}

/** Uses a code up, with the effect it confirms. Throws 404 when somebody was faster. */
export async function useCode(trx: Trx, look: CodeLook): Promise<void> {
  const used = await trx
    .updateTable('one_time_codes')
    .set({ used_at: nowOf(trx), data: null })
    .where('code_id', '=', look.codeId)
    .where('used_at', 'is', null)
    .executeTakeFirst();
  if (Number(used.numUpdatedRows) === 0) throw missing(look.purpose);
}

async function holdCode(trx: Trx, look: CodeLook): Promise<CodeRow> {
  let query = trx
    .selectFrom('one_time_codes')
    .selectAll()
    .where('code_id', '=', look.codeId)
    .where('purpose', '=', look.purpose)
    .where('programme_id', '=', look.programmeId)
    .where('used_at', 'is', null)
    .where('killed_at', 'is', null)
    .where('expires_at', '>', nowOf(trx));
  if (look.customerId !== undefined) query = query.where('customer_id', '=', look.customerId);
  const row = await query.forUpdate().executeTakeFirst();
  if (row === undefined) throw missing(look.purpose);
  return row;
}

const MISSING: Readonly<Record<CodePurpose, RefusalCode>> = {
  REGISTRATION: 'REGISTRATION_NOT_FOUND',
  ACTIVATION: 'ACTIVATION_NOT_FOUND',
  // Its identifier is no resource of its own: what is wrong, used or old is answered alike.
  PASSWORD_RESET: 'INVALID_CODE',
  CONTACT_CHANGE: 'INVALID_CODE',
};

const missing = (purpose: CodePurpose): Refusal =>
  new Refusal(MISSING[purpose], 'There is none that could still be confirmed. Start again.');

const addressOf = (row: CodeRow): GuardedAddress => ({
  programmeId: row.programme_id,
  partnerId: row.partner_id,
  addressIndex: row.address_index,
});

const after = (at: Date, seconds: number): Date => new Date(at.getTime() + seconds * 1000);

const tooMany = (freeAt: Date, now: Date): Refusal =>
  new Refusal('TOO_MANY_REQUESTS', 'A new code cannot be sent yet.', {
    retryAfterSeconds: Math.max(1, Math.ceil((freeAt.getTime() - now.getTime()) / 1000)),
  });
