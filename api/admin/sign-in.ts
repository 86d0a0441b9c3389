import type { Trx } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import {
  countWrongLogin,
  endLogin,
  lockLogin,
  type Login,
  newLoginId,
  openLogin,
  ownerOfLogin,
} from '../../db/operator-logins.ts';
import { lastPasswords } from '../../db/operator-passwords.ts';
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
import { openOperatorSession } from '../../db/operator-sessions.ts';
import {
  findOperator,
  findOperatorByEmail,
  lockOperator,
  noteLogin,
  type Operator,
  type TotpState,
} from '../../db/operators.ts';
import { Refusal } from '../../domain/errors.ts';
import { OPERATOR_SESSION, operatorStateAt } from '../../domain/operator.ts';
import { isSecret } from '../../vault/password.ts';
import { newToken } from '../../vault/session-token.ts';
import { doorRoute } from '../operator-principal.ts';
import type { NobodyPrincipal } from '../partner-principal.ts';
import type { Answer, Call } from '../route.ts';
import { email } from '../schemas/customer.ts';
import { date, uuid, z } from '../schemas/shared.ts';
import { secretText } from './schemas.ts';
import { emailHashOf, isMailedCode, mailCode, takeTotp } from './second-factor.ts';
import { programmesInScope } from './identify.ts';
import { sessionOperatorBody, sessionOperatorSchema } from './session.ts';
import { sessionCookie } from './token.ts';

const door = {
  method: 'POST',
  role: 'nobody-asked',
  owner: 'none',
  jwe: 'open',
  // Answers with tokens are never kept: each call is a fresh try (channels 7).
  idempotency: 'ignored',
} as const;

type DoorCall<Body> = Call<NobodyPrincipal, unknown, unknown, Body>;
type Known = Operator & TotpState;

const credentials = z.strictObject({ email: email(), password: secretText() });

const HOUR_SECONDS = 3_600;

const signIn = doorRoute({
  ...door,
  operation: 'signIn',
  path: '/session',
  summary: 'Log in with e-mail and password; a code is asked for next',
  body: credentials,
  answers: {
    200: {
      description: 'the password is right',
      schema: z.strictObject({
        loginId: z.string(),
        secondFactor: z.enum(['EMAIL_CODE', 'TOTP']),
        expiresAt: date(),
      }),
    },
  },
  refusals: ['INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS', 'TOO_MANY_REQUESTS', 'OVERLOADED'],
  handle: async (call) => {
    const { operator, stored } = await checkPassword(call);
    const { vault } = call.services;
    const emailHash = emailHashOf(vault, operator.email);
    // Committed by itself: the password was right, whatever hinders the mail.
    await call.atomically((trx) => giveTryBack(trx, emailHash));
    return await call.atomically(async (trx) => {
      const loginId = newLoginId(trx);
      const secondFactor = operator.totp ? 'TOTP' : 'EMAIL_CODE';
      if (!operator.totp && !(await takeMail(trx, emailHash, 'codes')))
        throw waitRefusal(false, HOUR_SECONDS);
      await refuseOldPassword(trx, operator, stored);
      const codeHash = operator.totp ? null : await mailCode(trx, vault, operator, placeOf(loginId));
      const { operatorId, partnerId } = operator;
      const login = { loginId, operatorId, partnerId, secondFactor, codeHash } as const;
      const { expiresAt } = await openLogin(trx, login);
      await auditTry(trx, 'operator.sign_in', operator, 'OK');
      return { status: 200, body: { loginId, secondFactor, expiresAt: expiresAt.toISOString() } };
    });
  },
});

/** What was checked may be gone by now: a log-in under way ends with its password. Throws `INVALID_CREDENTIALS`. */
async function refuseOldPassword(trx: Trx, { operatorId }: Known, stored: string | null): Promise<void> {
  const { state } = await lockOperator(trx, operatorId);
  const [newest] = await lastPasswords(trx, operatorId);
  if (state !== 'ACTIVE' || newest !== stored) throw invalidCredentials();
}

const invalidCredentials = (): Refusal => new Refusal('INVALID_CREDENTIALS', 'E-mail or password is wrong.');

const placeOf = (loginId: string): string => `operator-login:${loginId}`;

/** The operator whose password was sent, and its stored form. A try is taken before; a wrong one stays taken. */
async function checkPassword(
  call: DoorCall<{ email: string; password: string }>,
): Promise<{ readonly operator: Known; readonly stored: string | null }> {
  const { vault, engine, operators } = call.services;
  const { email: address, password } = call.body;
  const emailHash = emailHashOf(vault, address);
  const operator = await call.atomically((trx) => findOperatorByEmail(trx, address));
  const operatorId = operator?.operatorId ?? null;
  const verdict = await call.atomically(async (trx) => {
    const taken = await takeTry(trx, emailHash, operatorId, operators.timeZone);
    if (taken.kind === 'wait') await auditTry(trx, 'operator.sign_in', operator, 'DENIED');
    return taken;
  });
  if (verdict.kind === 'wait') throw waitRefusal(verdict.locked, verdict.seconds);
  const usable = operator?.state === 'ACTIVE' ? operator : undefined;
  const [stored = null] = usable === undefined ? [] : await lastPasswords(engine, usable.operatorId);
  if ((await isSecret(vault, password, stored)) && usable !== undefined) return { operator: usable, stored };
  await call.atomically(async (trx) => {
    await lockAfterTries(trx, emailHash, operatorId, operators.timeZone);
    await auditTry(trx, 'operator.sign_in', operator, 'DENIED');
  });
  throw invalidCredentials();
}

async function auditTry(
  trx: Trx,
  action: 'operator.sign_in' | 'operator.second_factor',
  operator: Operator | undefined,
  result: 'OK' | 'DENIED',
): Promise<void> {
  const partnerId = operator?.partnerId ?? null;
  const objectId = operator?.operatorId ?? 'unknown';
  const owner = partnerId === null ? {} : { partnerId };
  await audit(trx, { action, objectType: 'operator', objectId, result, ...owner });
}

const secondFactor = doorRoute({
  ...door,
  operation: 'giveSecondFactor',
  path: '/session/second-factor',
  summary: 'Finish the log-in with the mailed code or one of the authenticator app',
  body: z.strictObject({ loginId: uuid(), code: z.string({ error: 'must be text' }).max(16) }),
  answers: {
    201: {
      description: 'signed in; the token is also set as a cookie for the panel',
      schema: z.strictObject({
        sessionToken: z.string(),
        expiresAt: date(),
        absoluteExpiresAt: date(),
        operator: sessionOperatorSchema,
      }),
    },
  },
  refusals: ['INVALID_CODE', 'TOO_MANY_ATTEMPTS'],
  handle: async (call) => {
    const answer = await call
      .atomically((trx) => finishLogin(trx, call))
      .catch((error: unknown) => auditWait(call, error));
    if (answer !== null) return answer;
    throw new Refusal('INVALID_CODE', 'The code is wrong, or the log-in is over.');
  },
});

/** A try that had to wait is one too (channels 3); its own transaction took nothing along. */
async function auditWait(call: DoorCall<{ loginId: string }>, error: unknown): Promise<never> {
  if (error instanceof Refusal && error.code === 'TOO_MANY_ATTEMPTS') {
    await call.atomically(async (trx) => {
      const operatorId = await ownerOfLogin(trx, call.body.loginId);
      const owner = operatorId === undefined ? undefined : await findOperator(trx, operatorId);
      await auditTry(trx, 'operator.second_factor', owner, 'DENIED');
    });
  }
  throw error;
}

/** Checks a code under the locks of its counters; a wrong one is counted, and null answered after the commit. */
async function finishLogin(
  trx: Trx,
  call: DoorCall<{ loginId: string; code: string }>,
): Promise<Answer | null> {
  const { vault, operators } = call.services;
  const { loginId, code } = call.body;
  const operatorId = await ownerOfLogin(trx, loginId);
  const owner = operatorId === undefined ? undefined : await findOperator(trx, operatorId);
  if (owner === undefined) return null;
  const emailHash = emailHashOf(vault, owner.email);
  await lockTries(trx, emailHash);
  // In the order in which a new password takes them.
  const operator = await lockOperator(trx, owner.operatorId);
  const login = await lockLogin(trx, loginId);
  const right = login !== undefined && (await isRight(trx, call, login, operator, code));
  if (right && operatorStateAt(operator, operator.now) === 'ACTIVE') {
    await endLogin(trx, loginId);
    await forgetTries(trx, emailHash);
    return await openSession(trx, call, operator);
  }
  if (login !== undefined) await countWrongLogin(trx, loginId);
  await countWrongCode(trx, emailHash);
  await lockAfterTries(trx, emailHash, operator.operatorId, operators.timeZone);
  await auditTry(trx, 'operator.second_factor', operator, 'DENIED');
  return null;
}

const isRight = async (
  trx: Trx,
  { services }: DoorCall<unknown>,
  login: Login,
  operator: Known,
  code: string,
): Promise<boolean> =>
  login.secondFactor === 'TOTP'
    ? await takeTotp(trx, services.vault, operator, code)
    : isMailedCode(services.vault, placeOf(login.loginId), code, login.codeHash);

async function openSession(trx: Trx, call: DoorCall<unknown>, operator: Operator): Promise<Answer> {
  const { vault, operators } = call.services;
  const { token, hash } = newToken(vault, 'ost');
  const { operatorId, partnerId } = operator;
  const programmes = await programmesInScope(call.services, partnerId);
  const opened = await openOperatorSession(trx, { operatorId, partnerId, tokenHash: hash, ip: call.ip });
  await noteLogin(trx, operator);
  return {
    status: 201,
    body: {
      sessionToken: token,
      expiresAt: opened.expiresAt.toISOString(),
      absoluteExpiresAt: opened.absoluteExpiresAt.toISOString(),
      operator: sessionOperatorBody({ ...operator, programmes }),
    },
    headers: {
      'Set-Cookie': sessionCookie(token, operators.secureCookie, OPERATOR_SESSION.absoluteSeconds),
    },
  };
}

export const signInRoutes = [signIn, secondFactor];
