import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Where records outlive the process. Values are JSON texts, returned in the order of their first writing. */
export interface Store {
  load(collection: string): readonly { readonly id: string; readonly value: string }[];
  put(collection: string, id: string, value: string): void;
  remove(collection: string, id: string): void;
  removeAll(collection: string): void;
  /** Runs `work` so that all its writes stay or none. */
  atomically<T>(work: () => T): T;
  close(): void;
}

/** Keeps nothing beyond the process. */
export function openMemoryStore(): Store {
  return {
    load: () => [],
    put: () => undefined,
    remove: () => undefined,
    removeAll: () => undefined,
    atomically: (work) => work(),
    close: () => undefined,
  };
}

/** Opens or creates the SQLite file at `path`. Throws when it cannot be opened. */
export function openSqliteStore(path: string): Store {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path);
  chmodSync(path, 0o600);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS records (
      position INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
      UNIQUE (collection, id)
    );
  `);
  const select = database.prepare('SELECT id, value FROM records WHERE collection = ? ORDER BY position');
  const upsert = database.prepare(
    'INSERT INTO records (collection, id, value) VALUES (?, ?, ?) ON CONFLICT (collection, id) DO UPDATE SET value = excluded.value',
  );
  const removeOne = database.prepare('DELETE FROM records WHERE collection = ? AND id = ?');
  const removeEvery = database.prepare('DELETE FROM records WHERE collection = ?');
  return {
    load: (collection) =>
      select.all(collection).map((row) => ({ id: String(row['id']), value: String(row['value']) })),
    put: (collection, id, value) => void upsert.run(collection, id, value),
    remove: (collection, id) => void removeOne.run(collection, id),
    removeAll: (collection) => void removeEvery.run(collection),
    atomically(work) {
      database.exec('BEGIN');
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => database.close(),
  };
}
