import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createKekFile, createProcessorKeysFile } from '../vault/key-files.ts';
import { makePrivateDir, writeJson } from './private-file.ts';

export interface KeyFiles {
  readonly kek: string;
  readonly processorKeys: string;
  readonly temporalKeys: string;
}

/** The development key files of a data folder, each made once (operations 3, KEK_PROVIDER local). */
export function ensureKeyFiles(dataDir: string): KeyFiles {
  const dir = join(dataDir, 'keys');
  makePrivateDir(dir);
  const files = {
    kek: join(dir, 'kek.json'),
    processorKeys: join(dir, 'processor-keys.json'),
    temporalKeys: join(dir, 'temporal-keys.json'),
  };
  createKekFile(files.kek);
  createProcessorKeysFile(files.processorKeys);
  if (!existsSync(files.temporalKeys)) {
    const id = `tk-${randomBytes(4).toString('hex')}`;
    writeJson(files.temporalKeys, { current: id, keys: { [id]: randomBytes(32).toString('base64') } });
  }
  return files;
}
