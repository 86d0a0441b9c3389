import type { DatabaseSync } from 'node:sqlite';

/** Scenario files that somebody added, by the name inside them. */
export interface Scenarios {
  /** Keeps the text; one of the same name takes the place of the first. */
  keep(name: string, text: string): void;
  find(name: string): string | null;
  all(): readonly { readonly name: string; readonly text: string }[];
}

/** Scenarios kept in `database`. */
export function openScenarios(database: DatabaseSync): Scenarios {
  const upsert = database.prepare(
    'INSERT INTO scenarios (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text',
  );
  const select = database.prepare('SELECT text FROM scenarios WHERE name = ?');
  const all = database.prepare('SELECT name, text FROM scenarios ORDER BY name');
  return {
    keep: (name, text) => void upsert.run(name, text),
    find: (name) => {
      const row = select.get(name);
      return row === undefined ? null : String(row['text']);
    },
    all: () => all.all().map((row) => ({ name: String(row['name']), text: String(row['text']) })),
  };
}
