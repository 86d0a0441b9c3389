import { connect, createServer } from 'node:net';
import { portNames, type PortName, type StartValues } from './config.ts';

/** The port numbers in effect: each setting plus CARDLOOM_PORT_OFFSET. */
export type Ports = Readonly<Record<PortName, number>>;

export interface TakenPort {
  readonly name: PortName;
  readonly number: number;
}

const labels: Readonly<Record<PortName, string>> = {
  PUBLIC_PORT: 'public',
  CERT_PORT: 'certificate',
  METRICS_PORT: 'metrics of the API',
  WORKER_METRICS_PORT: 'metrics of the worker',
  EMBEDDED_PG_PORT: 'PostgreSQL',
  TEMPORAL_PORT: 'Temporal',
  TEMPORAL_UI_PORT: 'Temporal UI',
  CODEC_PORT: 'codec server',
  SIM_PROCESSOR_PORT: 'processor simulator, control',
  SIM_PROCESSOR_TLS_PORT: 'processor simulator, contract',
  SIM_KYC_PORT: 'KYC provider simulator',
  SIM_INBOX_PORT: 'inbox',
  SIM_INBOX_SMTP_PORT: 'inbox, mail',
  SIM_PORT: 'partner simulator',
  SIM_CONTROL_PORT: 'partner simulator, control',
};

/** Port numbers by setting, offset included. */
export function portsOf(values: StartValues): Ports {
  const entries = portNames.map((name) => [name, values[name] + values.CARDLOOM_PORT_OFFSET]);
  return Object.fromEntries(entries) as Ports;
}

/** The ports that this start opens; those of a database or Temporal server from elsewhere are not ours. */
export function neededPorts(values: StartValues): readonly PortName[] {
  return portNames.filter((name) => {
    if (name === 'EMBEDDED_PG_PORT') return !values.DATABASE_URL;
    if (name === 'TEMPORAL_PORT' || name === 'TEMPORAL_UI_PORT') return !values.TEMPORAL_ADDRESS;
    return true;
  });
}

/** Which of `names` somebody listens on. */
export async function takenPorts(ports: Ports, names: readonly PortName[]): Promise<TakenPort[]> {
  const checks = names.map(async (name) => ({
    name,
    number: ports[name],
    taken: await isTaken(ports[name]),
  }));
  return (await Promise.all(checks)).filter((one) => one.taken).map(({ name, number }) => ({ name, number }));
}

/** One line per taken port with the ways out (operations 1). */
export function describeTaken(taken: readonly TakenPort[], values: StartValues): string[] {
  const used = new Set<number>(portNames.map((name) => values[name]));
  const offset = values.CARDLOOM_PORT_OFFSET + 100;
  return taken.map(({ name, number }) => {
    let other = values[name] + 1;
    while (used.has(other)) other += 1;
    return (
      `port ${number} (${labels[name]}) is in use. Other port: ${name}=${other} npm start. ` +
      `All ports: CARDLOOM_PORT_OFFSET=${offset} npm start. Owner: lsof -i :${number}`
    );
  });
}

/** True when 127.0.0.1:`number` is listened on. The second look is for systems that let two listeners share. */
async function isTaken(number: number): Promise<boolean> {
  return !(await canListen(number)) || (await answers(number));
}

const canListen = (number: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port: number, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });

const answers = (number: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port: number, host: '127.0.0.1' });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('the system gave no port')),
      );
    });
  });
