import type { Trx } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import { lastPasswords } from '../../db/operator-passwords.ts';
import { endOperatorSession } from '../../db/operator-sessions.ts';
import {
  countWrongStepUp,
  keepStepUpCode,
  lockStepUpCode,
  stepUpSession,
} from '../../db/operator-step-ups.ts';
import {
  countWrongCode,
  forgetTries,
  giveTryBack,
  lockAfterTries,
  lockTries,
  takeMail,
  takeTry,
  waitRefusal,
} from '../../db/operator-sign-ins.ts';
import { acceptTotp, findOperator, lockOperator, offerTotp } from '../../db/operators.ts';
import { Refusal } from '../../domain/errors.ts';
import { isSecret } from '../../vault/password.ts';
import { newTotpSecret, otpauthUri, totpStep } from '../../vault/totp.ts';
import { adminRoute } from '../operator-principal.ts';
import { z } from '../schemas/shared.ts';
import type { AdminCall } from './four-eyes.ts';
import { hashNewPassword, setPassword } from './new-password.ts';
import { secretText } from './schemas.ts';
import { emailHashOf, isMailedCode, mailCode, openTotp, sealTotp, takeTotp } from './second-factor.ts';

const own = { permission: 'self', jwe: 'open', idempotency: 'ignored' } as const;
const codeText = () => z.string({ error: 'must be text' }).max(16);
const HOUR_SECONDS = 3_600;

const invalidCode = (): Refusal => new Refusal('INVALID_CODE', 'The code is wrong, used or too old.');

/** A wrong try of a session is counted: where it locks the operator out, it ends the session it came through. */
async function settleWrong(
  trx: Trx,
  { principal, services: { vault, operators } }: Pick<AdminCall, 'principal' | 'services'>,
): Promise<void> {
  const { email, operatorId, sessionId } = principal;
  if (!(await lockAfterTries(trx, emailHashOf(vault, email), operatorId, operators.timeZone))) return;
  await endOperatorSession(trx, sessionId);
}

const changePassword = adminRoute({
  ...own,
  operation: 'changeOwnPassword',
  method: 'PUT',
  path: '/me/password',
  summary: 'Change the own password',
  body: z.strictObject({ current: secretText(), new: secretText() }),
  answers: { 204: { description: 'changed; other sessions have ended' } },
  refusals: ['INVALID_CREDENTIALS', 'WEAK_SECRET', 'TOO_MANY_ATTEMPTS', 'TOO_MANY_REQUESTS', 'OVERLOADED'],
  handle: async (call) => {
    const { services, principal, body } = call;
    const { vault, engine, operators } = services;
    const { operatorId, sessionId } = principal;
    const emailHash = emailHashOf(vault, principal.email);
    const verdict = await call.asEngine((trx) => takeTry(trx, emailHash, operatorId, operators.timeZone));
    if (verdict.kind === 'wait') throw waitRefusal(verdict.locked, verdict.seconds);
    const [stored = null] = await lastPasswords(engine, operatorId);
    if (!(await isSecret(vault, body.current, stored))) {
      await call.asEngine((trx) => settleWrong(trx, call));
      throw new Refusal('INVALID_CREDENTIALS', 'The current password is wrong.');
    }
    // Only this try is given back: wrong codes stay counted, else the password would buy more of them.
    await call.asEngine((trx) => giveTryBack(trx, emailHash));
    const operator = await call.asEngine((trx) => findOperator(trx, operatorId));
    if (operator === undefined) throw new Error('the operator of a session is not there');
    const hash = await hashNewPassword(vault, engine, operator, body.new);
    await call.asEngine(async (trx) =>
      setPassword(trx, await lockOperator(trx, operatorId), hash, sessionId),
    );
    return { status: 204 };
  },
});

const offer = adminRoute({
  ...own,
  operation: 'offerTotp',
  method: 'POST',
  path: '/me/totp',
  summary: 'A new secret for an authenticator app; good once its first code is given',
  stepUp: true,
  answers: {
    201: { description: 'the secret, told once', schema: z.strictObject({ otpauthUri: z.string() }) },
  },
  refusals: ['STEP_UP_REQUIRED'],
  handle: async (call) => {
    const { operatorId, email } = call.principal;
    const secret = newTotpSecret();
    const sealed = sealTotp(call.services.vault, operatorId, secret);
    await call.asEngine(async (trx) => {
      await offerTotp(trx, operatorId, sealed);
      await audit(trx, { action: 'operator.totp_offered', objectType: 'operator', objectId: operatorId });
    });
    return { status: 201, body: { otpauthUri: otpauthUri(secret, email) } };
  },
});

const confirm = adminRoute({
  ...own,
  operation: 'confirmTotp',
  method: 'POST',
  path: '/me/totp/confirm',
  summary: 'Give the first code: from now on the app replaces the mailed code',
  body: z.strictObject({ code: codeText() }),
  answers: { 204: { description: 'the app is the second factor' } },
  refusals: ['INVALID_CODE', 'TOO_MANY_ATTEMPTS'],
  handle: async (call) => {
    const { services, principal, body } = call;
    const emailHash = emailHashOf(services.vault, principal.email);
    const right = await call.asEngine(async (trx) => {
      await lockTries(trx, emailHash);
      const operator = await lockOperator(trx, principal.operatorId);
      const { totpOffered, now } = operator;
      if (totpOffered === null) return false;
      const secret = openTotp(services.vault, operator.operatorId, totpOffered);
      const step = totpStep(secret, body.code, now.getTime(), null);
      if (step !== null) await acceptTotp(trx, operator, step);
      else {
        await countWrongCode(trx, emailHash);
        await settleWrong(trx, call);
      }
      return step !== null;
    });
    if (right) return { status: 204 };
    throw invalidCode();
  },
});

const stepUp = adminRoute({
  ...own,
  operation: 'stepUp',
  method: 'POST',
  path: '/session/step-up',
  summary: 'Give a fresh code, or have one mailed',
  description:
    'With a code of the authenticator app, or the one mailed last, this session is stepped up for five minutes. ' +
    'Without one a code is mailed, unless the app is the second factor.',
  body: z.strictObject({ code: codeText().optional() }),
  answers: {
    202: { description: 'a code was mailed, or the app has one' },
    204: { description: 'stepped up' },
  },
  refusals: ['INVALID_CODE', 'TOO_MANY_ATTEMPTS', 'TOO_MANY_REQUESTS'],
  handle: async (call) => {
    const { services, principal, body } = call;
    const { vault } = services;
    const { sessionId, operatorId } = principal;
    const emailHash = emailHashOf(vault, principal.email);
    const place = `step-up:${sessionId}`;
    const { code } = body;
    if (code === undefined) {
      await call.asEngine(async (trx) => {
        await lockTries(trx, emailHash);
        const operator = await lockOperator(trx, operatorId);
        if (operator.totp) return;
        if (!(await takeMail(trx, emailHash, 'codes'))) throw waitRefusal(false, HOUR_SECONDS);
        await keepStepUpCode(trx, sessionId, await mailCode(trx, vault, operator, place));
      });
      return { status: 202 };
    }
    const right = await call.asEngine(async (trx) => {
      await lockTries(trx, emailHash);
      const operator = await lockOperator(trx, operatorId);
      const fits = operator.totp
        ? await takeTotp(trx, vault, operator, code)
        : isMailedCode(vault, place, code, await lockStepUpCode(trx, sessionId));
      if (fits) {
        await stepUpSession(trx, sessionId);
        await forgetTries(trx, emailHash);
        await audit(trx, {
          action: 'operator.stepped_up',
          objectType: 'operator',
          objectId: operatorId,
        });
      } else {
        await countWrongStepUp(trx, sessionId);
        await countWrongCode(trx, emailHash);
        await settleWrong(trx, call);
      }
      return fits;
    });
    if (right) return { status: 204 };
    throw invalidCode();
  },
});

export const me = [changePassword, offer, confirm, stepUp];
