import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (stream TEXT PRIMARY KEY, drawn INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS used_numbers (number TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS cards (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    processor_card_id TEXT NOT NULL UNIQUE,
    reference TEXT NOT NULL UNIQUE,
    external_card_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    holder_name TEXT NOT NULL,
    pan TEXT NOT NULL UNIQUE,
    expiry TEXT NOT NULL,
    cvc_version INTEGER NOT NULL,
    locks TEXT NOT NULL,
    created_at TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS cards_external ON cards (external_card_id);
  CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS traces (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    trace_id TEXT NOT NULL UNIQUE,
    processor_card_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    original TEXT NOT NULL,
    outcome TEXT NOT NULL,
    authorization_code TEXT,
    held INTEGER NOT NULL,
    cleared INTEGER NOT NULL,
    clearings INTEGER NOT NULL,
    finally_cleared INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS traces_undecided ON traces (sequence) WHERE outcome = 'OPEN';
  CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    trace_id TEXT,
    direction TEXT NOT NULL,
    message TEXT NOT NULL,
    path TEXT NOT NULL,
    at TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    fault TEXT,
    request TEXT NOT NULL,
    status INTEGER,
    response TEXT NOT NULL,
    latency_ms INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS messages_trace ON messages (trace_id);
  CREATE TABLE IF NOT EXISTS repeats (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    outbound TEXT NOT NULL,
    attempt INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS waiting_records (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    record TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS clearing_files (
    file_id TEXT PRIMARY KEY,
    business_date TEXT NOT NULL,
    records INTEGER NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    path TEXT NOT NULL,
    made_at TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS scenarios (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
`;

/** Columns that came after the first release of their table: table, column, definition. */
const LATER_COLUMNS = [['traces', 'authorized', 'INTEGER NOT NULL DEFAULT 0']] as const;

/**
 * Opens (or makes) `processor.sqlite` in `folder`. It holds card numbers of test ranges in clear, so only
 * the owner may read it. Held exclusively: a second simulator on the same folder fails here.
 */
export function openDatabase(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'processor.sqlite');
  const database = new DatabaseSync(path);
  chmodSync(path, 0o600);
  database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;');
  database.exec(SCHEMA);
  for (const [table, column, definition] of LATER_COLUMNS) {
    const columns = database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
    if (columns.some((one) => one['name'] === column)) continue;
    database.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
  }
  return database;
}

/** Runs `work` in one SQLite transaction; all or nothing. */
export function atomically<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

const FORGOTTEN = [
  'cards',
  'answers',
  'traces',
  'messages',
  'repeats',
  'counters',
  'waiting_records',
  'clearing_files',
];

/** Forgets cards, traces, messages, answers, files and counters; keys, seed, scenarios and used numbers stay. */
export function forgetState(database: DatabaseSync): void {
  atomically(database, () => {
    for (const table of FORGOTTEN) database.exec(`DELETE FROM ${table}`);
  });
}
