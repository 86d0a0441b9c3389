import type { Selectable } from 'kysely';
import type { OperatorRole, OperatorScope, StoredOperatorState } from '../domain/operator.ts';
import { Refusal } from '../domain/errors.ts';
import { nowOf, type Trx } from './atomically.ts';
import { audit } from './audit-log.ts';
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

/** The operator of an address (lower case), or undefined. Engine only: before anybody is known. */
export async function findOperatorByEmail(
  trx: Trx,
  email: string,
): Promise<(Operator & TotpState) | undefined> {
  const row = await trx.selectFrom('operators').selectAll().where('email', '=', email).executeTakeFirst();
  return row && { ...toOperator(row, nowOf(trx)), ...totpOf(row) };
}

/** What an operator's authenticator app is checked with; the secrets are sealed. */
export interface TotpState {
  readonly totpSecret: Buffer | null;
  readonly totpOffered: Buffer | null;
  readonly totpStep: number | null;
}

const totpOf = (row: Selectable<OperatorsTable>): TotpState => ({
  totpSecret: row.totp_secret,
  totpOffered: row.totp_offered,
  totpStep: row.totp_step,
});

/** Locks an operator of the caller's scope. Throws `OPERATOR_NOT_FOUND`. */
export async function lockOperator(trx: Trx, operatorId: string): Promise<Operator & TotpState> {
  const row = await trx
    .selectFrom('operators')
    .selectAll()
    .where('operator_id', '=', operatorId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('OPERATOR_NOT_FOUND', 'There is no such operator.');
  return { ...toOperator(row, nowOf(trx)), ...totpOf(row) };
}

/** Remembers the time step of a code from the authenticator app: it is taken once. */
export async function takeTotpStep(trx: Trx, operatorId: string, step: number): Promise<void> {
  await trx.updateTable('operators').set({ totp_step: step }).where('operator_id', '=', operatorId).execute();
}

/** Keeps a sealed secret until its first code has come. */
export async function offerTotp(trx: Trx, operatorId: string, sealed: Buffer): Promise<void> {
  await trx
    .updateTable('operators')
    .set({ totp_offered: sealed })
    .where('operator_id', '=', operatorId)
    .execute();
}

/** From now on the offered secret is the second factor. */
export async function acceptTotp(trx: Trx, operator: Operator & TotpState, step: number): Promise<void> {
  const { operatorId, totpOffered } = operator;
  await trx
    .updateTable('operators')
    .set({ totp_secret: totpOffered, totp_offered: null, totp_step: step })
    .where('operator_id', '=', operatorId)
    .execute();
  await audit(trx, { action: 'operator.totp_set', objectType: 'operator', objectId: operatorId });
}

/** Notes a completed log-in. */
export async function noteLogin(trx: Trx, operator: Operator): Promise<void> {
  const { operatorId, partnerId } = operator;
  await trx
    .updateTable('operators')
    .set({ last_login_at: nowOf(trx) })
    .where('operator_id', '=', operatorId)
    .execute();
  await audit(trx, {
    action: 'operator.signed_in',
    objectType: 'operator',
    objectId: operatorId,
    ...(partnerId === null ? {} : { partnerId }),
  });
}

/** An operator who was invited, or only forgot, has a password now. */
export async function activateOperator(trx: Trx, operatorId: string): Promise<void> {
  await trx
    .updateTable('operators')
    .set({ state: 'ACTIVE' })
    .where('operator_id', '=', operatorId)
    .where('state', '=', 'INVITED')
    .execute();
}

/** Operators in the caller's scope, newest first, before the id of `before`. */
export async function listOperators(
  trx: Trx,
  filter: { readonly role?: OperatorRole | undefined },
  before: string | undefined,
  limit: number,
): Promise<Operator[]> {
  const rows = await trx
    .selectFrom('operators')
    .selectAll()
    .$if(filter.role !== undefined, (query) => query.where('role', '=', filter.role as OperatorRole))
    .$if(before !== undefined, (query) => query.where('operator_id', '<', before as string))
    .orderBy('operator_id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => toOperator(row, nowOf(trx)));
}
