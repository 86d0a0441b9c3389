import type { Authority } from './certificates.ts';
import type { Simulation } from './exchange.ts';
import { isUnreachable, type Mode } from './modes.ts';
import type { OperationFigures } from './metrics.ts';
import type { PartnerServer } from './partner-server.ts';
import type { Rule } from './rules.ts';
import {
  clearState,
  type Account,
  type Entry,
  type InboxItem,
  type RequestRecord,
  type Tombstone,
  type Violation,
} from './state.ts';

export type RuleView = Rule & { readonly fired: number };
export type Movement = (Entry & { readonly kind: 'ENTRY' }) | (Tombstone & { readonly kind: 'TOMBSTONE' });
export type InboxView = InboxItem & { readonly attempts: number };

/** Records newer than a number (`n` above it) or not older than a time. */
export type Since = number | Date;

/** What whoever runs the simulator can see and change (transaction-history 9.6). */
export interface Control {
  state(): {
    readonly mode: Mode;
    readonly rules: readonly RuleView[];
    readonly counters: Readonly<Record<string, OperationFigures>>;
    readonly violations: number;
  };
  /** Switches at once, also for calls that a mode still holds back. */
  setMode(mode: Mode): Promise<void>;
  rules(): readonly RuleView[];
  setRules(rules: readonly Rule[]): void;
  addRule(rule: Rule): void;
  removeRule(name: string): boolean;
  accounts(): readonly Account[];
  setAccount(balanceId: string, userId: string | null, currency: string, amount: number): Account;
  transactions(filter?: { id?: string; balanceId?: string; operation?: string }): readonly Movement[];
  requests(filter?: { operation?: string; key?: string; since?: Since }): readonly RequestRecord[];
  request(n: number): RequestRecord | undefined;
  /** `kind` is the last part of a notification's path, for example `cardLocked`, or an operation. */
  inbox(filter?: { kind?: string; since?: Since }): readonly InboxView[];
  clearInbox(): void;
  violations(): readonly Violation[];
  clearViolations(): void;
  /** Null when the request is unreadable or its signature is wrong. */
  signCsr(
    csrPem: string,
  ): Promise<{ readonly certificatePem: string; readonly caPem: string; readonly baseUrl: string } | null>;
  reset(): Promise<void>;
}

export interface ControlParts {
  readonly simulation: Simulation;
  readonly server: PartnerServer;
  readonly authority: Authority;
  readonly baseUrl: () => string;
  readonly onReopened: () => void;
}

/** The control functions over a running simulation. */
export function createControl(parts: ControlParts): Control {
  const { simulation, server, authority } = parts;
  const { state, behaviour, feed, ledger, metrics } = simulation;
  let switching = Promise.resolve();

  /** Opens or closes the partner port as the mode has it; one switch after the other. */
  function followMode(): Promise<void> {
    const next = switching.then(async () => {
      if (isUnreachable(behaviour.mode())) return server.close();
      await server.open();
      parts.onReopened();
    });
    switching = next.catch(() => undefined);
    return next;
  }

  async function setMode(mode: Mode): Promise<void> {
    const wasUnreachable = isUnreachable(behaviour.mode());
    behaviour.setMode(mode);
    if (wasUnreachable !== isUnreachable(mode)) await followMode();
    feed.publish({ kind: 'mode', data: mode });
  }

  function rulesChanged(): void {
    feed.publish({ kind: 'rules', data: behaviour.rules() });
  }

  return {
    state: () => ({
      mode: behaviour.mode(),
      rules: behaviour.rules(),
      counters: metrics.figures(),
      violations: state.violations.all().length,
    }),
    setMode,
    rules: () => behaviour.rules(),
    setRules(rules) {
      behaviour.setRules(rules);
      rulesChanged();
    },
    addRule(rule) {
      behaviour.addRule(rule);
      rulesChanged();
    },
    removeRule(name) {
      const removed = behaviour.removeRule(name);
      if (removed) rulesChanged();
      return removed;
    },
    accounts: () => state.accounts.all(),
    setAccount(balanceId, userId, currency, amount) {
      const account = ledger.setAccount(balanceId, userId, currency, amount);
      feed.publish({ kind: 'accounts', data: account });
      return account;
    },
    transactions({ id, balanceId, operation } = {}) {
      const entries = state.entries.all().map((entry) => ({ ...entry, kind: 'ENTRY' as const }));
      const tombstones = state.tombstones.all().map((one) => ({ ...one, kind: 'TOMBSTONE' as const }));
      return [...entries, ...tombstones].filter(
        (one) =>
          (id === undefined || one.id === id) &&
          (balanceId === undefined || (one.kind === 'ENTRY' && one.balanceId === balanceId)) &&
          (operation === undefined || (one.kind === 'ENTRY' && one.operation === operation)),
      );
    },
    requests: ({ operation, key, since } = {}) =>
      state.requests
        .all()
        .filter(
          (one) =>
            (operation === undefined || one.operation === operation) &&
            (key === undefined || one.key === key) &&
            isSince(one, since),
        ),
    request: (n) => state.requests.get(n),
    inbox: ({ kind, since } = {}) =>
      state.inbox
        .all()
        .filter(
          (one) => (kind === undefined || one.kind === kind || one.operation === kind) && isSince(one, since),
        )
        .map((one) => ({
          ...one,
          attempts: one.key === null ? 1 : (state.keys.get(one.key)?.attempts ?? 1),
        })),
    clearInbox: () => state.inbox.clear(),
    violations: () => state.violations.all(),
    clearViolations: () => state.violations.clear(),
    async signCsr(csrPem) {
      const certificatePem = await authority.signClient(csrPem);
      return certificatePem === null
        ? null
        : { certificatePem, caPem: authority.caPem, baseUrl: parts.baseUrl() };
    },
    async reset() {
      behaviour.reset();
      clearState(state);
      ledger.reload();
      metrics.clear();
      await followMode();
      feed.publish({ kind: 'reset', data: null });
    },
  };
}

function isSince(record: { readonly n: number; readonly at: string }, since: Since | undefined): boolean {
  if (since === undefined) return true;
  return typeof since === 'number' ? record.n > since : Date.parse(record.at) >= since.getTime();
}
