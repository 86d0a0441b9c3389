import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { searchAttributes } from '../temporal/search-attributes.ts';
import { startGuarded, type Launch } from './launch.ts';

/** The words of the command line for the types of search attributes. */
const attributeTypes: Readonly<Record<string, string>> = {
  KEYWORD: 'Keyword',
  BOOL: 'Bool',
  DATETIME: 'Datetime',
};

const READY_WITHIN_MS = 30_000;

export interface TemporalOptions {
  /** The program, from `findTemporal`. */
  readonly binary: string;
  readonly port: number;
  readonly namespace: string;
  /** Null or absent: everything in memory. */
  readonly dbFile?: string | null;
  /** Absent: no UI. */
  readonly ui?: { readonly port: number; readonly codecUrl: string };
  /** Holds the server's process id. */
  readonly pidFile: string;
}

/** How to run the development server. */
export function temporalLaunch(options: TemporalOptions): Launch {
  const { binary, port, namespace, dbFile, ui, pidFile } = options;
  const uiFlags = ui ? ['--ui-port', String(ui.port), '--ui-codec-endpoint', ui.codecUrl] : ['--headless'];
  const attributes = Object.values(searchAttributes).flatMap((one) => [
    '--search-attribute',
    `${one.name}=${attributeTypes[one.type]}`,
  ]);
  return {
    program: binary,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--namespace', namespace],
      ...uiFlags,
      ...(dbFile ? ['--db-filename', dbFile] : []),
      ...['--log-level', 'error', ...attributes],
    ],
    cwd: '/',
    user: null,
    stopSignal: 'SIGTERM',
    pidFile,
    guardWritesPid: true,
  };
}

/** True when the server at `address` serves `namespace` with all our search attributes. */
export async function isTemporalReady(address: string, namespace: string): Promise<boolean> {
  const { Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ address, connectTimeout: 1_000 }).catch(() => null);
  if (connection === null) return false;
  try {
    return await connection.withDeadline(Date.now() + 2_000, async () => {
      const health = await connection.healthService.check({});
      const known = await connection.operatorService.listSearchAttributes({ namespace });
      const SERVING = 1;
      return (
        health.status === SERVING &&
        Object.keys(searchAttributes).every((name) => Object.hasOwn(known.customAttributes ?? {}, name))
      );
    });
  } catch {
    return false;
  } finally {
    await connection.close().catch(() => undefined);
  }
}

export interface StartedTemporal {
  readonly address: string;
  /** Process id of the guard that runs the server. */
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * A running development server without a supervisor, for the tests' global setup. Without `uiPort` it has no
 * UI, without `dbFile` it keeps nothing. It ends with this process at the latest.
 */
export async function startTemporalServer(options: {
  readonly binary: string;
  readonly port: number;
  readonly namespace: string;
  readonly uiPort?: number;
  readonly dbFile?: string;
  readonly headless?: boolean;
  readonly logFile?: string;
}): Promise<StartedTemporal> {
  const { binary, port, namespace, uiPort, headless } = options;
  const launch = temporalLaunch({
    binary,
    port,
    namespace,
    dbFile: options.dbFile ?? null,
    ...(uiPort === undefined || headless ? {} : { ui: { port: uiPort, codecUrl: 'http://localhost:8234' } }),
    pidFile: options.dbFile ? `${options.dbFile}.pid` : join(tmpdir(), `cardloom-temporal-${port}.pid`),
  });
  const server = startGuarded(
    launch,
    options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a', 0o600),
  );
  const address = `127.0.0.1:${port}`;
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  while (!(await isTemporalReady(address, namespace))) {
    if (!server.running() || Date.now() > deadlineMs) {
      await server.stop(0);
      throw new Error(
        `the Temporal server did not start on port ${port}; see ${options.logFile ?? 'a logFile'}`,
      );
    }
    await sleep(100);
  }
  return { address, pid: server.pid, stop: () => server.stop() };
}
