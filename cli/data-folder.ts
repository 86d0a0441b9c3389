import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** False for a folder with somebody's other files: a wrong CARDLOOM_DATA_DIR must not change or delete them. */
export const isDataFolder = (folder: string): boolean =>
  !existsSync(folder) ||
  existsSync(join(folder, 'secrets.json')) ||
  readdirSync(folder).every((name) => name.startsWith('run.lock'));
