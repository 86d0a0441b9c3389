import { noContent, refusal, type Answer, type Outcome } from './call.ts';
import type { MoneyOperation } from './operations.ts';
import type { Movement } from './schemas.ts';
import type { Account, Entry, SimState, Tombstone } from './state.ts';

/** The partner's own books (transaction-history 9.2). Amounts are minor units. */
export interface Ledger {
  link(userId: string, balanceId: string, currency: string): Outcome;
  unlink(userId: string, balanceId: string): Outcome;
  readBalance(userId: string, balanceId: string): Outcome;
  readBalances(userId: string): Outcome;
  /** `verdict` stands between the checks of the balance and the check of its funds; null: the funds decide. */
  move(operation: MoneyOperation, movement: Movement, source: Source, verdict: Verdict | null): Outcome;
  reverse(movement: Movement, keepTombstone: boolean): Outcome;
  clear(id: string, transactionId: string): Outcome;
  /** The debit or credit that a reversal of this pair would undo, or the last one it undid. */
  findReversible(id: string, transactionId: string): Entry | undefined;
  setAccount(balanceId: string, userId: string | null, currency: string, amount: number): Account;
  /** Reads the books again after they were emptied. */
  reload(): void;
}

export interface Source {
  readonly key: string | null;
  readonly bodySha256: string;
  readonly sequence: number | null;
}

export type Verdict = { readonly kind: 'APPROVE' } | { readonly kind: 'DECLINE'; readonly answer: Answer };

export interface LedgerSettings {
  readonly overdraftMinorUnits: number;
  readonly userExists: (userId: string) => boolean;
  readonly now: () => Date;
}

const pairOf = (id: string, transactionId: string): string => JSON.stringify([id, transactionId]);
const balanceUnknown = refusal(404, 'BALANCE_NOT_FOUND', 'This balance is not linked.');
const foreign = refusal(403, 'FORBIDDEN', 'The balance belongs to another user.');
const conflict = (detail: string): Answer => refusal(409, 'CLIENT_ERROR', detail);
const none = (answer: Answer): Outcome => ({ answer, effect: 'NONE' });

/** Opens the books over the collections of `state`. Every call runs without interruption. */
export function openLedger(state: SimState, settings: LedgerSettings): Ledger {
  const byPair = new Map<string, number[]>();
  const byId = new Map<string, number[]>();
  const byTransactionId = new Map<string, number[]>();

  function index(entry: Entry): void {
    append(byPair, pairOf(entry.id, entry.transactionId), entry.n);
    append(byId, entry.id, entry.n);
    append(byTransactionId, entry.transactionId, entry.n);
  }
  function reload(): void {
    for (const map of [byPair, byId, byTransactionId]) map.clear();
    state.entries.all().forEach(index);
  }
  reload();

  const entriesOf = (map: Map<string, number[]>, key: string): Entry[] =>
    (map.get(key) ?? []).flatMap((n) => state.entries.get(n) ?? []);

  function owned(userId: string, balanceId: string): { account: Account } | { answer: Answer } {
    const account = state.accounts.get(balanceId);
    if (account === undefined) return { answer: balanceUnknown };
    return account.userId === userId ? { account } : { answer: foreign };
  }

  function book(operation: MoneyOperation, movement: Movement, source: Source, account: Account): Outcome {
    const signed = operation === 'debit' || operation === 'force-debit' ? -movement.amount : movement.amount;
    state.accounts.set(account.balanceId, { ...account, amount: account.amount + signed });
    const entry = state.entries.add((n) => ({
      n,
      id: movement.id,
      transactionId: movement.transactionId,
      balanceId: account.balanceId,
      operation,
      amount: movement.amount,
      currency: movement.currency,
      ...source,
      effect: 'APPLIED',
      status: 'AUTHORIZED',
      at: settings.now().toISOString(),
    }));
    index(entry);
    return { answer: noContent, effect: 'APPLIED' };
  }

  return {
    link(userId, balanceId, currency) {
      if (!settings.userExists(userId)) {
        return none(refusal(404, 'USER_NOT_FOUND', 'There is no such user.'));
      }
      const known = state.accounts.get(balanceId);
      if (known === undefined) {
        state.accounts.set(balanceId, { balanceId, userId, currency, amount: 0, orphan: false });
        return { answer: noContent, effect: 'LINKED' };
      }
      const same = known.userId === userId && known.currency === currency;
      return none(same ? noContent : conflict('The balance is linked otherwise.'));
    },

    unlink(userId, balanceId) {
      const found = owned(userId, balanceId);
      if ('answer' in found) return none(found.answer);
      if (found.account.amount !== 0) return none(conflict('The balance is not empty.'));
      state.accounts.delete(balanceId);
      return { answer: noContent, effect: 'UNLINKED' };
    },

    readBalance(userId, balanceId) {
      const found = owned(userId, balanceId);
      if ('answer' in found) return none(found.answer);
      const { currency, amount } = found.account;
      return { answer: { status: 200, body: { currency, amount } }, effect: 'READ' };
    },

    readBalances(userId) {
      const body = state.accounts
        .all()
        .filter((account) => account.userId === userId)
        .map(({ balanceId, currency, amount }) => ({ id: balanceId, currency, amount }));
      return { answer: { status: 200, body }, effect: 'READ' };
    },

    move(operation, movement, source, verdict) {
      const { balanceId, currency } = movement;
      const account = state.accounts.get(balanceId);
      if (operation === 'force-debit' || operation === 'force-credit') {
        const orphan: Account = { balanceId, userId: null, currency, amount: 0, orphan: true };
        return book(operation, movement, source, account ?? orphan);
      }
      if (state.tombstones.get(pairOf(movement.id, movement.transactionId)) !== undefined) {
        return none(conflict('This transaction was reversed before it came.'));
      }
      if (account === undefined) return none(balanceUnknown);
      if (account.currency !== currency) return none(conflict('The balance has another currency.'));
      if (verdict?.kind === 'DECLINE') return none(verdict.answer);
      const available = account.amount + settings.overdraftMinorUnits;
      if (operation === 'debit' && verdict === null && movement.amount > available) {
        return none(refusal(422, 'INSUFFICIENT_FUNDS', 'There is not enough money on the balance.'));
      }
      return book(operation, movement, source, account);
    },

    reverse(movement, keepTombstone) {
      const pair = pairOf(movement.id, movement.transactionId);
      const entry = entriesOf(byPair, pair).findLast(
        (one) => one.effect === 'APPLIED' && (one.operation === 'debit' || one.operation === 'credit'),
      );
      if (entry === undefined) {
        if (!keepTombstone) return none(noContent);
        const tombstone: Tombstone = {
          id: movement.id,
          transactionId: movement.transactionId,
          at: settings.now().toISOString(),
        };
        state.tombstones.set(pair, tombstone);
        return { answer: noContent, effect: 'TOMBSTONED' };
      }
      const account = state.accounts.get(entry.balanceId);
      if (account !== undefined) {
        const back = entry.operation === 'debit' ? entry.amount : -entry.amount;
        state.accounts.set(account.balanceId, { ...account, amount: account.amount + back });
      }
      state.entries.update({ ...entry, effect: 'REVERSED' });
      return { answer: noContent, effect: 'REVERSED' };
    },

    clear(id, transactionId) {
      const candidates = [...entriesOf(byId, id), ...entriesOf(byTransactionId, transactionId)];
      const entry =
        candidates.find((one) => one.id === id && one.transactionId === transactionId) ?? candidates[0];
      if (entry === undefined) {
        return none(refusal(404, 'TRANSACTION_NOT_FOUND', 'There is no such transaction.'));
      }
      state.entries.update({ ...entry, status: 'CLEARED' });
      return { answer: noContent, effect: 'CLEARED' };
    },

    findReversible: (id, transactionId) =>
      entriesOf(byPair, pairOf(id, transactionId)).findLast(
        (one) => one.operation === 'debit' || one.operation === 'credit',
      ),

    setAccount(balanceId, userId, currency, amount) {
      const account: Account = { balanceId, userId, currency, amount, orphan: userId === null };
      state.accounts.set(balanceId, account);
      return account;
    },

    reload,
  };
}

function append(map: Map<string, number[]>, key: string, n: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [n]);
  else list.push(n);
}
