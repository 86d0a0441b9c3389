import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Detector, Leak } from './detector.ts';

export interface Scanned {
  readonly leaks: readonly Leak[];
  /** Lines, rows or events that were looked at. */
  readonly looked: number;
}

/** Reads every file below `folder` line by line. */
export async function scanLogs(folder: string, detect: Detector): Promise<Scanned> {
  const leaks: Leak[] = [];
  let looked = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    if (!statSync(path).isFile()) continue;
    let line = 0;
    // latin1 keeps every byte, whatever the file holds.
    const input = createReadStream(path, { encoding: 'latin1' });
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      line += 1;
      for (const kind of detect(text)) leaks.push({ kind, where: 'log', place: `${path}:${line}` });
    }
    looked += line;
  }
  return { leaks, looked };
}
