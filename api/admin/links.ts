import { audit } from '../../db/audit-log.ts';
import type { Trx } from '../../db/atomically.ts';
import { queueSecretMail } from '../../db/messages.ts';
import { type LinkPurpose, lockLink, openLink } from '../../db/operator-links.ts';
import { takeMail } from '../../db/operator-sign-ins.ts';
import { findOperator, findOperatorByEmail, lockOperator, type Operator } from '../../db/operators.ts';
import { Refusal } from '../../domain/errors.ts';
import { sealMailFacts } from '../../vault/sealed-mail.ts';
import { newToken, tokenHashes } from '../../vault/session-token.ts';
import { doorRoute } from '../operator-principal.ts';
import type { NobodyPrincipal } from '../partner-principal.ts';
import type { Answer, Call } from '../route.ts';
import { email } from '../schemas/customer.ts';
import { z } from '../schemas/shared.ts';
import type { Services } from '../services.ts';
import { hashNewPassword, setPassword } from './new-password.ts';
import { linkToken, secretText } from './schemas.ts';
import { emailHashOf } from './second-factor.ts';

const door = {
  method: 'POST',
  role: 'nobody-asked',
  owner: 'none',
  jwe: 'open',
  idempotency: 'ignored',
} as const;

const LINKS = {
  INVITATION: { template: 'operatorInvitation', page: '/panel/invitation' },
  PASSWORD_RESET: { template: 'operatorPasswordReset', page: '/panel/password' },
} as const;

/** Mails an operator a link that is good for an hour, once (channels 12). */
export async function mailLink(
  trx: Trx,
  { vault, operators }: Pick<Services, 'vault' | 'operators'>,
  operator: Pick<Operator, 'operatorId' | 'partnerId' | 'email'>,
  purpose: LinkPurpose,
): Promise<void> {
  const { operatorId, partnerId } = operator;
  const { template, page } = LINKS[purpose];
  const { token, hash } = newToken(vault, 'lnk');
  await openLink(trx, { operatorId, partnerId, purpose, tokenHash: hash });
  const subjectId = `operator:${operatorId}`;
  const link = `${operators.publicUrl}${page}?token=${token}`;
  const sealed = sealMailFacts(vault, subjectId, { link });
  await queueSecretMail(trx, { template, subjectId, to: operator.email, sealed });
}

const askReset = doorRoute({
  ...door,
  operation: 'askPasswordReset',
  path: '/password-resets',
  summary: 'Have a link to a new password mailed',
  body: z.strictObject({ email: email() }),
  answers: { 202: { description: 'if there is such an operator, a mail is on its way' } },
  refusals: [],
  handle: async (call) => {
    const { services, body } = call;
    await call.atomically(async (trx) => {
      const operator = await findOperatorByEmail(trx, body.email);
      const mayMail = await takeMail(trx, emailHashOf(services.vault, body.email), 'links');
      const known = operator !== undefined && operator.state !== 'DISABLED';
      if (known && mayMail) await mailLink(trx, services, operator, 'PASSWORD_RESET');
      await audit(trx, {
        action: 'operator.reset_asked',
        objectType: 'operator',
        objectId: operator?.operatorId ?? 'unknown',
        result: known && mayMail ? 'OK' : 'DENIED',
      });
    });
    return { status: 202 };
  },
});

const newPassword = { 204: { description: 'the password is set; every session has ended' } };

const confirmReset = doorRoute({
  ...door,
  operation: 'confirmPasswordReset',
  path: '/password-resets/confirm',
  summary: 'Choose a new password with the mailed link',
  body: z.strictObject({ token: linkToken(), newPassword: secretText() }),
  answers: newPassword,
  refusals: ['LINK_INVALID', 'WEAK_SECRET', 'OVERLOADED'],
  handle: async (call) =>
    await passwordByLink(call, 'PASSWORD_RESET', call.body.token, call.body.newPassword),
});

const acceptInvitation = doorRoute({
  ...door,
  operation: 'acceptInvitation',
  path: '/invitations/accept',
  summary: 'Choose the first password with the link of the invitation',
  body: z.strictObject({ token: linkToken(), password: secretText() }),
  answers: newPassword,
  refusals: ['LINK_INVALID', 'WEAK_SECRET', 'OVERLOADED'],
  handle: async (call) => await passwordByLink(call, 'INVITATION', call.body.token, call.body.password),
});

type DoorCall = Call<NobodyPrincipal, unknown, unknown, unknown>;

/** The link is looked at twice: the work of the password lies in between, where no row is locked. */
async function passwordByLink(
  call: DoorCall,
  purpose: LinkPurpose,
  token: string,
  password: string,
): Promise<Answer> {
  const { vault, engine } = call.services;
  const hashes = tokenHashes(vault, 'lnk', token);
  const owner = await call.atomically(async (trx) => {
    const operatorId = await lockLink(trx, hashes, purpose);
    return operatorId === null ? undefined : await findOperator(trx, operatorId);
  });
  if (owner === undefined || owner.state === 'DISABLED') throw linkInvalid();
  const hash = await hashNewPassword(vault, engine, owner, password);
  await call.atomically(async (trx) => {
    const operatorId = await lockLink(trx, hashes, purpose);
    if (operatorId === null) throw linkInvalid();
    const operator = await lockOperator(trx, operatorId);
    if (operator.state === 'DISABLED') throw linkInvalid();
    await setPassword(trx, operator, hash);
  });
  return { status: 204 };
}

const linkInvalid = (): Refusal =>
  new Refusal('LINK_INVALID', 'This link is wrong, used or too old. Ask for a new one.');

export const linkRoutes = [askReset, confirmReset, acceptInvitation];
