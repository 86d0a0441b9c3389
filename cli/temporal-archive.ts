import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const WITHIN_MS = 5_000;

const platforms: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin' };
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Fetches the official archive and unpacks it as `folder`; resolves to the program's path. Null as soon as
 * anything fails, after 5 s at the latest: the caller has another way.
 */
export async function downloadTemporal(version: string, folder: string): Promise<string | null> {
  const platform = platforms[process.platform];
  const architecture = architectures[process.arch];
  if (platform === undefined || architecture === undefined) return null;
  const signal = AbortSignal.timeout(WITHIN_MS);
  const unfinished = `${folder}.download-${process.pid}`;
  const url = `https://temporal.download/cli/archive/v${version}?platform=${platform}&arch=${architecture}`;
  try {
    const answer = await fetch(url, { signal });
    if (!answer.ok) return null;
    const archive = Buffer.from(await answer.arrayBuffer());
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, 'temporal.tar.gz'), archive);
    await run('tar', ['-xzf', 'temporal.tar.gz', 'temporal'], { cwd: unfinished, signal });
    rmSync(join(unfinished, 'temporal.tar.gz'));
    mkdirSync(dirname(folder), { recursive: true });
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
    return join(folder, 'temporal');
  } catch {
    return null;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
