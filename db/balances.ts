import type { Kysely, Selectable } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import { refuseClosed } from '../domain/programme.ts';
import { audit } from './audit-log.ts';
import { newId, type Trx } from './atomically.ts';
import type { BalancesTable, Database } from './database.ts';
import { openAccount } from './ledger.ts';

export type BalanceRow = Selectable<BalancesTable>;

interface NewBalance {
  readonly programme: {
    readonly partnerId: number;
    readonly programmeId: number;
    readonly balanceHolder: 'platform' | 'external';
    readonly state: 'ACTIVE' | 'CLOSED';
  };
  readonly customerId: number | null;
  readonly corporationId: string | null;
  readonly currency: string;
  readonly automatic: boolean;
}

/**
 * Opens a balance at zero with its ledger account (money 1). The caller has checked the owner
 * (`requireBalanceOwner`). Throws `STATE_CONFLICT` in a closed programme, `SERVICE_UNAVAILABLE` in a programme whose balances are at the partner.
 */
export async function openBalance(trx: Trx, input: NewBalance): Promise<BalanceRow> {
  refuseClosed(input.programme);
  const { partnerId, programmeId, balanceHolder } = input.programme;
  if (balanceHolder === 'external') {
    throw new Refusal('SERVICE_UNAVAILABLE', 'Balances held at the partner are not part of this release.');
  }
  const accountId = await openAccount(trx, { partnerId, programmeId, code: 'U', currency: input.currency });
  const balance = await trx
    .insertInto('balances')
    .values({
      balance_id: newId(trx),
      account_id: accountId,
      partner_id: partnerId,
      programme_id: programmeId,
      customer_id: input.customerId,
      corporation_id: input.corporationId,
      currency: input.currency,
      holder: balanceHolder,
      state: 'ACTIVE',
      automatic: input.automatic,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(trx, {
    action: 'balance.created',
    objectType: 'balance',
    objectId: balance.balance_id,
    after: {
      currency: input.currency,
      customerId: input.customerId,
      ...(input.corporationId === null ? {} : { corporationId: input.corporationId }),
      automatic: input.automatic,
    },
    partnerId,
  });
  return balance;
}

/** What must hold of a customer before a balance is opened, in order (onboarding 4). Throws 422. */
export async function requireBalanceOwner(
  trx: Trx,
  customerId: number,
  programme: { readonly currencies: readonly string[] },
  currency: string,
): Promise<void> {
  const owner = await trx
    .selectFrom('customers')
    .select(['state', 'kyc', 'transactional_locks'])
    .where('customer_id', '=', customerId)
    .forShare()
    .executeTakeFirstOrThrow();
  if (owner.state === 'LOCKED' || owner.state === 'DELETED') {
    throw new Refusal('USER_NOT_ACTIVE', 'The user is locked.');
  }
  if (owner.kyc !== 'SUCCESS') throw new Refusal('KYC_REQUIRED', 'The user has to be verified first.');
  if (owner.transactional_locks > 0)
    throw new Refusal('TRANSACTIONAL_LOCK', 'The user has a transactional lock.');
  if (!programme.currencies.includes(currency)) {
    throw new Refusal('CURRENCY_NOT_SUPPORTED', 'The currency is not enabled in this programme.');
  }
}

interface Look {
  readonly programmeIds: readonly number[];
  readonly customerId?: number;
}

/** One balance of the programmes in `look`, or undefined: somebody else's is as good as none. */
export async function findBalance(
  db: Kysely<Database>,
  balanceId: string,
  look: Look,
): Promise<BalanceRow | undefined> {
  let query = db
    .selectFrom('balances')
    .selectAll()
    .where('balance_id', '=', balanceId)
    .where('programme_id', 'in', look.programmeIds);
  if (look.customerId !== undefined) query = query.where('customer_id', '=', look.customerId);
  return await query.executeTakeFirst();
}

export interface BalanceFilter {
  readonly programmeIds: readonly number[];
  /** Absent: balances of everybody. */
  readonly customerId?: number | undefined;
  readonly corporationId?: string | undefined;
  readonly currency?: string | undefined;
  readonly state?: BalanceRow['state'] | undefined;
  readonly holder?: BalanceRow['holder'] | undefined;
  readonly ownerType?: 'USER' | 'CORPORATION' | undefined;
  /** True: only those whose posted amount is below zero. */
  readonly negative?: boolean | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Balances that `filter` names, newest first; ids order by time. */
export async function listBalances(db: Kysely<Database>, filter: BalanceFilter): Promise<BalanceRow[]> {
  if (filter.programmeIds.length === 0) return [];
  let query = db.selectFrom('balances').selectAll().where('programme_id', 'in', filter.programmeIds);
  if (filter.customerId !== undefined) query = query.where('customer_id', '=', filter.customerId);
  if (filter.corporationId !== undefined) {
    query = query.where('corporation_id', '=', filter.corporationId);
  }
  if (filter.currency !== undefined) query = query.where('currency', '=', filter.currency);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.holder !== undefined) query = query.where('holder', '=', filter.holder);
  if (filter.ownerType === 'USER') query = query.where('customer_id', 'is not', null);
  if (filter.ownerType === 'CORPORATION') query = query.where('corporation_id', 'is not', null);
  if (filter.negative === true) query = query.where('posted', '<', 0);
  if (filter.before !== undefined) query = query.where('balance_id', '<', filter.before);
  return await query.orderBy('balance_id', 'desc').limit(filter.limit).execute();
}
