import type { Trx } from '../db/atomically.ts';
import type { Corporation } from '../db/corporations.ts';
import { type Customer, lockCustomer } from '../db/customers.ts';
import { addEmployee, type Employee } from '../db/employees.ts';
import type { Programme } from '../db/partners.ts';
import { invalid } from '../domain/errors.ts';
import type { Vault } from '../vault/vault.ts';
import type { newEmployeeBody } from './schemas/corporation.ts';
import type { z } from './schemas/shared.ts';
import { createUser } from './users.ts';

/**
 * Adds an employee to a corporation held by `holdCorporation`: a user of its programme, or one who is made in the
 * same commit (onboarding 4). Throws `VALIDATION_ERROR`, `USER_NOT_FOUND`, `EMPLOYEE_EXISTS`, `STATE_CONFLICT` and
 * the refusals of a new user.
 */
export async function hire(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  corporation: Corporation,
  body: z.output<typeof newEmployeeBody>,
): Promise<Employee> {
  const customer = await personOf(trx, vault, programme, body);
  const { role, position = null } = body;
  return await addEmployee(trx, corporation, { customer, role, position });
}

async function personOf(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  body: z.output<typeof newEmployeeBody>,
): Promise<Customer> {
  const userId = body.userId ?? null;
  const user = body.user ?? null;
  if (userId !== null && user === null) return await lockCustomer(trx, [programme.programmeId], userId);
  if (user !== null && userId === null) return (await createUser(trx, vault, programme, user)).customer;
  throw invalid([{ field: 'userId', message: 'send exactly one of userId and user' }]);
}
