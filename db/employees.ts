import type { Selectable } from 'kysely';
import type { EmployeeRole, EmployeeState } from '../domain/corporation.ts';
import { Refusal } from '../domain/errors.ts';
import { audit } from './audit-log.ts';
import { newId, nowOf, type Trx, violatedUnique } from './atomically.ts';
import { lockCard } from './card-locks.ts';
import { withdrawCard } from './cards.ts';
import type { Corporation } from './corporations.ts';
import type { Customer } from './customers.ts';
import type { EmployeesTable } from './database.ts';
import { startWorkflow } from './outbox.ts';

/** A person who works for a corporation. */
export interface Employee {
  readonly employeeId: string;
  readonly corporationId: string;
  readonly customerId: number;
  readonly role: EmployeeRole;
  readonly position: string | null;
  readonly state: EmployeeState;
}

interface NewEmployee {
  readonly customer: Pick<Customer, 'customerId' | 'state' | 'kyc' | 'screenedAt'>;
  readonly role: EmployeeRole;
  readonly position: string | null;
}

/**
 * Adds a customer of the same programme to a corporation held by `holdCorporation` (onboarding 4). Where the programme
 * waives their kyc, one whom nobody has screened is screened now: their cards wait for it. Throws
 * `STATE_CONFLICT` for a deleted corporation, `USER_NOT_FOUND` for a deleted customer, `EMPLOYEE_EXISTS`.
 */
export async function addEmployee(
  trx: Trx,
  corporation: Corporation,
  { customer, role, position }: NewEmployee,
): Promise<Employee> {
  if (corporation.state === 'DELETED') throw new Refusal('STATE_CONFLICT', 'The corporation is deleted.');
  if (customer.state === 'DELETED') throw new Refusal('USER_NOT_FOUND', 'There is no such user.');
  const row = await refusingTwice(() =>
    trx
      .insertInto('employees')
      .values({
        employee_id: newId(trx),
        corporation_id: corporation.corporationId,
        customer_id: customer.customerId,
        partner_id: corporation.partnerId,
        role,
        position,
        created_at: nowOf(trx),
        updated_at: nowOf(trx),
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
  );
  await recordChange(trx, corporation, 'employee.added', toEmployee(row));
  if (customer.kyc !== 'SUCCESS' && customer.screenedAt === null) {
    if (await waivesHolderKyc(trx, corporation.programmeId)) await startScreening(trx, corporation, row);
  }
  return toEmployee(row);
}

/** True where employees get cards on their company's money without being verified themselves. */
async function waivesHolderKyc(trx: Trx, programmeId: number): Promise<boolean> {
  const programme = await trx
    .selectFrom('programmes')
    .select('corporate_holder_kyc')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  return programme.corporate_holder_kyc === 'waived';
}

const startScreening = (trx: Trx, corporation: Corporation, employee: Selectable<EmployeesTable>) =>
  startWorkflow(trx, corporation, {
    workflow: 'employee-screening',
    id: `employee-screening:${employee.employee_id}`,
    input: { customerId: employee.customer_id },
  });

/** An employee of the corporation, also a removed one. Throws `EMPLOYEE_NOT_FOUND`. */
export async function readEmployee(trx: Trx, corporationId: string, employeeId: string): Promise<Employee> {
  const row = await employeeOf(trx, corporationId, employeeId).executeTakeFirst();
  if (row === undefined) throw noEmployee();
  return toEmployee(row);
}

/** One page of a corporation's employees, newest first; ids order by time. */
export async function listEmployees(
  trx: Trx,
  corporationId: string,
  filter: {
    readonly state?: EmployeeState | undefined;
    readonly before?: string | undefined;
    readonly limit: number;
  },
): Promise<Employee[]> {
  let query = trx.selectFrom('employees').selectAll().where('corporation_id', '=', corporationId);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.before !== undefined) query = query.where('employee_id', '<', filter.before);
  return (await query.orderBy('employee_id', 'desc').limit(filter.limit).execute()).map(toEmployee);
}

export interface EmployeeChange {
  readonly role?: EmployeeRole;
  readonly position?: string | null;
  readonly state?: 'ACTIVE' | 'SUSPENDED';
}

/**
 * Changes an employee; from the commit on, cards of one who is SUSPENDED decline. Throws `EMPLOYEE_NOT_FOUND`,
 * `STATE_CONFLICT` for one who is removed.
 */
export async function updateEmployee(
  trx: Trx,
  corporation: Corporation,
  employeeId: string,
  change: EmployeeChange,
): Promise<Employee> {
  const before = await holdEmployee(trx, corporation.corporationId, employeeId);
  if (before.state === 'REMOVED') throw new Refusal('STATE_CONFLICT', 'The employee is removed.');
  const row = await trx
    .updateTable('employees')
    .set({
      updated_at: nowOf(trx),
      ...(change.role === undefined ? {} : { role: change.role }),
      ...(change.position === undefined ? {} : { position: change.position }),
      ...(change.state === undefined ? {} : { state: change.state }),
    })
    .where('employee_id', '=', employeeId)
    .returningAll()
    .executeTakeFirstOrThrow();
  await recordChange(trx, corporation, 'employee.updated', toEmployee(row), before);
  return toEmployee(row);
}

/** Lock of a card whose holder may use it no more (cards 4.5); nobody lifts it. */
const HOLDER_LEFT = 5;

/**
 * Removes an employee for good and locks the cards that they hold on this corporation's balances; those that are
 * still being made are withdrawn. One who is removed already stays as they are. Throws `EMPLOYEE_NOT_FOUND`.
 */
export async function removeEmployee(trx: Trx, corporation: Corporation, employeeId: string): Promise<void> {
  const before = await holdEmployee(trx, corporation.corporationId, employeeId);
  if (before.state === 'REMOVED') return;
  await trx
    .updateTable('employees')
    .set({ state: 'REMOVED', updated_at: nowOf(trx) })
    .where('employee_id', '=', employeeId)
    .execute();
  await recordChange(trx, corporation, 'employee.removed', { ...before, state: 'REMOVED' }, before);
  const cards = await trx
    .selectFrom('cards')
    .select(['card_id', 'base_state'])
    .where('corporation_id', '=', corporation.corporationId)
    .where('customer_id', '=', before.customerId)
    .where('base_state', 'in', ['PENDING', 'INACTIVE', 'ACTIVE'])
    .orderBy('card_id')
    .execute();
  for (const { card_id: cardId, base_state: state } of cards) {
    if (state === 'PENDING') await withdrawCard(trx, cardId, 'USER_NOT_IN_CORPORATION');
    else await lockCard(trx, { cardId, programmeIds: [corporation.programmeId] }, HOLDER_LEFT, 'partner');
  }
}

const noEmployee = () => new Refusal('EMPLOYEE_NOT_FOUND', 'There is no such employee.');

const employeeOf = (trx: Trx, corporationId: string, employeeId: string) =>
  trx
    .selectFrom('employees')
    .selectAll()
    .where('corporation_id', '=', corporationId)
    .where('employee_id', '=', employeeId);

async function holdEmployee(trx: Trx, corporationId: string, employeeId: string): Promise<Employee> {
  const row = await employeeOf(trx, corporationId, employeeId).forNoKeyUpdate().executeTakeFirst();
  if (row === undefined) throw noEmployee();
  return toEmployee(row);
}

async function refusingTwice<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatedUnique(error) !== 'employees_of_corporation') throw error;
    throw new Refusal('EMPLOYEE_EXISTS', 'The user works for this corporation already.');
  }
}

async function recordChange(
  trx: Trx,
  { partnerId }: Corporation,
  action: 'employee.added' | 'employee.updated' | 'employee.removed',
  after: Employee,
  before?: Employee,
): Promise<void> {
  const audited = ({ corporationId, customerId, role, state }: Employee) => ({
    corporationId,
    customerId,
    role,
    state,
  });
  await audit(trx, {
    action,
    objectType: 'employee',
    objectId: after.employeeId,
    ...(before === undefined ? {} : { before: audited(before) }),
    after: audited(after),
    partnerId,
  });
}

const toEmployee = (row: Selectable<EmployeesTable>): Employee => ({
  employeeId: row.employee_id,
  corporationId: row.corporation_id,
  customerId: row.customer_id,
  role: row.role,
  position: row.position,
  state: row.state,
});
