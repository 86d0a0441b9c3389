import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeFaults, type Environment } from '../domain/settings.ts';
import { portNames, readStartSettings, type StartValues } from './config.ts';
import { readConfiguration } from './configuration.ts';
import { CommandFailed, exitCode } from './exit-code.ts';
import { describeTaken, neededPorts, portsOf, takenPorts, type Ports } from './ports.ts';

const NEEDED_BYTES = 512 * 1024 * 1024;
/** Children of a killed supervisor end within 5 s; until then they hold their ports. */
const ORPHANS_END_WITHIN_MS = 6_000;

export interface StartFacts {
  readonly values: StartValues;
  readonly ports: Ports;
}

/**
 * Configuration, ports and disk. Everything that is wrong comes in one `CommandFailed`: 78 when the
 * configuration is, else 75 for taken ports, else 1.
 */
export async function checkStart(options: {
  readonly environment: Environment;
  readonly projectDir: string;
  readonly dataDir: string;
  /** A killed start was here: its children may still be ending. */
  readonly recovered: boolean;
  readonly say: (line: string) => void;
}): Promise<StartFacts> {
  const { environment, projectDir, say } = options;
  const { faults: found, warnings } = await readConfiguration(environment, projectDir);
  for (const warning of warnings) say(`warning: ${warning}`);
  const { values } = readStartSettings(environment);
  const faults = [...found];
  if (values.NODE_ENV === 'production') {
    faults.push({
      name: 'NODE_ENV',
      fault: 'npm start is for development; in production run api, worker, codec',
    });
  }

  const portFault = faults.some(
    ({ name }) => name === 'CARDLOOM_PORT_OFFSET' || portNames.some((one) => one === name),
  );
  const ports = portsOf(values);
  const taken = portFault ? [] : await stillTaken(ports, values, options.recovered);
  const disk = diskFault(options.dataDir);

  const blocks = [
    ...(faults.length > 0 ? [describeFaults(faults)] : []),
    ...describeTaken(taken, values),
    ...(disk === null ? [] : [disk]),
  ];
  if (blocks.length === 0) return { values, ports };
  const code =
    faults.length > 0 ? exitCode.configuration : taken.length > 0 ? exitCode.busy : exitCode.failed;
  throw new CommandFailed(code, blocks.join('\n'));
}

async function stillTaken(ports: Ports, values: StartValues, recovered: boolean) {
  const deadlineMs = Date.now() + (recovered ? ORPHANS_END_WITHIN_MS : 0);
  for (;;) {
    const taken = await takenPorts(ports, neededPorts(values));
    if (taken.length === 0 || Date.now() >= deadlineMs) return taken;
    await sleep(200);
  }
}

function diskFault(dataDir: string): string | null {
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  if (free >= NEEDED_BYTES) return null;
  const megabytes = (bytes: number) => Math.floor(bytes / 1024 / 1024);
  return `disk: ${megabytes(free)} MB free at ${dataDir}, ${megabytes(NEEDED_BYTES)} MB are needed`;
}
