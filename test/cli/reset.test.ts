import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeLock } from '../../cli/run-lock.ts';
import { resetCommand } from '../../cli/reset.ts';
import { recordingIo } from './io.ts';
import { temporaryFolder } from './temporary-folder.ts';

function dataFolder(file: string) {
  const project = temporaryFolder();
  const data = join(project, '.cardloom');
  mkdirSync(data);
  writeFileSync(join(data, file), '{}');
  return { data, io: recordingIo({}, project) };
}

test('the data folder is deleted', async () => {
  const { data, io } = dataFolder('secrets.json');
  expect(await resetCommand.run([], io)).toBe(0);
  expect(existsSync(data)).toBe(false);
});

test('nothing is deleted while the stack runs', async () => {
  const { data, io } = dataFolder('secrets.json');
  takeLock(data);
  await expect(resetCommand.run([], io)).rejects.toMatchObject({ code: 75 });
  expect(existsSync(data)).toBe(true);
});

test('a folder that is not ours is not deleted', async () => {
  const { data, io } = dataFolder('thesis.txt');
  await expect(resetCommand.run([], io)).rejects.toMatchObject({ code: 1 });
  expect(existsSync(data)).toBe(true);
});
