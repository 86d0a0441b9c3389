import { type OperatorRole } from '../domain/operator.ts';
import { Refusal } from '../domain/errors.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import { audit } from './audit-log.ts';
import { endSessionsOf } from './operator-sessions.ts';
import { lockOperator, type Operator, toOperator } from './operators.ts';

export interface NewOperator {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly role: OperatorRole;
  /** Null for an operator of the platform. */
  readonly partnerId: number | null;
  readonly demo?: boolean;
}

/** Adds an operator who is INVITED. Throws `EMAIL_ALREADY_REGISTERED`. */
export async function inviteOperator(trx: Trx, one: NewOperator): Promise<Operator> {
  const row = await trx
    .insertInto('operators')
    .values({
      operator_id: newId(trx),
      partner_id: one.partnerId,
      email: one.email,
      first_name: one.firstName,
      last_name: one.lastName,
      role: one.role,
      scope: one.partnerId === null ? 'PLATFORM' : 'PARTNER',
      locked_until: null,
      totp_secret: null,
      totp_offered: null,
      totp_step: null,
      demo: one.demo ?? false,
      last_login_at: null,
      created_at: nowOf(trx),
    })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) {
    throw new Refusal('EMAIL_ALREADY_REGISTERED', 'An operator has this e-mail address already.');
  }
  const operator = toOperator(row, nowOf(trx));
  await auditOperator(trx, 'operator.invited', operator, { role: operator.role, scope: operator.scope });
  return operator;
}

export interface OperatorChange {
  readonly version: number;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  readonly role?: OperatorRole | undefined;
}

/**
 * Changes names and role; a new role acts on live sessions at once. Throws `OPERATOR_NOT_FOUND`, `VERSION_CONFLICT`,
 * and `STATE_CONFLICT` for the last active Admin.
 */
export async function changeOperator(trx: Trx, operatorId: string, change: OperatorChange): Promise<void> {
  const operator = await lockOperator(trx, operatorId);
  if (operator.version !== change.version) {
    throw new Refusal('VERSION_CONFLICT', 'The operator was changed meanwhile. Read it again.');
  }
  const role = change.role ?? operator.role;
  if (operator.role === 'Admin' && role !== 'Admin') await keepAnAdmin(trx, operator);
  await trx
    .updateTable('operators')
    .set({
      first_name: change.firstName ?? operator.firstName,
      last_name: change.lastName ?? operator.lastName,
      role,
      version: operator.version + 1,
    })
    .where('operator_id', '=', operatorId)
    .execute();
  await auditOperator(trx, 'operator.changed', operator, { role }, { role: operator.role });
}

/** Nobody who could appoint the next Admin may be taken away: the Admins of the same scope are locked and counted. */
async function keepAnAdmin(trx: Trx, { operatorId, partnerId }: Operator): Promise<void> {
  const admins = await trx
    .selectFrom('operators')
    .select('operator_id')
    .where('role', '=', 'Admin')
    .where('state', '=', 'ACTIVE')
    .where('partner_id', 'is not distinct from', partnerId)
    .orderBy('operator_id')
    .forUpdate()
    .execute();
  if (admins.some((one) => one.operator_id !== operatorId)) return;
  throw new Refusal('STATE_CONFLICT', 'This is the last active Admin.');
}

/** Disables an operator and ends every session. Throws `STATE_CONFLICT` for the last active Admin. Engine only. */
export async function disableOperator(trx: Trx, operator: Operator): Promise<void> {
  if (operator.state === 'DISABLED') return;
  if (operator.role === 'Admin' && operator.state === 'ACTIVE') await keepAnAdmin(trx, operator);
  await setState(trx, operator, 'DISABLED');
  await endSessionsOf(trx, operator.operatorId);
  await auditOperator(trx, 'operator.disabled', operator);
}

/** Enables a disabled operator: ACTIVE, or INVITED where no password was ever chosen. Engine only. */
export async function enableOperator(trx: Trx, operator: Operator): Promise<void> {
  if (operator.state !== 'DISABLED') return;
  const password = await trx
    .selectFrom('operator_passwords')
    .select('password_id')
    .where('operator_id', '=', operator.operatorId)
    .executeTakeFirst();
  await setState(trx, operator, password === undefined ? 'INVITED' : 'ACTIVE');
  await auditOperator(trx, 'operator.enabled', operator);
}

/** Lifts a lock-out; the counters of the address are the caller's to clear. */
export async function unlockOperator(trx: Trx, operator: Operator): Promise<void> {
  await trx
    .updateTable('operators')
    .set({ locked_until: null })
    .where('operator_id', '=', operator.operatorId)
    .execute();
  await auditOperator(trx, 'operator.unlocked', operator);
}

const setState = (trx: Trx, { operatorId, version }: Operator, state: Operator['state']) =>
  trx
    .updateTable('operators')
    .set({ state, version: version + 1 })
    .where('operator_id', '=', operatorId)
    .execute();

/** Leaves the audit row of a change of an operator, also in the trail of the partner it belongs to. */
export async function auditOperator(
  trx: Trx,
  action:
    | 'operator.invited'
    | 'operator.changed'
    | 'operator.unlocked'
    | 'operator.disabled'
    | 'operator.enabled'
    | 'operator.sessions_ended',
  { operatorId, partnerId }: Operator,
  after?: Record<string, unknown>,
  before?: Record<string, unknown>,
): Promise<void> {
  await audit(trx, {
    action,
    objectType: 'operator',
    objectId: operatorId,
    ...(partnerId === null ? {} : { partnerId }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
}
