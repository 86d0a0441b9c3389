import type { Selectable } from 'kysely';
import type { OperatorRole, OperatorScope, StoredOperatorState } from '../domain/operator.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { OperatorsTable } from './database.ts';

/** An operator as stored, with the time at which the row was read. */
export interface Operator {
  readonly operatorId: string;
  readonly partnerId: number | null;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly role: OperatorRole;
  readonly scope: OperatorScope;
  readonly state: StoredOperatorState;
  readonly lockedUntil: Date | null;
  readonly totp: boolean;
  readonly lastLoginAt: Date | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly now: Date;
}

/** The operator of an id in the caller's scope, or undefined. */
export async function findOperator(trx: Trx, operatorId: string): Promise<Operator | undefined> {
  const row = await trx
    .selectFrom('operators')
    .selectAll()
    .where('operator_id', '=', operatorId)
    .executeTakeFirst();
  return row && toOperator(row, nowOf(trx));
}

/** A row as rules read it. */
export const toOperator = (row: Selectable<OperatorsTable>, now: Date): Operator => ({
  operatorId: row.operator_id,
  partnerId: row.partner_id,
  email: row.email,
  firstName: row.first_name,
  lastName: row.last_name,
  role: row.role,
  scope: row.scope,
  state: row.state,
  lockedUntil: row.locked_until,
  totp: row.totp_secret !== null,
  lastLoginAt: row.last_login_at,
  version: row.version,
  createdAt: row.created_at,
  now,
});
