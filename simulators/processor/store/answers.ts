import type { DatabaseSync } from 'node:sqlite';

/** The answer of a finished contract call; `fingerprint` tells whether a repeat asks for the same. */
export interface StoredAnswer {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
}

export interface Answers {
  find(key: string): StoredAnswer | null;
  keep(key: string, answer: StoredAnswer): void;
}

/** Answers by idempotency key, kept in `database`. */
export function openAnswers(database: DatabaseSync): Answers {
  const select = database.prepare('SELECT fingerprint, status, body FROM answers WHERE key = ?');
  const insert = database.prepare('INSERT INTO answers (key, fingerprint, status, body) VALUES (?, ?, ?, ?)');
  return {
    find: (key) => (select.get(key) as StoredAnswer | undefined) ?? null,
    keep: (key, answer) => void insert.run(key, answer.fingerprint, answer.status, answer.body),
  };
}
