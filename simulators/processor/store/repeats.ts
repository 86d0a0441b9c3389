import type { DatabaseSync } from 'node:sqlite';
import type { Outbound } from '../wire/message.ts';

/** A message the platform has not accepted yet; it is repeated until it does, also after a restart. */
export interface Repeat {
  readonly sequence: number;
  readonly outbound: Outbound;
  readonly attempt: number;
}

export interface Repeats {
  add(outbound: Outbound): Repeat;
  setAttempt(sequence: number, attempt: number): void;
  remove(sequence: number): void;
  /** False after the entry was removed or forgotten. */
  exists(sequence: number): boolean;
  all(): readonly Repeat[];
}

/** Waiting repeats kept in `database`. */
export function openRepeats(database: DatabaseSync): Repeats {
  const insert = database.prepare('INSERT INTO repeats (outbound, attempt) VALUES (?, 1)');
  const setAttempt = database.prepare('UPDATE repeats SET attempt = ? WHERE sequence = ?');
  const remove = database.prepare('DELETE FROM repeats WHERE sequence = ?');
  const one = database.prepare('SELECT 1 FROM repeats WHERE sequence = ?');
  const all = database.prepare('SELECT * FROM repeats ORDER BY sequence');
  return {
    add: (outbound) => {
      const { lastInsertRowid } = insert.run(JSON.stringify(outbound));
      return { sequence: Number(lastInsertRowid), outbound, attempt: 1 };
    },
    setAttempt: (sequence, attempt) => void setAttempt.run(attempt, sequence),
    remove: (sequence) => void remove.run(sequence),
    exists: (sequence) => one.get(sequence) !== undefined,
    all: () =>
      all.all().map((row) => {
        const columns = row as Record<string, string | number>;
        return {
          sequence: Number(columns['sequence']),
          outbound: JSON.parse(String(columns['outbound'])) as Outbound,
          attempt: Number(columns['attempt']),
        };
      }),
  };
}
