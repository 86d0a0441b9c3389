import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isPan } from '../../../vault/pan.ts';
import { simulatorFolder } from '../../stack.ts';

const STORE = 'processor.sqlite';

/**
 * Every card number that the processor simulator of a data folder ever drew. The simulator holds its store for
 * itself, so a private copy is read and removed. Without a store there is none.
 */
export function drawnPans(dataDir: string): string[] {
  const store = join(simulatorFolder(dataDir), STORE);
  if (!existsSync(store)) return [];
  const folder = mkdtempSync(join(dataDir, 'leak-scan-'));
  try {
    // The log first: pages that it still holds are then also in the older file, or in both.
    for (const suffix of ['-wal', '']) {
      if (existsSync(store + suffix)) copyFileSync(store + suffix, join(folder, STORE + suffix));
    }
    const database = new DatabaseSync(join(folder, STORE));
    try {
      const rows = database
        .prepare('SELECT pan AS number FROM cards UNION SELECT number FROM used_numbers')
        .all();
      // The simulator keeps its other unique numbers in the same table.
      return rows.map((row) => String(row['number'])).filter((number) => isPan(Buffer.from(number)));
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
