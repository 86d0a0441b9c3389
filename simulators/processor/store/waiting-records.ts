import type { DatabaseSync } from 'node:sqlite';
import type { NetworkMessage } from '../wire/message.ts';

/** Clearing records that wait for the next clearing file (`via: file`). */
export interface WaitingRecords {
  add(record: NetworkMessage): void;
  /** All that wait, in order; they wait no longer. */
  take(): readonly NetworkMessage[];
}

/** Waiting records kept in `database`. */
export function openWaitingRecords(database: DatabaseSync): WaitingRecords {
  const insert = database.prepare('INSERT INTO waiting_records (record) VALUES (?)');
  const all = database.prepare('SELECT record FROM waiting_records ORDER BY sequence');
  const clear = database.prepare('DELETE FROM waiting_records');
  return {
    add: (record) => void insert.run(JSON.stringify(record)),
    take: () => {
      const records = all.all().map((row) => JSON.parse(String(row['record'])) as NetworkMessage);
      clear.run();
      return records;
    },
  };
}
