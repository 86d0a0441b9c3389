import { existsSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { describeFaults } from '../domain/settings.ts';
import { ensureCertificateFiles } from './certificate-files.ts';
import { handleChildRequest } from './child.ts';
import {
  postgresChild,
  roleChild,
  roleNames,
  simulatorChild,
  simulatorNames,
  stopStages,
  temporalChild,
} from './children.ts';
import { addressLines } from './banner.ts';
import type { CommandIo } from './command.ts';
import { dataDirOf, readStartSettings } from './config.ts';
import { serveControl } from './control-socket.ts';
import { isDataFolder } from './data-folder.ts';
import { seedDemoData } from './demo-seed.ts';
import { CommandFailed, exitCode } from './exit-code.ts';
import { ensureKeyFiles } from './key-files.ts';
import { releaseLock, takeLock } from './run-lock.ts';
import { migrateDatabase } from './migrate.ts';
import { ensureRoles, postgresUrls } from './postgres-roles.ts';
import { preparePostgres } from './postgres-server.ts';
import { makePrivateDir } from './private-file.ts';
import { publishStack, quickstartOf, readQuickstart, withdrawStack, type Quickstart } from './quickstart.ts';
import { loadSecrets } from './secrets.ts';
import { addressesOf, simulatorFolder, type Stack } from './stack.ts';
import { checkStart } from './start-checks.ts';
import { ChildNeverReady } from './supervised-child.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import { findTemporal } from './temporal-binary.ts';
import { temporalLaunch } from './temporal-server.ts';

export interface LocalStack {
  readonly quickstart: Quickstart;
  readonly dataDir: string;
  /** Ends all children in order, within 15 s, and gives the data folder free. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly io: CommandIo;
  /** Progress, and later the news of children that die. */
  readonly say: (line: string) => void;
  /** Ends an unfinished start. */
  readonly signal: AbortSignal;
  /** Given as soon as there is something to kill. */
  readonly onSupervisor?: (supervisor: Supervisor) => void;
}

/**
 * Starts everything that operations 1 names and resolves when it is ready. Nothing stays behind when it
 * fails: `CommandFailed` with the exit code and the message of that chapter, or `Interrupted`.
 */
export async function startLocalStack(options: StartOptions): Promise<LocalStack> {
  const { io, say, signal } = options;
  const { values: asked } = readStartSettings(io.environment);
  const dataDir = dataDirOf(asked, io.projectDir);
  if (!isDataFolder(dataDir)) {
    const faults = [
      { name: 'CARDLOOM_DATA_DIR', fault: `${dataDir} is no folder, or holds files that are not Cardloom's` },
    ];
    throw new CommandFailed(exitCode.configuration, describeFaults(faults));
  }
  // What the children write is as private as what we write.
  process.umask(0o077);
  makePrivateDir(dataDir);
  const lock = takeLock(dataDir);
  if (!lock.taken) throw alreadyRunning(dataDir, lock.pid);
  if (lock.recovered) say('an earlier start was killed; its data is taken over');

  let supervisor: Supervisor | null = null;
  let control: Server | null = null;
  const stop = async () => {
    withdrawStack(dataDir);
    control?.close();
    await supervisor?.stopAll(stopStages);
    releaseLock(dataDir);
  };
  try {
    withdrawStack(dataDir);
    const { environment, projectDir } = io;
    const { values, ports } = await checkStart({
      environment,
      projectDir,
      dataDir,
      recovered: lock.recovered,
      say,
    });
    const temporal = values.TEMPORAL_ADDRESS
      ? null
      : await findTemporal({ environment, version: values.TEMPORAL_CLI_VERSION, say, signal });
    throwIfInterrupted(signal);
    const secrets = loadSecrets(dataDir);
    makePrivateDir(simulatorFolder(dataDir));
    const stack: Stack = {
      projectDir,
      dataDir,
      environment,
      values,
      ports,
      secrets,
      certificates: await ensureCertificateFiles(dataDir),
      keys: ensureKeyFiles(dataDir),
      database: databaseOf(values, postgresUrls(ports.EMBEDDED_PG_PORT, secrets)),
    };
    const children = createSupervisor({ cwd: projectDir, logDir: join(dataDir, 'logs'), say });
    supervisor = children;
    options.onSupervisor?.(children);
    control = await serveControl(dataDir, (request) => handleChildRequest(request, children));
    const starting = startChildren(stack, temporal?.path ?? null, children, say, signal);
    const quickstart = await orInterrupted(starting, signal);
    return { quickstart, dataDir, stop };
  } catch (error) {
    await stop();
    if (signal.aborted) throw new Interrupted();
    if (error instanceof ChildNeverReady) {
      throw new CommandFailed(exitCode.failed, `${error.message}\nWhole logs: ${join(dataDir, 'logs')}`);
    }
    throw error;
  }
}

/** The start was asked to stop before it was ready. */
export class Interrupted extends Error {}

async function startChildren(
  stack: Stack,
  temporalBinary: string | null,
  supervisor: Supervisor,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Quickstart> {
  const timed = async (what: string, work: Promise<unknown>) => {
    const startedMs = performance.now();
    await work;
    say(`  ${what} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  };
  await Promise.all([
    timed('database ready', startDatabase(stack, supervisor, say)),
    ...(temporalBinary === null
      ? []
      : [timed('Temporal ready', startTemporal(stack, temporalBinary, supervisor))]),
    timed(
      'simulators ready',
      Promise.all(simulatorNames.map((name) => supervisor.add(simulatorChild(name, stack)))),
    ),
  ]);
  throwIfInterrupted(signal);
  const demo = await seedDemoData(stack, say);
  await timed(
    'API, worker and codec server ready',
    Promise.all(roleNames.map((name) => supervisor.add(roleChild(name, stack)))),
  );
  throwIfInterrupted(signal);
  const quickstart = quickstartOf(stack, demo);
  publishStack(stack, quickstart);
  return quickstart;
}

async function startDatabase(
  stack: Stack,
  supervisor: Supervisor,
  say: (line: string) => void,
): Promise<void> {
  const { values, ports, secrets, dataDir } = stack;
  if (!values.DATABASE_URL) {
    const port = ports.EMBEDDED_PG_PORT;
    const urls = postgresUrls(port, secrets);
    const launch = await preparePostgres({ dataDir, port, passwords: secrets, say });
    await supervisor.add(postgresChild(launch, urls.superuser));
    await ensureRoles(urls, secrets);
  }
  const { applied, version } = await migrateDatabase(stack.database.owner);
  if (applied.length > 0) say(`  database migrated to ${version}`);
}

async function startTemporal(stack: Stack, binary: string, supervisor: Supervisor): Promise<void> {
  const { ports, values, dataDir } = stack;
  const launch = temporalLaunch({
    binary,
    port: ports.TEMPORAL_PORT,
    namespace: values.TEMPORAL_NAMESPACE,
    dbFile: join(dataDir, 'temporal.db'),
    ui: { port: ports.TEMPORAL_UI_PORT, codecUrl: addressesOf(stack).codecUrl },
    pidFile: join(dataDir, 'temporal.pid'),
  });
  await supervisor.add(temporalChild(launch, stack));
}

/** Stops waiting for `work` when the start is interrupted; what still goes on in it ends with the children. */
async function orInterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  throwIfInterrupted(signal);
  const interrupted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Interrupted()), { once: true });
  });
  return await Promise.race([work, interrupted]);
}

function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new Interrupted();
}

const databaseOf = (values: Stack['values'], embedded: Stack['database']): Stack['database'] =>
  values.DATABASE_URL
    ? {
        app: values.DATABASE_URL,
        engine: values.DATABASE_ENGINE_URL ?? values.DATABASE_URL,
        owner: values.DATABASE_OWNER_URL ?? values.DATABASE_URL,
      }
    : { app: embedded.app, engine: embedded.engine, owner: embedded.owner };

function alreadyRunning(dataDir: string, pid: number): CommandFailed {
  const quickstart = existsSync(dataDir) ? readQuickstart(dataDir) : null;
  const lines = quickstart === null ? ['  not ready yet'] : addressLines(quickstart);
  return new CommandFailed(
    exitCode.busy,
    [`Cardloom already runs here (process ${pid})`, ...lines].join('\n'),
  );
}
