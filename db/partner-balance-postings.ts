import { Refusal } from '../domain/errors.ts';
import { accountsOf, availableOf, entryOf, fundingKindOf, valueAfterAll } from '../domain/ledger.ts';
import { sumFits } from '../domain/money.ts';
import { categoryOf, type PartnerBalanceType } from '../domain/transaction-type.ts';
import { audit } from './audit-log.ts';
import type { Trx } from './atomically.ts';
import { bookEntry, lockPartnerBooks, openUnguarded } from './books.ts';
import { openPartnerBalance, PARTNER_ACCOUNTS, type PartnerBalanceKind } from './ledger.ts';
import type { Programme } from './partners.ts';
import { insertPosting } from './posting-rows.ts';

/** Money that a bank or the BIN sponsor books on a balance of the partner itself (money 2; rows 24 to 26). */
export interface PartnerBalancePosting {
  readonly programme: Pick<Programme, 'partnerId' | 'programmeId' | 'funding' | 'includePartnerBalances'>;
  readonly type: PartnerBalanceType;
  readonly amount: number;
  readonly currency: string;
  /** The caller's number for it: the bank's reference. */
  readonly externalId: string;
  readonly description: string;
  /** True refuses a number that the balance has had already: what a person books twice is a mistake. */
  readonly uniqueReference?: boolean;
}

/** Kind of the partner balance that a type is posted on in a programme. */
export function kindOfPosting(type: PartnerBalanceType, funding: Programme['funding']): PartnerBalanceKind {
  const codes = accountsOf(type, fundingKindOf(funding));
  const kinds = Object.keys(PARTNER_ACCOUNTS) as PartnerBalanceKind[];
  const kind = kinds.find((one) => codes.includes(PARTNER_ACCOUNTS[one]));
  if (kind === undefined) throw new Error(`${type} moves no partner balance`);
  return kind;
}

const WIRE_RESOURCE: Readonly<Record<PartnerBalanceKind, string>> = {
  credit: 'creditBalance',
  deposit: 'depositBalance',
  company: 'companyBalance',
  ibanTechnical: 'ibanTechnicalBalance',
};

/**
 * Books on the partner balance that fits the type: company and IBAN balances open at their first posting, the
 * others must be there. Throws `INVALID_AMOUNT`, `COLLATERAL_BALANCE_NOT_FOUND`, `DEPOSIT_BALANCE_NOT_FOUND`,
 * `DUPLICATE_BANK_REFERENCE`, `INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE`. Engine or owner.
 */
export async function postPartnerBalance(
  trx: Trx,
  posting: PartnerBalancePosting,
): Promise<{ readonly transactionId: string; readonly partnerBalanceId: string }> {
  const { programme, type, amount, currency } = posting;
  if (amount <= 0) throw invalidAmount();
  const { partnerId, programmeId, funding } = programme;
  const fundingKind = fundingKindOf(funding);
  const kind = kindOfPosting(type, funding);
  const code = PARTNER_ACCOUNTS[kind];
  const scope = { partnerId, programmeId, currency };
  const codes = accountsOf(type, fundingKind);
  const unguarded = await openUnguarded(trx, scope, codes);
  const partner = await lockPartnerBooks(trx, scope, codes);
  const row = partner.get(code);
  if (row === undefined) throw missingBalance(kind);
  if (posting.uniqueReference === true) await refuseRepeat(trx, row.partner_balance_id, posting.externalId);
  const category = categoryOf(type);
  if (!sumFits(row.posted, category === 'CREDIT' ? amount : -amount)) throw invalidAmount();
  if (category === 'DEBIT' && row.kind !== 'company' && row.enforced && availableOf(row) < amount) {
    throw new Refusal(
      'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
      'The partner balance does not cover the amount.',
    );
  }
  const transfers = entryOf(type, fundingKind, amount);
  const transactionId = await insertPosting(trx, {
    programme,
    type,
    category,
    resource: WIRE_RESOURCE[kind],
    partnerBalanceId: row.partner_balance_id,
    externalId: posting.externalId,
    amount,
    currency,
    refused: null,
    description: posting.description,
    before: availableOf(row),
    after: availableOf(valueAfterAll(row, code, transfers)),
    event: 'POSTING',
    action: 'partner_balance.posted',
    tellPartner: programme.includePartnerBalances,
  });
  await bookEntry(trx, {
    transactionId,
    partnerId,
    currency,
    transfers,
    balance: null,
    partner,
    unguarded,
    forced: false,
  });
  return { transactionId, partnerBalanceId: row.partner_balance_id };
}

const invalidAmount = (): Refusal =>
  new Refusal('INVALID_AMOUNT', 'The amount has to be more than zero, and no more than a balance can hold.');

const missingBalance = (kind: PartnerBalanceKind): Refusal =>
  kind === 'credit'
    ? new Refusal('COLLATERAL_BALANCE_NOT_FOUND', 'There is no credit balance in this currency.')
    : new Refusal('DEPOSIT_BALANCE_NOT_FOUND', 'There is no deposit balance in this currency.');

/** The balance is locked, so of two postings with one number the second sees the first. */
async function refuseRepeat(trx: Trx, partnerBalanceId: string, externalId: string): Promise<void> {
  const known = await trx
    .selectFrom('transactions')
    .select('id')
    .where('partner_balance_id', '=', partnerBalanceId)
    .where('external_id', '=', externalId)
    .limit(1)
    .executeTakeFirst();
  if (known === undefined) return;
  throw new Refusal('DUPLICATE_BANK_REFERENCE', 'This balance has a posting with that number already.');
}

/**
 * Opens the credit or deposit balance of a programme in a currency, at zero (money 2); answers its id. Throws
 * `ALREADY_EXISTS`. Engine or owner.
 */
export async function createPartnerBalance(
  trx: Trx,
  programme: Pick<Programme, 'partnerId' | 'programmeId' | 'enforcePartnerBalance'>,
  { kind, currency }: { readonly kind: 'credit' | 'deposit'; readonly currency: string },
): Promise<string> {
  const { partnerId, programmeId, enforcePartnerBalance: enforced } = programme;
  const opened = await openPartnerBalance(trx, { partnerId, programmeId, kind, currency, enforced });
  if (!opened.isNew) {
    throw new Refusal('ALREADY_EXISTS', 'The programme has such a balance in this currency already.');
  }
  await audit(trx, {
    action: 'partner_balance.created',
    objectType: 'partner_balance',
    objectId: opened.partnerBalanceId,
    after: { kind, currency },
    partnerId,
  });
  return opened.partnerBalanceId;
}
