import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  readSettings,
  type Environment,
  type Setting,
  type SettingFault,
  type Settings,
  type SettingSource,
} from '../domain/settings.ts';
import { portNames, readStartSettings, startSettings } from './config.ts';

export interface EffectiveSetting {
  readonly name: string;
  /** Secrets are `***`; empty when there is none. */
  readonly value: string;
  readonly source: SettingSource;
}

export interface Configuration {
  readonly settings: readonly EffectiveSetting[];
  readonly faults: readonly SettingFault[];
  readonly warnings: readonly string[];
}

/** Where each process states its settings. Read by path: this folder may not depend on API and worker. */
const sources = ['db', 'vault', 'temporal', 'api', 'worker'];
const testSettings = ['CARDLOOM_SKIP_TEMPORAL', 'CARDLOOM_SKIP_BROWSER'];

/** Everything that start, API, worker and codec server will read, with all faults together (operations 3). */
export async function readConfiguration(
  environment: Environment,
  projectDir: string,
): Promise<Configuration> {
  const start = readStartSettings(environment);
  const settings = { ...startSettings, ...(await processSettings(projectDir)) } as Settings;
  const read = readSettings(settings, environment, (path) => readFileSync(path, 'utf8'));
  const crossing = start.faults.filter(({ name, fault }) => !isListed(read.faults, name, fault));
  const values = read.values as Record<string, unknown>;
  const known = Object.entries(settings).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return {
    settings: known.map(([name, setting]) => ({
      name,
      value: shown(setting, withOffset(name, values[name], start.values.CARDLOOM_PORT_OFFSET)),
      source: (read.sources as Record<string, SettingSource>)[name] ?? 'unset',
    })),
    faults: [...read.faults, ...crossing],
    warnings: unknownNames(environment, settings).map((name) => `${name} is not a setting of Cardloom`),
  };
}

async function processSettings(projectDir: string): Promise<Settings> {
  const all: Record<string, Setting<unknown>> = {};
  for (const folder of sources) {
    const path = join(projectDir, folder, 'config.ts');
    if (!existsSync(path)) continue;
    const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) {
      if (name.endsWith('Settings') && isSettings(value)) Object.assign(all, value);
    }
  }
  return all;
}

const isSettings = (value: unknown): value is Settings =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((one) => typeof one === 'object' && one !== null && 'parse' in one);

const isListed = (faults: readonly SettingFault[], name: string, fault: string): boolean =>
  faults.some((one) => one.name === name && one.fault === fault);

const withOffset = (name: string, value: unknown, offset: number): unknown =>
  typeof value === 'number' && portNames.some((one) => one === name) ? value + offset : value;

function shown(setting: Setting<unknown>, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (setting.secret) return '***';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function unknownNames(environment: Environment, settings: Settings): string[] {
  return Object.keys(environment).filter(
    (name) =>
      name.startsWith('CARDLOOM_') &&
      !Object.hasOwn(settings, name) &&
      !Object.hasOwn(settings, name.replace(/_FILE$/, '')) &&
      !testSettings.includes(name),
  );
}
