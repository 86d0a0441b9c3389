import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isDataFolder } from '../../cli/data-folder.ts';
import { migrateCommand } from '../../cli/migrate.ts';
import { resetCommand } from '../../cli/reset.ts';
import { recordingIo } from './io.ts';
import { temporaryFolder } from './temporary-folder.ts';

const program = fileURLToPath(new URL('../../cli/cardloom.mjs', import.meta.url));

const run = (command: string, environment: Record<string, string>) =>
  spawnSync(process.execPath, [program, command], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...environment },
    timeout: 25_000,
  });

test('simulators that refuse their settings end the command instead of being started for ever', () => {
  const folder = temporaryFolder();
  const { status, stderr } = run('simulators', { NODE_ENV: 'production', CARDLOOM_DATA_DIR: folder });
  expect(status).toBe(1);
  for (const name of ['processor', 'partner', 'kyc-provider', 'inbox']) {
    // The partner simulator has its own code for bad settings (transaction-history 9.1).
    const code = name === 'partner' ? 2 : 78;
    expect(stderr).toContain(`${name} ended before it was ready (exit code ${code})`);
  }
  expect(stderr).not.toContain('starting it again');
  // Their logs must not keep the whole stack from starting in that folder.
  expect(isDataFolder(folder)).toBe(true);
}, 30_000);

test('a data folder that is a file is a fault of the configuration, and stays', async () => {
  const file = join(temporaryFolder(), 'data');
  writeFileSync(file, 'a thesis');
  const { status, stderr } = run('start', { CARDLOOM_DATA_DIR: file });
  expect(status).toBe(78);
  expect(stderr).toMatch(/^configuration: 1 fault\n {2}CARDLOOM_DATA_DIR {2}/);
  await expect(
    resetCommand.run([], recordingIo({ CARDLOOM_DATA_DIR: file }, temporaryFolder())),
  ).rejects.toMatchObject({ code: 1 });
  expect(existsSync(file)).toBe(true);
}, 30_000);

test('a database that is not there is told in a line, without its password', async () => {
  const io = recordingIo({ DATABASE_OWNER_URL: 'postgres://o:hush@127.0.0.1:1/none' }, temporaryFolder());
  const message = 'the database of DATABASE_OWNER_URL cannot be used (ECONNREFUSED)';
  await expect(migrateCommand.run([], io)).rejects.toMatchObject({ code: 1, message });
});
