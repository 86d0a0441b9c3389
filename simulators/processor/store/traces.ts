import type { DatabaseSync } from 'node:sqlite';
import type { NetworkMessage } from '../wire/message.ts';

export type TraceKind = 'AUTHORIZATION' | 'CREDIT_AUTHORIZATION' | 'BALANCE_INQUIRY' | 'PRESENTMENT';
export type TraceOutcome = 'OPEN' | 'APPROVED' | 'DECLINED' | 'NO_ANSWER';

/** One transaction as the network sees it: its first message and what is left of its hold (minor units). */
export interface Trace {
  readonly traceId: string;
  readonly processorCardId: string;
  readonly kind: TraceKind;
  readonly original: NetworkMessage;
  readonly outcome: TraceOutcome;
  readonly authorizationCode: string | null;
  /** Everything that was ever approved of it, increments included; reversals do not lower it. */
  readonly authorizedMinorUnits: number;
  readonly heldMinorUnits: number;
  readonly clearedMinorUnits: number;
  readonly clearings: number;
  readonly finallyCleared: boolean;
}

export interface Traces {
  insert(trace: Trace): void;
  find(traceId: string): Trace | null;
  update(trace: Trace): void;
  /** Authorizations without an outcome: those that a killed run left behind, when asked at the start. */
  undecided(): readonly Trace[];
  /** Approved ones that are not finally cleared, in the order they began. */
  open(): readonly Trace[];
}

/** What a clearing would present when nobody names an amount: the open hold, for a credit all of it. */
export function openMinorUnits(trace: Trace): number {
  if (trace.kind !== 'CREDIT_AUTHORIZATION') return trace.heldMinorUnits;
  const credited = trace.outcome === 'APPROVED' && !trace.finallyCleared;
  return credited ? Math.max(0, trace.original.amount - trace.clearedMinorUnits) : 0;
}

const KEPT_TRACES = 500_000;
const PRUNE_EVERY = 1_000;

/** Traces kept in `database`, the newest 500,000 of them. */
export function openTraces(database: DatabaseSync): Traces {
  const insert = database.prepare(
    `INSERT INTO traces (trace_id, processor_card_id, kind, original, outcome, authorization_code, held, cleared,
       clearings, finally_cleared, authorized) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const select = database.prepare('SELECT * FROM traces WHERE trace_id = ?');
  const update = database.prepare(
    `UPDATE traces SET outcome = ?, authorization_code = ?, held = ?, cleared = ?, clearings = ?,
       finally_cleared = ?, authorized = ? WHERE trace_id = ?`,
  );
  const undecided = database.prepare(
    `SELECT * FROM traces WHERE outcome = 'OPEN' AND kind IN ('AUTHORIZATION', 'CREDIT_AUTHORIZATION') ORDER BY sequence`,
  );
  const open = database.prepare(
    `SELECT * FROM traces WHERE outcome = 'APPROVED' AND finally_cleared = 0
       AND kind IN ('AUTHORIZATION', 'CREDIT_AUTHORIZATION') ORDER BY sequence`,
  );
  const prune = database.prepare('DELETE FROM traces WHERE sequence <= ?');
  return {
    insert: (trace) => {
      const { lastInsertRowid } = insert.run(
        trace.traceId,
        trace.processorCardId,
        trace.kind,
        JSON.stringify(trace.original),
        trace.outcome,
        trace.authorizationCode,
        trace.heldMinorUnits,
        trace.clearedMinorUnits,
        trace.clearings,
        trace.finallyCleared ? 1 : 0,
        trace.authorizedMinorUnits,
      );
      const sequence = Number(lastInsertRowid);
      if (sequence % PRUNE_EVERY === 0) prune.run(sequence - KEPT_TRACES);
    },
    find: (traceId) => {
      const row = select.get(traceId);
      return row === undefined ? null : toTrace(row as Record<string, string | number | null>);
    },
    update: (trace) =>
      void update.run(
        trace.outcome,
        trace.authorizationCode,
        trace.heldMinorUnits,
        trace.clearedMinorUnits,
        trace.clearings,
        trace.finallyCleared ? 1 : 0,
        trace.authorizedMinorUnits,
        trace.traceId,
      ),
    undecided: () => undecided.all().map((row) => toTrace(row as Record<string, string | number | null>)),
    open: () => open.all().map((row) => toTrace(row as Record<string, string | number | null>)),
  };
}

/** A trace at its beginning: nothing answered, held or cleared. */
export function newTrace(traceId: string, kind: TraceKind, original: NetworkMessage): Trace {
  return {
    traceId,
    processorCardId: original.processorCardId,
    kind,
    original,
    outcome: 'OPEN',
    authorizationCode: null,
    authorizedMinorUnits: 0,
    heldMinorUnits: 0,
    clearedMinorUnits: 0,
    clearings: 0,
    finallyCleared: false,
  };
}

function toTrace(row: Record<string, string | number | null>): Trace {
  return {
    traceId: String(row['trace_id']),
    processorCardId: String(row['processor_card_id']),
    kind: row['kind'] as TraceKind,
    original: JSON.parse(String(row['original'])) as NetworkMessage,
    outcome: row['outcome'] as TraceOutcome,
    authorizationCode: row['authorization_code'] === null ? null : String(row['authorization_code']),
    authorizedMinorUnits: Number(row['authorized']),
    heldMinorUnits: Number(row['held']),
    clearedMinorUnits: Number(row['cleared']),
    clearings: Number(row['clearings']),
    finallyCleared: row['finally_cleared'] === 1,
  };
}
