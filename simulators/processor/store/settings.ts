import type { DatabaseSync } from 'node:sqlite';

/** Named values that outlive a restart: seed, rates, own key. */
export interface Settings {
  read(name: string): string | null;
  write(name: string, value: string): void;
}

/** Settings kept in `database`. */
export function openSettings(database: DatabaseSync): Settings {
  const select = database.prepare('SELECT value FROM settings WHERE name = ?');
  const upsert = database.prepare(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  return {
    read: (name) => (select.get(name) as { value: string } | undefined)?.value ?? null,
    write: (name, value) => void upsert.run(name, value),
  };
}
