import type {
  AllLimitsView,
  AuthorizationCommand,
  AuthorizationView,
} from '../../domain/authorization-view.ts';
import type { Effects, NewTransaction } from '../../domain/decision.ts';
import { availableOf, type GuardedCode, holdsAfter, isGuarded, valueAfter } from '../../domain/ledger.ts';
import type { PresentmentView } from '../../domain/presentment.ts';
import type { ReleaseView } from '../../domain/release.ts';
import type { ReversalView } from '../../domain/reversal.ts';
import type { BalanceView, Lifecycle } from '../../domain/transaction.ts';
import type { Programme } from '../../db/partners.ts';
import type { Configuration, Product, SharedCode } from './configuration.ts';
import { count, type Counted, limitsViewOf } from './consumption.ts';
import { isAlike, likenessOf, type Newest } from './likeness.ts';
import type { CardRow, OwnerRow, PartnerBalanceRow, TombstoneRow } from './load.ts';

/** A row with a cached value, as the batch has it now. */
export interface GuardedAccount {
  readonly id: string;
  readonly accountId: number;
  /** False for accounts that may be below zero whenever they like. */
  readonly guarded: boolean;
  posted: number;
  held: number;
  version: number;
  forcedSince: Date | null;
  changed: boolean;
}

export interface LoadedCard {
  readonly row: CardRow;
  readonly owner: OwnerRow;
  readonly programme: Programme;
  readonly product: Product;
  readonly accounts: Awaited<ReturnType<Configuration['accounts']>>;
  readonly balance: GuardedAccount;
  deposit: GuardedAccount | null;
  company: GuardedAccount | null;
  tombstones: readonly TombstoneRow[];
  pinTriesLeft: number;
  cvcTriesLeft: number;
  locks: readonly number[];
  /** What counts against limits, by the card and by its customer where somebody limited that. */
  readonly counted: Counted;
  customer: Counted | null;
  newest: Newest | null;
  changed: boolean;
}

/** What a batch has read, changed by each decision so that the next one sees it. */
export interface WorkingCopy {
  readonly now: Date;
  readonly cards: ReadonlyMap<string, LoadedCard>;
  readonly balances: ReadonlyMap<string, GuardedAccount>;
  readonly partnerBalances: ReadonlyMap<string, GuardedAccount>;
  /** Locked transactions, and those that this batch makes, by id. */
  readonly lifecycles: Map<string, Lifecycle>;
  /** Ids of transactions that this batch made, by card. */
  readonly made: Map<number, string[]>;
}

/** The balance of a card row, one object for all cards that share it. */
export const guardedBalance = (row: CardRow): GuardedAccount => ({
  id: row.balance_id,
  accountId: row.account_id,
  guarded: row.holder === 'platform',
  posted: row.posted,
  held: row.held,
  version: row.version,
  forcedSince: row.forced_since,
  changed: false,
});

/** A locked partner balance. */
export const guardedPartnerBalance = (row: PartnerBalanceRow): GuardedAccount => ({
  id: row.partner_balance_id,
  accountId: row.account_id,
  guarded: row.enforced && row.kind !== 'company',
  posted: row.posted,
  held: row.held,
  version: row.version,
  forcedSince: row.forced_since,
  changed: false,
});

const balanceView = ({ row, balance }: LoadedCard): BalanceView => ({
  balanceId: row.balance_id,
  currency: row.currency,
  holder: row.holder,
  state: row.balance_state,
  posted: balance.posted,
  held: balance.held,
});

const programmeView = ({ programme }: LoadedCard) => ({
  version: programme.version,
  balanceHolder: programme.balanceHolder,
  funding: programme.funding,
  sharedAuthorization: programme.sharedAuthorization,
  allowPartialApproval: programme.allowPartialApproval,
  holdDays: programme.timings.holdDays ?? null,
});

const DAY_MS = 86_400_000;

/** View of an authorization of this card as the batch stands now; `candidateIds` are what it may mean. */
export function authorizationView(
  copy: WorkingCopy,
  card: LoadedCard,
  command: AuthorizationCommand,
  candidateIds: readonly string[],
): AuthorizationView {
  const { row, owner, deposit } = card;
  const nowMs = copy.now.getTime();
  const { state, kyc, transactional_locks: transactionalLocks } = owner;
  return {
    card: {
      cardId: row.card_id,
      baseState: row.base_state,
      locks: card.locks,
      expiryDate: row.expiry_date,
      pinTriesLeft: card.pinTriesLeft,
      cvcTriesLeft: card.cvcTriesLeft,
    },
    programme: programmeView(card),
    product: card.product,
    owner:
      state === null || kyc === null ? null : { state, kyc, transactionalLocks: transactionalLocks ?? 0 },
    balance: balanceView(card),
    deposit:
      deposit === null ? null : { posted: deposit.posted, held: deposit.held, enforced: deposit.guarded },
    limits: limitsOf(card, nowMs),
    candidates: candidatesOf(copy, card, candidateIds),
    possibleDuplicate: isAlike(card.newest, command, nowMs),
    tombstones: card.tombstones
      .filter((one) => hits(one, command, copy.now))
      .map(({ tombstone_id: id, amount, remaining_amount: remainingAmount }) => ({
        id,
        amount,
        remainingAmount,
      })),
  };
}

/** Programme and product are ceilings for what the card has spent: they have no counters (data-model). */
const limitsOf = ({ counted, customer, programme, product }: LoadedCard, nowMs: number): AllLimitsView => ({
  card: limitsViewOf(counted.document, counted.version, counted, nowMs),
  programme: limitsViewOf(programme.limits, programme.version, counted, nowMs),
  product: limitsViewOf(product.limits, product.version, counted, nowMs),
  customer: customer === null ? null : limitsViewOf(customer.document, customer.version, customer, nowMs),
});

/** Transactions that a message may mean: those found, and those that this batch has made for the card. */
function candidatesOf(copy: WorkingCopy, card: LoadedCard, candidateIds: readonly string[]): Lifecycle[] {
  const made = copy.made.get(card.row.card_id);
  if (candidateIds.length === 0 && made === undefined) return [];
  return [...new Set([...candidateIds, ...(made ?? [])])].flatMap((id) => copy.lifecycles.get(id) ?? []);
}

/**
 * Same network message; without one named, the same reference of the network; or the same number of the
 * transaction within a day of the reversal (authorization 9). An inquiry holds nothing that could be given back.
 */
function hits(tombstone: TombstoneRow, command: AuthorizationCommand, now: Date): boolean {
  if (command.kind === 'BALANCE_INQUIRY') return false;
  const { original_stan: stan, original_local_at: localAt, network_reference: reference } = tombstone;
  const namesMessage = stan !== null && localAt !== null;
  const sameMessage = namesMessage
    ? stan === command.stan && localAt === command.localAt
    : reference !== null && reference === command.networkReference;
  const recent = Math.abs(now.getTime() - tombstone.created_at.getTime()) <= DAY_MS;
  return sameMessage || (recent && tombstone.external_id === command.externalId);
}

/** View of a reversal or a clearing record of this card; `candidateIds` are what its references may mean. */
export function referencingView(
  copy: WorkingCopy,
  card: LoadedCard,
  candidateIds: readonly string[],
): ReversalView & PresentmentView {
  return {
    programme: programmeView(card),
    productVersion: card.product.version,
    balance: balanceView(card),
    candidates: candidatesOf(copy, card, candidateIds),
  };
}

/** View of one hold that is to end. */
export function releaseView(copy: WorkingCopy, card: LoadedCard, transactionId: string): ReleaseView {
  return {
    programme: programmeView(card),
    productVersion: card.product.version,
    lifecycle: copy.lifecycles.get(transactionId) ?? null,
  };
}

/** A transfer with its accounts, and their values after it where they have one. */
export interface PostedTransfer {
  readonly transactionId: string;
  readonly eventSeq: number;
  readonly seq: number;
  readonly partnerId: number;
  readonly debitAccount: number;
  readonly creditAccount: number;
  readonly amount: number;
  readonly currency: string;
  readonly state: 'PENDING' | 'POSTED' | 'VOIDED';
  readonly ofEventSeq: number | null;
  readonly ofSeq: number | null;
  readonly debitAfter: number | null;
  readonly creditAfter: number | null;
}

/** A decision as it is to be written. */
export interface Applied {
  readonly transfers: readonly PostedTransfer[];
  /** What counts against the card's limits now; null when the decision counted nothing. */
  readonly consumed: readonly number[] | null;
}

/** The authorization that later ones are compared with. */
export function rememberNewest(copy: WorkingCopy, card: LoadedCard, command: AuthorizationCommand): void {
  card.newest = { fingerprint: likenessOf(command), atMs: copy.now.getTime() };
  card.changed = true;
}

/** Applies a decision to the copy. */
export function applyEffects(copy: WorkingCopy, card: LoadedCard, effects: Effects): Applied {
  if (effects.tries !== null) {
    card.pinTriesLeft = effects.tries.pinTriesLeft;
    card.cvcTriesLeft = effects.tries.cvcTriesLeft;
    card.changed = true;
  }
  if (effects.lockCode !== null) {
    card.locks = [...card.locks, effects.lockCode].toSorted((one, other) => one - other);
    card.changed = true;
  }
  const used = effects.usedTombstoneIds;
  if (used.length > 0) card.tombstones = card.tombstones.filter((one) => !used.includes(one.tombstone_id));
  const { transaction } = effects;
  if (transaction === null) return { transfers: [], consumed: null };
  const transfers: PostedTransfer[] = [];
  for (const event of effects.events)
    transfers.push(...applyEntry(copy, card, transaction.id, event, effects.forced));
  const before = card.counted.consumption;
  countCharge(copy, card, effects);
  rememberLifecycle(copy, card, effects);
  const { consumption } = card.counted;
  return { transfers, consumed: consumption === before ? null : consumption.consumed };
}

function countCharge(copy: WorkingCopy, card: LoadedCard, effects: Effects): void {
  const { transaction } = effects;
  if (transaction === null) return;
  const before = copy.lifecycles.get(transaction.id);
  const charged =
    before ?? (transaction.created && { ...transaction.created, ...dataOf(transaction.created) });
  if (charged === null) return;
  const counters = card.customer === null ? [card.counted] : [card.counted, card.customer];
  count(counters, effects, before, charged, copy.now.getTime());
}

function applyEntry(
  copy: WorkingCopy,
  card: LoadedCard,
  transactionId: string,
  event: Effects['events'][number],
  forced: boolean,
): PostedTransfer[] {
  const touched = new Set<GuardedAccount>();
  const posted = event.transfers.map((transfer): PostedTransfer => {
    const after = (code: (typeof transfer)['debit']): number | null => {
      if (!isGuarded(code)) return null;
      const account = guardedAccount(card, code);
      const { posted: value, held } = valueAfter(account, code, transfer);
      account.posted = value;
      account.held = held;
      touched.add(account);
      return transfer.state === 'POSTED' ? value : null;
    };
    return {
      transactionId,
      eventSeq: event.seq,
      seq: transfer.seq,
      partnerId: card.row.partner_id,
      debitAccount: accountId(card, transfer.debit),
      creditAccount: accountId(card, transfer.credit),
      amount: transfer.amount,
      currency: card.row.currency,
      state: transfer.state,
      ofEventSeq: transfer.of?.eventSeq ?? null,
      ofSeq: transfer.of?.seq ?? null,
      debitAfter: after(transfer.debit),
      creditAfter: after(transfer.credit),
    };
  });
  for (const account of touched) settle(account, forced, copy.now);
  return posted;
}

/** Once an entry: the version moves on, and an account below zero remembers since when it was let there. */
function settle(account: GuardedAccount, forced: boolean, now: Date): void {
  account.version += 1;
  account.changed = true;
  if (availableOf(account) >= 0) account.forcedSince = null;
  else if (forced && account.guarded) account.forcedSince ??= now;
}

function guardedAccount(card: LoadedCard, code: GuardedCode): GuardedAccount {
  const account =
    code === 'U' ? card.balance : code === 'PD' ? card.deposit : code === 'CO' ? card.company : null;
  if (account === null) throw new Error(`the batch has not locked the account ${code}`);
  return account;
}

function accountId(card: LoadedCard, code: Effects['events'][number]['transfers'][number]['debit']): number {
  if (isGuarded(code)) return guardedAccount(card, code).accountId;
  const account = code in card.accounts ? card.accounts[code as SharedCode] : undefined;
  if (account === undefined) throw new Error(`card traffic has no account ${code}`);
  return account;
}

function rememberLifecycle(copy: WorkingCopy, card: LoadedCard, effects: Effects): void {
  const { transaction, events } = effects;
  if (transaction === null) return;
  const { id, created, fold } = transaction;
  const before = copy.lifecycles.get(id);
  const holds = events.reduce(
    (open, event) => holdsAfter(open, event.seq, event.transfers),
    before?.holds ?? [],
  );
  if (before !== undefined) {
    copy.lifecycles.set(id, { ...before, ...fold, holds });
  } else if (created !== null && created.type !== 'balance_inquiry' && fold.state !== 'INVALID') {
    copy.lifecycles.set(id, {
      ...created,
      ...fold,
      id,
      balanceId: card.row.balance_id,
      ...dataOf(created),
      createdAtMs: copy.now.getTime(),
      holds,
    });
    copy.made.set(card.row.card_id, [...(copy.made.get(card.row.card_id) ?? []), id]);
  }
}

/** What the rules ask of the network's data. */
function dataOf({ transactionData }: NewTransaction) {
  const text = (name: string): string | null => {
    const value = transactionData[name];
    return typeof value === 'string' ? value : null;
  };
  const cash = transactionData['cashbackPosAmount'];
  return {
    merchantIdentifier: text('merchantIdentifier'),
    captureMode: text('captureMode'),
    mcc: text('mcc'),
    country: text('acquirerCountry'),
    cashback: typeof cash === 'number' ? cash : 0,
  };
}
