import { Refusal } from '../domain/errors.ts';
import { type AuditAction, audit } from './audit-log.ts';
import type { Trx } from './atomically.ts';
import type { BalanceRow } from './balances.ts';

/** Which balance is meant; without `programmeIds` any (operators' commands). */
export interface BalanceTarget {
  readonly balanceId: string;
  readonly programmeIds?: readonly number[];
  readonly customerId?: number | undefined;
}

/**
 * Closes a balance for good (money 1.2). Its row is held from the first guard to the end: an authorization or
 * the issuing of a card comes before, and is seen by the guards, or after, and finds the balance closed. Throws
 * `BALANCE_NOT_FOUND`, `STATE_CONFLICT`, `BALANCE_NOT_EMPTY`, `BALANCE_HAS_HOLDS`, `BALANCE_HAS_CARDS`, and
 * `SERVICE_UNAVAILABLE` for a balance at the partner.
 */
export async function deleteBalance(trx: Trx, target: BalanceTarget): Promise<void> {
  const balance = await lockBalance(trx, target);
  if (balance.state !== 'ACTIVE' && balance.state !== 'BLOCKED') {
    throw new Refusal('STATE_CONFLICT', 'A balance in this state cannot be deleted.');
  }
  if (balance.holder === 'external') {
    throw new Refusal('SERVICE_UNAVAILABLE', 'Balances held at the partner are not part of this release.');
  }
  if (balance.posted !== 0) throw new Refusal('BALANCE_NOT_EMPTY', 'The balance is not at zero.');
  if (balance.held !== 0) throw new Refusal('BALANCE_HAS_HOLDS', 'Authorizations hold money of the balance.');
  if (await hasLiveCard(trx, balance.balance_id)) {
    throw new Refusal('BALANCE_HAS_CARDS', 'Cards of the balance are not removed yet.');
  }
  await changeState(trx, balance, 'CLOSED', 'balance.deleted');
}

/** Blocks a balance: debits are refused from now on, credits and clearings still post (money 1). Throws 404, 409. */
export async function blockBalance(trx: Trx, target: BalanceTarget, reason: string): Promise<void> {
  const balance = await lockBalance(trx, target);
  if (balance.state !== 'ACTIVE')
    throw new Refusal('STATE_CONFLICT', 'Only an active balance can be blocked.');
  await changeState(trx, balance, 'BLOCKED', 'balance.blocked', reason);
}

/** Lifts the block of a balance (money 1). Throws `BALANCE_NOT_FOUND`, `STATE_CONFLICT`. */
export async function unblockBalance(trx: Trx, target: BalanceTarget, reason: string): Promise<void> {
  const balance = await lockBalance(trx, target);
  if (balance.state !== 'BLOCKED') throw new Refusal('STATE_CONFLICT', 'The balance is not blocked.');
  await changeState(trx, balance, 'ACTIVE', 'balance.unblocked', reason);
}

async function lockBalance(trx: Trx, target: BalanceTarget): Promise<BalanceRow> {
  let query = trx.selectFrom('balances').selectAll().where('balance_id', '=', target.balanceId);
  if (target.programmeIds !== undefined) query = query.where('programme_id', 'in', target.programmeIds);
  if (target.customerId !== undefined) query = query.where('customer_id', '=', target.customerId);
  const balance = await query.forNoKeyUpdate().executeTakeFirst();
  if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
  return balance;
}

/** A card that was asked for counts as soon as it is stored; one that was never made does not. */
async function hasLiveCard(trx: Trx, balanceId: string): Promise<boolean> {
  const found = await trx
    .selectFrom('cards')
    .select('card_id')
    .where('balance_id', '=', balanceId)
    .where('base_state', 'not in', ['REMOVED', 'FAILED'])
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

async function changeState(
  trx: Trx,
  balance: BalanceRow,
  state: 'ACTIVE' | 'BLOCKED' | 'CLOSED',
  action: AuditAction,
  reason?: string,
): Promise<void> {
  await trx.updateTable('balances').set({ state }).where('balance_id', '=', balance.balance_id).execute();
  await audit(trx, {
    action,
    objectType: 'balance',
    objectId: balance.balance_id,
    before: { state: balance.state },
    after: { state, ...(reason === undefined ? {} : { reason }) },
    partnerId: balance.partner_id,
  });
}
