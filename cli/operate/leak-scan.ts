import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isPan } from '../../vault/pan.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { operatorSettings, withDatabase } from './connection.ts';
import { createDetector, type Detector } from './leaks/detector.ts';
import { drawnPans } from './leaks/known-pans.ts';
import { scanHistories } from './leaks/scan-histories.ts';
import { scanLogs, type Scanned } from './leaks/scan-logs.ts';
import { scanTables } from './leaks/scan-tables.ts';
import { readOptions } from './options.ts';
import { withTemporal } from './temporal.ts';

/** `cardloom leak-scan`: looks for test card data where none may be; prints places, never values. */
export const leakScanCommand: Command = {
  name: 'leak-scan',
  usage: '[--logs FOLDER]... [--pan NUMBER]...',
  summary: 'look for card data in logs, tables outside the vault and Temporal histories',
  async run(args, io) {
    const { given, values } = readOptions('leak-scan', args, ['logs', 'pan']);
    if (given.length > 0) throw wrongUsage(`cardloom leak-scan: cannot read ${given[0]}`);
    if (values.pan.some((pan) => !isPan(Buffer.from(pan)))) {
      throw wrongUsage('cardloom leak-scan: --pan is not a card number');
    }
    return report(io, await scanForLeaks(io, values.pan, values.logs));
  },
};

export interface LeakScan {
  readonly leaks: Scanned['leaks'];
  readonly looked: { readonly lines: number; readonly rows: number; readonly events: number };
  readonly knownCards: number;
}

/** Looks through log folders (by default the stack's own), tables outside the vault and Temporal histories. */
export async function scanForLeaks(
  io: CommandIo,
  pans: readonly string[],
  logFolders: readonly string[] = [],
): Promise<LeakScan> {
  const { dataDir } = operatorSettings(io);
  const knownPans = [...drawnPans(dataDir), ...pans];
  const detect = createDetector(knownPans);
  const folders = logFolders.length > 0 ? logFolders.map((one) => resolve(one)) : [join(dataDir, 'logs')];
  const logs = await scanFolders(folders, detect);
  const tables = await withDatabase(io, 'owner', (db) => scanTables(db, detect, knownPans));
  const histories = await withTemporal(io, (client) => scanHistories(client, detect));
  return {
    leaks: [logs, tables, histories].flatMap((one) => one.leaks),
    looked: { lines: logs.looked, rows: tables.looked, events: histories.looked },
    knownCards: knownPans.length,
  };
}

function report(io: CommandIo, { leaks, looked, knownCards }: LeakScan): number {
  if (io.json) io.out(JSON.stringify({ ok: leaks.length === 0, knownCards, looked, leaks }));
  else {
    for (const { kind, where, place } of leaks) io.out(`${kind} in ${where}: ${place}`);
    io.out(
      `${leaks.length} places in ${looked.lines} log lines, ${looked.rows} rows, ${looked.events} history events; ` +
        `${knownCards} known cards`,
    );
  }
  return leaks.length === 0 ? exitCode.ok : exitCode.failed;
}

async function scanFolders(folders: readonly string[], detect: Detector): Promise<Scanned> {
  const missing = folders.find((folder) => !existsSync(folder));
  if (missing !== undefined) throw new CommandFailed(exitCode.failed, `there is no log folder ${missing}`);
  const scans = await Promise.all(folders.map((folder) => scanLogs(folder, detect)));
  return {
    leaks: scans.flatMap((one) => one.leaks),
    looked: scans.reduce((sum, one) => sum + one.looked, 0),
  };
}
