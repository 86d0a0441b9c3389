import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { readStartSettings } from '../../cli/config.ts';
import { describeTaken, freePort, neededPorts, portsOf, takenPorts } from '../../cli/ports.ts';

const listeners: Server[] = [];
afterEach(() => listeners.splice(0).forEach((one) => one.close()));

const listen = (port: number, host: string): Promise<void> =>
  new Promise((resolve) => {
    listeners.push(createServer().listen(port, host, resolve));
  });

test('every taken port is found, on all addresses or on one', async () => {
  const [all, one, free] = [await freePort(), await freePort(), await freePort()];
  await listen(all, '0.0.0.0');
  await listen(one, '127.0.0.1');
  const { values } = readStartSettings({
    PUBLIC_PORT: String(all),
    CERT_PORT: String(one),
    METRICS_PORT: String(free),
  });
  const taken = await takenPorts(portsOf(values), ['PUBLIC_PORT', 'CERT_PORT', 'METRICS_PORT']);
  expect(taken).toEqual([
    { name: 'PUBLIC_PORT', number: all },
    { name: 'CERT_PORT', number: one },
  ]);
});

test('the message names the port, two ways out and how to find the owner', () => {
  const { values } = readStartSettings({});
  expect(describeTaken([{ name: 'PUBLIC_PORT', number: 8080 }], values)).toEqual([
    'port 8080 (public) is in use. Other port: PUBLIC_PORT=8081 npm start. ' +
      'All ports: CARDLOOM_PORT_OFFSET=100 npm start. Owner: lsof -i :8080',
  ]);
});

test('the port proposed is none that another setting has', () => {
  const { values } = readStartSettings({});
  const [line] = describeTaken([{ name: 'SIM_PROCESSOR_PORT', number: 8090 }], values);
  expect(line).toContain('SIM_PROCESSOR_PORT=8095 npm start');
});

test('the offset moves every port', () => {
  const ports = portsOf(readStartSettings({ CARDLOOM_PORT_OFFSET: '100', PUBLIC_PORT: '7000' }).values);
  expect(ports).toMatchObject({ PUBLIC_PORT: 7100, CERT_PORT: 8543, EMBEDDED_PG_PORT: 55532 });
});

test('a database and a Temporal server from elsewhere need no port of ours', () => {
  const { values } = readStartSettings({ DATABASE_URL: 'postgres://x', TEMPORAL_ADDRESS: 'x:7233' });
  const needed = neededPorts(values);
  expect(needed).not.toContain('EMBEDDED_PG_PORT');
  expect(needed).not.toContain('TEMPORAL_PORT');
  expect(needed).toContain('CODEC_PORT');
});
