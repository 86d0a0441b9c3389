import type { Answer, Effect } from './call.ts';
import { openCollection, openJournal, type Collection, type Journal } from './collection.ts';
import type { Operation } from './operations.ts';
import type { Store } from './store.ts';

export interface Account {
  readonly balanceId: string;
  /** Null for an account that a force call made. */
  readonly userId: string | null;
  readonly currency: string;
  /** Minor units; below zero by force-debit only, or within the overdraft. */
  readonly amount: number;
  readonly orphan: boolean;
}

export interface Entry {
  readonly n: number;
  /** Lifecycle id. */
  readonly id: string;
  readonly transactionId: string;
  readonly balanceId: string;
  readonly operation: 'debit' | 'force-debit' | 'credit' | 'force-credit';
  readonly amount: number;
  readonly currency: string;
  readonly key: string | null;
  readonly bodySha256: string;
  readonly sequence: number | null;
  readonly effect: 'APPLIED' | 'REVERSED';
  readonly status: 'AUTHORIZED' | 'CLEARED';
  readonly at: string;
}

export interface Tombstone {
  readonly id: string;
  readonly transactionId: string;
  readonly at: string;
}

/** What is known about an idempotency key. */
export interface KnownKey {
  readonly key: string;
  readonly operation: Operation;
  readonly target: string;
  readonly bodySha256: string;
  readonly attempts: number;
  readonly answer: Answer | null;
  readonly firstAt: string;
}

/** One received request and what became of it. */
export interface RequestRecord {
  readonly n: number;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation | null;
  readonly key: string | null;
  readonly attempt: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly encrypted: boolean;
  readonly bodySha256: string;
  readonly body: unknown;
  readonly mode: string;
  readonly rule: string | null;
  readonly result: 'OPEN' | 'ANSWERED' | 'RESET' | 'CLOSED';
  readonly answer: Answer | null;
  readonly effect: Effect | null;
  readonly ms: number | null;
}

export interface InboxItem {
  readonly n: number;
  readonly at: string;
  readonly kind: string;
  readonly operation: Operation;
  readonly key: string | null;
  readonly sequence: number | null;
  readonly body: unknown;
}

export interface Violation {
  readonly n: number;
  readonly at: string;
  readonly code: ViolationCode;
  readonly detail: string;
  readonly operation: Operation | null;
  readonly key: string | null;
  /** Number of the request that showed it. */
  readonly request: number;
}

export type ViolationCode =
  | 'BYTES_CHANGED'
  | 'KEY_REUSED'
  | 'OTP_REPEATED'
  | 'SENSITIVE_CLEAR_TEXT'
  | 'SEQUENCE_BACKWARDS'
  | 'REVERSAL_BODY_DIFFERS'
  | 'SCHEMA'
  | 'NO_KEY_HEADER'
  | 'PAN_SEEN'
  | 'TOO_MANY_RESENDS';

export interface OrderKeyProgress {
  readonly highest: number;
  readonly at: string;
  /** Numbers whose first attempt may have been lost while the port was closed. */
  readonly excused: readonly number[];
}

export interface SimState {
  readonly store: Store;
  readonly accounts: Collection<Account>;
  readonly entries: Journal<Entry>;
  readonly tombstones: Collection<Tombstone>;
  readonly keys: Collection<KnownKey>;
  readonly requests: Journal<RequestRecord>;
  readonly inbox: Journal<InboxItem>;
  readonly violations: Journal<Violation>;
  readonly sequences: Collection<OrderKeyProgress>;
  /** Hashes of the OTP bodies seen. */
  readonly otps: Collection<true>;
}

const keptRequests = 20_000;
const keptInboxItems = 100_000;
const keptViolations = 10_000;

/** Opens everything the simulator knows, as the store holds it. */
export function openState(store: Store): SimState {
  return {
    store,
    accounts: openCollection(store, 'accounts'),
    entries: openJournal(store, 'entries', Number.POSITIVE_INFINITY),
    tombstones: openCollection(store, 'tombstones'),
    keys: openCollection(store, 'keys'),
    requests: openJournal(store, 'requests', keptRequests),
    inbox: openJournal(store, 'inbox', keptInboxItems),
    violations: openJournal(store, 'violations', keptViolations),
    sequences: openCollection(store, 'sequences'),
    otps: openCollection(store, 'otps'),
  };
}

/** Forgets everything, in memory and in the store. */
export function clearState(state: SimState): void {
  state.store.atomically(() => {
    const { store: _store, ...collections } = state;
    for (const collection of Object.values(collections)) collection.clear();
  });
}
