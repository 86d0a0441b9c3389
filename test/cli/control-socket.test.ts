import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askSupervisor, controlSocketPath, serveControl } from '../../cli/control-socket.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('a command reaches the supervisor and its answer comes back', async () => {
  const folder = temporaryFolder();
  const server = await serveControl(folder, async ({ command, name }) => ({
    ok: true,
    lines: [command, name],
  }));
  onTestFinished(() => void server.close());
  expect(await askSupervisor(folder, { command: 'stop', name: 'temporal' })).toEqual({
    ok: true,
    lines: ['stop', 'temporal'],
  });
  expect(statSync(join(folder, 'control.sock')).mode & 0o077).toBe(0);
});

test('nobody answers where nothing runs', async () => {
  expect(await askSupervisor(temporaryFolder(), { command: 'list', name: '' })).toBeNull();
});

test('a path that systems refuse as too long is replaced', () => {
  expect(controlSocketPath(`/${'long/'.repeat(40)}`).length).toBeLessThan(100);
});
