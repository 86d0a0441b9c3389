import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Anchor } from './audit-anchor.ts';

/** Keeps anchors outside the database. */
export interface AnchorSink {
  append(anchor: Anchor): Promise<void>;
  /** Anchors of the newest days, oldest first; none where nothing was kept yet. */
  newest(): Promise<readonly Anchor[]>;
}

const DAYS_READ = 2;
const NAME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}\.jsonl$/;

/** The sink of `file:<folder>`: one file a day, one line an anchor. */
export function openAnchorSink(url: string): AnchorSink {
  const folder = url.replace(/^file:/, '');
  return {
    async append(anchor) {
      const { at } = JSON.parse(anchor.text) as { at: string };
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const line = `${JSON.stringify(anchor)}\n`;
      await appendFile(join(folder, `${at.slice(0, 10)}.jsonl`), line, { mode: 0o600, flush: true });
    },
    async newest() {
      const names = await readdir(folder).catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
        throw error;
      });
      const files = names.filter((name) => NAME.test(name)).toSorted();
      const texts = await Promise.all(
        files.slice(-DAYS_READ).map((name) => readFile(join(folder, name), 'utf8')),
      );
      return texts
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Anchor);
    },
  };
}
