import type { Kysely } from 'kysely';
import { atomically } from '../db/atomically.ts';
import type { Database } from '../db/database.ts';
import { inviteOperator } from '../db/operator-changes.ts';
import { storePassword } from '../db/operator-passwords.ts';
import { activateOperator } from '../db/operators.ts';
import type { Caller } from '../domain/actor.ts';
import type { OperatorRole } from '../domain/operator.ts';
import { hashSecret } from '../vault/password.ts';
import type { Vault } from '../vault/vault.ts';
import type { DemoFacts } from './quickstart.ts';

interface DemoOperator {
  readonly email: string;
  readonly firstName: string;
  readonly role: OperatorRole;
  readonly scope: 'PLATFORM' | 'PARTNER';
}

/** The three of operations 1, step 5; the second Admin is the second pair of eyes. */
const OPERATORS: readonly DemoOperator[] = [
  { email: 'admin@demo.test', firstName: 'Ada', role: 'Admin', scope: 'PLATFORM' },
  { email: 'second@demo.test', firstName: 'Sam', role: 'Admin', scope: 'PLATFORM' },
  { email: 'employee@demo.test', firstName: 'Emil', role: 'Employee', scope: 'PARTNER' },
];

/**
 * The demo operators, inserted once, with a password from `passwordOf`; answers how each logs in. They are marked:
 * no production process starts beside one (operations 4).
 */
export async function ensureDemoOperators(
  engine: Kysely<Database>,
  vault: Vault,
  caller: Caller,
  partnerId: number,
  passwordOf: (email: string) => string,
): Promise<DemoFacts['operators']> {
  for (const one of OPERATORS)
    await ensureOperator(engine, vault, caller, partnerId, one, passwordOf(one.email));
  return OPERATORS.map(({ email, role, scope }) => ({ email, password: passwordOf(email), role, scope }));
}

async function ensureOperator(
  engine: Kysely<Database>,
  vault: Vault,
  caller: Caller,
  partnerId: number,
  one: DemoOperator,
  password: string,
): Promise<void> {
  const known = await engine
    .selectFrom('operators')
    .select('operator_id')
    .where('email', '=', one.email)
    .executeTakeFirst();
  if (known !== undefined) return;
  const hash = await hashSecret(vault, password);
  await atomically(engine, caller, async (trx) => {
    const operator = await inviteOperator(trx, {
      email: one.email,
      firstName: one.firstName,
      lastName: 'Demo',
      role: one.role,
      partnerId: one.scope === 'PLATFORM' ? null : partnerId,
      demo: true,
    });
    await storePassword(trx, operator, hash);
    await activateOperator(trx, operator.operatorId);
  });
}
