import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Records of one kind by id, in the order of their first writing. */
export interface Collection<T> {
  get(id: string): T | undefined;
  set(id: string, value: T): void;
  delete(id: string): boolean;
  all(): T[];
  clear(): void;
}

export interface Store {
  collection<T>(name: string): Collection<T>;
  close(): void;
}

/** Opens the SQLite file at `path`, made when missing; null: memory only. Throws when it cannot be opened. */
export function openStore(path: string | null): Store {
  if (path !== null) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path ?? ':memory:');
  if (path !== null) chmodSync(path, 0o600);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS records (
      position INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
      UNIQUE (collection, id)
    );
  `);
  const one = database.prepare('SELECT value FROM records WHERE collection = ? AND id = ?');
  const every = database.prepare('SELECT value FROM records WHERE collection = ? ORDER BY position');
  const upsert = database.prepare(
    'INSERT INTO records (collection, id, value) VALUES (?, ?, ?) ON CONFLICT (collection, id) DO UPDATE SET value = excluded.value',
  );
  const removeOne = database.prepare('DELETE FROM records WHERE collection = ? AND id = ?');
  const removeEvery = database.prepare('DELETE FROM records WHERE collection = ?');
  return {
    collection: <T>(name: string): Collection<T> => ({
      get(id) {
        const row = one.get(name, id);
        return row === undefined ? undefined : (JSON.parse(String(row['value'])) as T);
      },
      set: (id, value) => void upsert.run(name, id, JSON.stringify(value)),
      delete: (id) => removeOne.run(name, id).changes > 0,
      all: () => every.all(name).map((row) => JSON.parse(String(row['value'])) as T),
      clear: () => void removeEvery.run(name),
    }),
    close: () => database.close(),
  };
}
