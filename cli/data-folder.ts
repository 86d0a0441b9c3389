import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { simulatorNames } from './children.ts';

/** False for a folder with somebody's other files: a wrong CARDLOOM_DATA_DIR must not change or delete them. */
export const isDataFolder = (folder: string): boolean =>
  !existsSync(folder) ||
  (statSync(folder).isDirectory() &&
    (existsSync(join(folder, 'secrets.json')) ||
      readdirSync(folder).every((name) => name.startsWith('run.lock') || isOfSimulators(folder, name))));

/** `cardloom simulators` leaves nothing but its logs, also where the stack was never started. */
const isOfSimulators = (folder: string, name: string): boolean =>
  name === 'logs' &&
  readdirSync(join(folder, name)).every((file) =>
    simulatorNames.some((one) => file.startsWith(`${one}.log`)),
  );
