import type { Kysely } from 'kysely';
import type { Trx } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import type { Database } from '../../db/database.ts';
import { useLinks } from '../../db/operator-links.ts';
import { lastPasswords, storePassword } from '../../db/operator-passwords.ts';
import { endSessionsOf } from '../../db/operator-sessions.ts';
import { activateOperator, type Operator } from '../../db/operators.ts';
import { Refusal } from '../../domain/errors.ts';
import { passwordFault } from '../../domain/password-rule.ts';
import { hashSecret, isSecret } from '../../vault/password.ts';
import type { Vault } from '../../vault/vault.ts';

/** The stored form of a password that an operator may take. Throws `WEAK_SECRET` (channels 11, 12). */
export async function hashNewPassword(
  vault: Vault,
  engine: Kysely<Database>,
  operator: Operator,
  password: string,
): Promise<string> {
  const { operatorId, email, firstName, lastName } = operator;
  const fault = passwordFault(password, { email, names: [firstName, lastName] });
  if (fault !== null) throw new Refusal('WEAK_SECRET', fault);
  for (const stored of await lastPasswords(engine, operatorId)) {
    if (!(await isSecret(vault, password, stored))) continue;
    throw new Refusal('WEAK_SECRET', 'This password is one of your last four.');
  }
  return await hashSecret(vault, password);
}

/**
 * Gives an operator a password: open links die, every session but `keep` ends, and who was invited is ACTIVE. A
 * lock-out stays (channels 12).
 */
export async function setPassword(trx: Trx, operator: Operator, hash: string, keep?: string): Promise<void> {
  const { operatorId, partnerId, state } = operator;
  await storePassword(trx, operator, hash);
  await useLinks(trx, operatorId);
  await endSessionsOf(trx, operatorId, keep);
  await activateOperator(trx, operatorId);
  await audit(trx, {
    action: state === 'INVITED' ? 'operator.joined' : 'operator.password_changed',
    objectType: 'operator',
    objectId: operatorId,
    ...(partnerId === null ? {} : { partnerId }),
  });
}
