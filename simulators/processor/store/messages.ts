import type { DatabaseSync } from 'node:sqlite';

export type Direction = 'toPlatform' | 'fromPlatform';

/** One exchange on the wire, either way. `status` null: no usable answer. */
export interface MessageEntry {
  readonly traceId: string | null;
  readonly direction: Direction;
  readonly message: string;
  readonly path: string;
  readonly at: string;
  readonly attempt: number;
  /** Kinds of the faults that were applied, joined by a comma; null without one. */
  readonly fault: string | null;
  readonly request: unknown;
  readonly status: number | null;
  readonly response: unknown;
  readonly latencyMs: number;
}

export interface MessageLog {
  add(entry: MessageEntry): void;
  /** All of a trace, in the order they happened. */
  ofTrace(traceId: string): readonly MessageEntry[];
  newestFirst(limit: number): readonly MessageEntry[];
  /** The last message of a trace that went to the platform, or the last with that name. */
  lastToPlatform(traceId: string, message: string | null): MessageEntry | null;
}

const KEPT_MESSAGES = 1_000_000;
const PRUNE_EVERY = 1_000;

/** The message log kept in `database`, the newest 1,000,000 entries. */
export function openMessageLog(database: DatabaseSync): MessageLog {
  const insert = database.prepare(
    `INSERT INTO messages (trace_id, direction, message, path, at, attempt, fault, request, status, response, latency_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const ofTrace = database.prepare('SELECT * FROM messages WHERE trace_id = ? ORDER BY sequence');
  const newest = database.prepare('SELECT * FROM messages ORDER BY sequence DESC LIMIT ?');
  const last = database.prepare(
    `SELECT * FROM messages WHERE trace_id = ? AND direction = 'toPlatform' AND message = coalesce(?, message)
     ORDER BY sequence DESC LIMIT 1`,
  );
  const prune = database.prepare('DELETE FROM messages WHERE sequence <= ?');
  return {
    add: (entry) => {
      const { lastInsertRowid } = insert.run(
        entry.traceId,
        entry.direction,
        entry.message,
        entry.path,
        entry.at,
        entry.attempt,
        entry.fault,
        JSON.stringify(entry.request),
        entry.status,
        JSON.stringify(entry.response),
        entry.latencyMs,
      );
      const sequence = Number(lastInsertRowid);
      if (sequence % PRUNE_EVERY === 0) prune.run(sequence - KEPT_MESSAGES);
    },
    ofTrace: (traceId) => ofTrace.all(traceId).map(toEntry),
    newestFirst: (limit) => newest.all(limit).map(toEntry),
    lastToPlatform: (traceId, message) => {
      const row = last.get(traceId, message);
      return row === undefined ? null : toEntry(row);
    },
  };
}

function toEntry(row: unknown): MessageEntry {
  const columns = row as Record<string, string | number | null>;
  return {
    traceId: columns['trace_id'] === null ? null : String(columns['trace_id']),
    direction: columns['direction'] as Direction,
    message: String(columns['message']),
    path: String(columns['path']),
    at: String(columns['at']),
    attempt: Number(columns['attempt']),
    fault: columns['fault'] === null ? null : String(columns['fault']),
    request: JSON.parse(String(columns['request'])) as unknown,
    status: columns['status'] === null ? null : Number(columns['status']),
    response: JSON.parse(String(columns['response'])) as unknown,
    latencyMs: Number(columns['latency_ms']),
  };
}
