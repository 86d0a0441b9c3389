import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockHolder, releaseLock, takeLock } from '../../cli/run-lock.ts';
import { startStampOf } from '../../cli/process-info.ts';
import { temporaryFolder } from './temporary-folder.ts';

const write = (folder: string, content: string) => writeFileSync(join(folder, 'run.lock'), content);

test('a lock is taken once and given back', () => {
  const folder = temporaryFolder();
  expect(takeLock(folder)).toEqual({ taken: true, recovered: false });
  expect(takeLock(folder)).toEqual({ taken: false, pid: process.pid });
  releaseLock(folder);
  expect(existsSync(join(folder, 'run.lock'))).toBe(false);
});

test('the lock of a process that ended is taken over', async () => {
  const folder = temporaryFolder();
  const holder = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  write(folder, JSON.stringify({ pid: holder.pid, stamp: startStampOf(holder.pid ?? 0) }));
  expect(takeLock(folder)).toEqual({ taken: false, pid: holder.pid });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(takeLock(folder)).toEqual({ taken: true, recovered: true });
  expect(readdirSync(folder)).toEqual(['run.lock']);
});

test('a process that only has the holder’s old id does not keep the lock', () => {
  const folder = temporaryFolder();
  write(folder, JSON.stringify({ pid: process.pid, stamp: 'of another time' }));
  expect(lockHolder(folder)).toBeNull();
  expect(takeLock(folder)).toEqual({ taken: true, recovered: true });
});

test('a lock file cut off by a crash is nobody’s', () => {
  const folder = temporaryFolder();
  write(folder, '{"pid": 1');
  expect(takeLock(folder)).toEqual({ taken: true, recovered: true });
});
