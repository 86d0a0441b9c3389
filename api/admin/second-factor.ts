import { type Operator, takeTotpStep, type TotpState } from '../../db/operators.ts';
import type { Trx } from '../../db/atomically.ts';
import { queueSecretMail } from '../../db/messages.ts';
import { keyedHash } from '../../vault/keyed-hash.ts';
import { newestKey } from '../../vault/key-ring.ts';
import { openBody, sealBody } from '../../vault/message-bodies.ts';
import { hashCode, isCode, newCode } from '../../vault/one-time-code.ts';
import { sealMailFacts } from '../../vault/sealed-mail.ts';
import { totpStep } from '../../vault/totp.ts';
import type { Vault } from '../../vault/vault.ts';

const CODE_DIGITS = 4;

/** Under what an address counts its tries, known or not. */
export const emailHashOf = (vault: Vault, email: string): Buffer =>
  keyedHash(newestKey(vault.personalDataIndex), 'operator-email', email);

/** Mails a fresh code that is good for `place`, and answers its hash. */
export async function mailCode(
  trx: Trx,
  vault: Vault,
  operator: { readonly email: string },
  place: string,
): Promise<Buffer> {
  const code = newCode(CODE_DIGITS);
  await queueSecretMail(trx, {
    template: 'operatorCode',
    subjectId: place,
    to: operator.email,
    sealed: sealMailFacts(vault, place, { code }),
  });
  return hashCode(vault, place, code);
}

/** True when `code` is the mailed one of `place`. */
export const isMailedCode = (vault: Vault, place: string, code: string, hash: Buffer | null): boolean =>
  hash !== null && isCode(vault, place, code, hash);

/** Takes a code of the operator's authenticator app, once; false when it is wrong or was taken before. */
export async function takeTotp(
  trx: Trx,
  vault: Vault,
  operator: Operator & TotpState,
  code: string,
): Promise<boolean> {
  const { operatorId, totpSecret, now } = operator;
  if (totpSecret === null) return false;
  const secret = openTotp(vault, operatorId, totpSecret);
  const step = totpStep(secret, code, now.getTime(), operator.totpStep);
  if (step !== null) await takeTotpStep(trx, operatorId, step);
  return step !== null;
}

const placeOf = (operatorId: string) => ({
  partnerId: null,
  table: 'operators',
  rowId: operatorId,
  field: 'totp',
});

/** Seals a secret of an authenticator app. */
export const sealTotp = (vault: Vault, operatorId: string, secret: Buffer): Buffer =>
  sealBody(vault, placeOf(operatorId), secret);

/** Opens what `sealTotp` made. */
export const openTotp = (vault: Vault, operatorId: string, sealed: Buffer): Buffer =>
  openBody(vault, placeOf(operatorId), sealed);
