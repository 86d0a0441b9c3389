import { decide } from '../../domain/authorization.ts';
import type { AuthorizationCommand, AuthorizationView } from '../../domain/authorization-view.ts';
import type { Effects } from '../../domain/decision.ts';
import {
  type AccountValue,
  availableOf,
  entryOf,
  type FundingKind,
  holdsAfter,
  type Transfer,
  valueAfterAll,
} from '../../domain/ledger.ts';
import { decideClearing } from '../../domain/presentment.ts';
import type { PresentmentCommand } from '../../domain/presentment-record.ts';
import { decideReversal, type ReversalCommand } from '../../domain/reversal.ts';
import { advance, type Lifecycle } from '../../domain/transaction.ts';

/** 1 March 2026, noon UTC. */
export const NOON_MS = Date.UTC(2026, 2, 1, 12);
const MERCHANT = '003060300000005';

/** A purchase at a terminal; change what a test is about. */
export const aCommand = (changes: Partial<AuthorizationCommand> = {}): AuthorizationCommand => ({
  kind: 'AUTHORIZATION',
  type: 'pos',
  amount: 3500,
  currency: 'EUR',
  originalAmount: null,
  originalCurrency: null,
  cashbackAmount: null,
  externalId: '177482',
  networkReference: 'MCC1120AB12',
  rrn: '443322110088',
  stan: '177482',
  localAt: '2026-03-01T12:00:00+00:00',
  expiry: null,
  mcc: '5942',
  verdicts: {
    pin: 'NOT_CHECKED',
    cvc2: 'NOT_CHECKED',
    cryptogram: 'NOT_CHECKED',
    expiry: 'NOT_CHECKED',
    threeDs: 'NOT_CHECKED',
  },
  preAuthorization: false,
  statusOnly: false,
  description: 'BOOK STORE',
  transactionData: { mcc: '5942', merchantIdentifier: MERCHANT },
  ...changes,
});

/** A card that may pay from 100000 EUR cents, in a programme of kind A. */
export const aView = (changes: Partial<AuthorizationView> = {}): AuthorizationView => ({
  card: {
    cardId: 1,
    baseState: 'ACTIVE',
    locks: [],
    expiryDate: '2029-03-31',
    pinTriesLeft: 3,
    cvcTriesLeft: 5,
  },
  programme: {
    version: 1,
    balanceHolder: 'platform',
    funding: 'credit',
    sharedAuthorization: false,
    holdDays: null,
  },
  product: { version: 1, pinTries: 3, anonymous: false },
  owner: { state: 'VERIFIED', kyc: 'SUCCESS', transactionalLocks: 0 },
  balance: {
    balanceId: 'b',
    currency: 'EUR',
    holder: 'platform',
    state: 'ACTIVE',
    posted: 100_000,
    held: 0,
  },
  deposit: null,
  tombstones: [],
  ...changes,
});

/** A reversal of everything that the purchase of `aCommand` holds. */
export const aReversalCommand = (changes: Partial<ReversalCommand> = {}): ReversalCommand => ({
  amount: null,
  remainingAmount: null,
  currency: null,
  originalStan: '177482',
  originalLocalAt: '2026-03-01T12:00:00+00:00',
  networkReference: 'MCC1120AB12',
  referenceExternalId: null,
  referenceAtMs: null,
  approvalCode: null,
  externalId: '2678823',
  rrn: '443322110088',
  stan: '177590',
  localAt: '2026-03-01T12:20:00+00:00',
  ...changes,
});

/** A final clearing record of the purchase of `aCommand`. */
export const aRecordCommand = (changes: Partial<PresentmentCommand> = {}): PresentmentCommand => ({
  recordId: '000001',
  recordType: 'PURCHASE',
  amount: 3500,
  currency: 'EUR',
  originalAmount: null,
  originalCurrency: null,
  final: true,
  networkReference: 'MCC1120AB12',
  rrn: null,
  approvalCode: null,
  externalId: '177482',
  referenceExternalId: null,
  merchantIdentifier: null,
  interchangeAmount: null,
  interchangeCurrency: null,
  arn: null,
  transactionDate: '2026-03-01',
  description: 'BOOK STORE',
  transactionData: {},
  ...changes,
});

/** Books of one customer, moved by the pure functions alone. */
interface Books {
  readonly kind: FundingKind;
  user: AccountValue;
  deposit: AccountValue;
  readonly lifecycles: Map<string, Lifecycle>;
  count: number;
}

interface Row {
  readonly event: string;
  readonly cells: readonly string[];
}

const COLUMNS = ['available', 'held', 'posted', 'deposit', 'company'] as const;

/**
 * Runs one scenario written as text: a first line `<name> <A|B> [U <posted>] [deposit <posted>]`, then rows
 * `event | amount | available | held | posted | deposit | company | words`. Answers one line a row with what
 * was expected and what was found; equal when the scenario holds.
 */
export function runScenario(text: string): { readonly expected: string[]; readonly found: string[] } {
  const [head = '', ...lines] = text
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const books = openBooks(head);
  const expected: string[] = [];
  const found: string[] = [];
  for (const { event, cells } of lines.map(parse)) {
    const [amount = '0', ...wanted] = cells;
    const words = play(books, event, Number(amount));
    const values: Record<(typeof COLUMNS)[number], string> = {
      available: String(availableOf(books.user)),
      held: String(books.user.held),
      posted: String(books.user.posted),
      deposit: books.kind === 'A' ? '-' : String(books.deposit.posted),
      company: '0',
    };
    const told = (wanted[COLUMNS.length] ?? '').split(',').map((word) => word.trim());
    expected.push([event, ...wanted.slice(0, COLUMNS.length), ...told].join(' | '));
    const seen = told.map((word) => (words.includes(word) ? word : words.join(' ')));
    found.push([event, ...COLUMNS.map((column) => values[column]), ...seen].join(' | '));
  }
  return { expected, found };
}

function parse(line: string): Row {
  const [event = '', ...cells] = line.split('|').map((cell) => cell.trim());
  return { event, cells };
}

function openBooks(head: string): Books {
  const number = (pattern: RegExp, usual: number): number => Number(pattern.exec(head)?.[1] ?? usual);
  return {
    kind: / B\b/.test(head) ? 'B' : 'A',
    user: { posted: number(/U (\d+)/, 100_000), held: 0 },
    deposit: { posted: number(/deposit (\d+)/, 500_000), held: 0 },
    lifecycles: new Map(),
    count: 0,
  };
}

function play(books: Books, event: string, amount: number): string[] {
  books.count += 1;
  const id = `t${books.count}`;
  const programme = {
    version: 1,
    balanceHolder: 'platform',
    funding: books.kind === 'A' ? 'credit' : 'deposit',
  } as const;
  const balance = {
    balanceId: 'b',
    currency: 'EUR',
    holder: 'platform',
    state: 'ACTIVE',
    ...books.user,
  } as const;
  const later = { programme, productVersion: 1, balance, candidates: [...books.lifecycles.values()] };
  switch (event) {
    case 'auth': {
      const deposit = { ...books.deposit, enforced: true };
      const view = aView({
        programme: { ...programme, sharedAuthorization: false, holdDays: null },
        balance,
        deposit: books.kind === 'A' ? null : deposit,
      });
      const ids = { transactionId: id, approvalCode: 'Q7T2ZK' };
      const { answer, effects } = decide(view, aCommand({ amount }), NOON_MS, ids);
      return [answer.result, answer.description, ...apply(books, effects)];
    }
    case 'reversal': {
      const command = aReversalCommand({ amount, currency: 'EUR' });
      const { answer, effects } = decideReversal(later, command, NOON_MS, id);
      return [answer.result, answer.description, ...apply(books, effects)];
    }
    case 'clearing':
    case 'part clearing':
    case 'unknown clearing': {
      const networkReference = event === 'unknown clearing' ? 'MCC0000' : 'MCC1120AB12';
      const command = aRecordCommand({ amount, final: event !== 'part clearing', networkReference });
      const { answer, effects } = decideClearing(later, command, NOON_MS, id);
      return [answer.result, ...apply(books, effects)];
    }
    case 'refund':
    case 'unlinked refund': {
      const networkReference = event === 'refund' ? 'MCC1120AB12' : 'MCC0000';
      const command = aRecordCommand({ recordType: 'REFUND', amount, networkReference });
      const { answer, effects } = decideClearing(later, command, NOON_MS, id);
      return [answer.result, ...apply(books, effects), ...refundWords(books)];
    }
    case 'expiry':
      return expire(books);
    case 'topUp':
      book(books, entryOf('userCredit', books.kind, amount));
      return ['APPROVED'];
    default:
      throw new Error(`unknown event in a scenario: ${event}`);
  }
}

function apply(books: Books, effects: Effects): string[] {
  const { transaction, events, exceptions } = effects;
  const words: string[] = exceptions.map((one) => one.kind);
  if (transaction === null) return words;
  const before = books.lifecycles.get(transaction.id);
  let holds = before?.holds ?? [];
  for (const event of events) {
    book(books, event.transfers);
    holds = holdsAfter(holds, event.seq, event.transfers);
  }
  const { created, fold } = transaction;
  if (before !== undefined) books.lifecycles.set(transaction.id, { ...before, ...fold, holds });
  else if (created !== null) {
    books.lifecycles.set(transaction.id, {
      ...created,
      ...fold,
      id: transaction.id,
      balanceId: 'b',
      merchantIdentifier: MERCHANT,
      createdAtMs: NOON_MS,
      holds,
    });
  }
  // A declined attempt shares the network's reference with the next one; the scenarios speak of the last.
  if (fold.state === 'DECLINED' || fold.state === 'INVALID') books.lifecycles.delete(transaction.id);
  return [...words, fold.state, ...fold.flags];
}

const refundWords = (books: Books): string[] =>
  [...books.lifecycles.values()].map((one) => `refundedAmount ${one.refunded}`);

function expire(books: Books): string[] {
  const words: string[] = [];
  for (const one of books.lifecycles.values()) {
    if (one.held === 0) continue;
    const fold = advance(one, { kind: 'release', amount: one.held, cause: 'expiry', atMs: NOON_MS });
    book(books, entryOf('release', books.kind, one.held, one.holds));
    books.lifecycles.set(one.id, { ...one, ...fold, holds: [] });
    words.push(fold.state);
  }
  return words;
}

function book(books: Books, transfers: readonly Transfer[]): void {
  books.user = valueAfterAll(books.user, 'U', transfers);
  books.deposit = valueAfterAll(books.deposit, 'PD', transfers);
}
