import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findTemporal } from '../../cli/temporal-binary.ts';
import { isAtLeast } from '../../cli/temporal-version.ts';
import { temporaryFolder } from './temporary-folder.ts';

function program(path: string, script: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

const temporal = (path: string, version = '1.5.1') =>
  program(path, `echo "temporal version ${version} (Server 1.29.1, UI 2.42.1)"`);

/** Go that writes a Temporal program to GOBIN, or fails. */
const go = (path: string, version: string, works = true) =>
  program(
    path,
    `if [ "$1" = version ]; then echo "go version go${version} linux/amd64"; exit 0; fi
     if ${works ? 'false' : 'true'}; then echo "no network" >&2; exit 1; fi
     echo "example.com/one" >&2
     printf '#!/bin/sh\\necho "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)"\\n' > "$GOBIN/temporal"
     chmod +x "$GOBIN/temporal"`,
  );

function place() {
  const folder = temporaryFolder();
  const said: string[] = [];
  const cached = join(folder, 'cache', 'cardloom', 'temporal-1.5.1', 'temporal');
  const find = (more: { named?: string; download?: () => Promise<string | null> } = {}) =>
    findTemporal({
      environment: {
        PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
        XDG_CACHE_HOME: join(folder, 'cache'),
        ...(more.named === undefined ? {} : { TEMPORAL_CLI_PATH: more.named }),
      },
      version: '1.5.1',
      say: (line) => void said.push(line),
      download: more.download ?? (async () => null),
    });
  return {
    folder,
    said,
    cached,
    find,
    onPath: join(folder, 'bin', 'temporal'),
    goPath: join(folder, 'bin', 'go'),
  };
}

describe('the first place that works wins', () => {
  test('TEMPORAL_CLI_PATH before PATH', async () => {
    const { folder, onPath, find } = place();
    temporal(onPath);
    const named = temporal(join(folder, 'mine'));
    expect(await find({ named })).toEqual({ path: named, source: 'TEMPORAL_CLI_PATH' });
  });

  test('PATH before the cache', async () => {
    const { onPath, cached, find } = place();
    temporal(onPath);
    temporal(cached);
    expect(await find()).toEqual({ path: onPath, source: 'PATH' });
  });

  test('the cache when the one on PATH is too old', async () => {
    const { onPath, cached, find } = place();
    temporal(onPath, '1.4.9');
    temporal(cached);
    expect(await find()).toEqual({ path: cached, source: 'cache' });
  });

  test('the archive before Go', async () => {
    const { cached, goPath, find } = place();
    go(goPath, '1.26.0');
    expect(await find({ download: async () => temporal(cached) })).toEqual({
      path: cached,
      source: 'archive',
    });
  });

  test('Go when the download fails; the cache serves the next start', async () => {
    const { cached, goPath, find, said } = place();
    go(goPath, '1.25.3');
    expect(await find()).toEqual({ path: cached, source: 'go' });
    expect(said.join('\n')).toContain('about 2.5 minutes');
    expect(await find()).toEqual({ path: cached, source: 'cache' });
  });
});

test('a wrong TEMPORAL_CLI_PATH is told and the search goes on', async () => {
  const { onPath, find, said } = place();
  temporal(onPath);
  expect(await find({ named: '/nonexistent' })).toEqual({ path: onPath, source: 'PATH' });
  expect(said).toHaveLength(1);
});

test('nothing works: exit code 69 with the ways out', async () => {
  const { goPath, find } = place();
  go(goPath, '1.24.9');
  const failure = await find().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 69 });
  for (const way of ['TEMPORAL_CLI_PATH=', 'TEMPORAL_ADDRESS=', 'Go 1.25', 'temporal.download']) {
    expect((failure as Error).message).toContain(way);
  }
});

test('a build that fails leaves nothing in the cache', async () => {
  const { folder, goPath, find, said } = place();
  go(goPath, '1.26.0', false);
  await expect(find()).rejects.toMatchObject({ code: 69 });
  expect(said.at(-1)).toBe('the Temporal server could not be built: no network');
  expect(existsSync(join(folder, 'cache'))).toBe(true);
  expect(readdirSync(join(folder, 'cache', 'cardloom'))).toEqual([]);
});

test('versions compare by number', () => {
  expect(isAtLeast('1.10.0', '1.5.1')).toBe(true);
  expect(isAtLeast('1.5.1', '1.5.1')).toBe(true);
  expect(isAtLeast('1.5.0', '1.5.1')).toBe(false);
  expect(isAtLeast('1.5', '1.5.1')).toBe(false);
});
