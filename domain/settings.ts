/**
 * Settings as data: each process names the settings it reads, and one parser turns an environment into
 * typed values and the list of everything that is wrong with it. Pure: the environment comes as an argument.
 */

export interface Setting<T> {
  readonly meaning: string;
  readonly secret: boolean;
  readonly requiredInProduction: boolean;
  /** Text of the value used when the environment names none; null when there is none. */
  readonly fallback: string | null;
  readonly productionFallback: string | null;
  parse(text: string): Parsed<T>;
}

export type Parsed<T> = { readonly value: T } | { readonly fault: string };
export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Environment = Readonly<Record<string, string | undefined>>;

type ValueOf<S> = S extends Setting<infer T> ? T : never;
export type ValuesOf<S extends Settings> = { readonly [K in keyof S]: ValueOf<S[K]> };

export interface SettingFault {
  readonly name: string;
  readonly fault: string;
}

export type SettingSource = 'environment' | 'file' | 'default' | 'unset';

export interface ReadSettings<S extends Settings> {
  readonly values: ValuesOf<S>;
  readonly faults: readonly SettingFault[];
  readonly sources: { readonly [K in keyof S]: SettingSource };
}

interface Options {
  readonly default?: string;
  readonly production?: string;
  readonly required?: 'in-production';
  readonly secret?: boolean;
}

function setting<T>(meaning: string, options: Options, parse: (text: string) => Parsed<T>): Setting<T> {
  return {
    meaning,
    secret: options.secret ?? false,
    requiredInProduction: options.required === 'in-production',
    fallback: options.default ?? null,
    productionFallback: options.production ?? options.default ?? null,
    parse,
  };
}

type WithDefault = Options & { readonly default: string };

/** Any text. Without a default the value may be null. */
export function text(meaning: string, options: WithDefault): Setting<string>;
export function text(meaning: string, options?: Options): Setting<string | null>;
export function text(meaning: string, options: Options = {}): Setting<string | null> {
  return setting(meaning, options, (value) => ({ value }));
}

/** A whole number within bounds. */
export function integer(
  meaning: string,
  options: WithDefault & { readonly min?: number; readonly max?: number },
): Setting<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return setting(meaning, options, (value) => {
    const number = Number(value);
    if (!/^-?[0-9]+$/.test(value) || !Number.isSafeInteger(number) || number < min || number > max) {
      return { fault: `must be a whole number from ${min} to ${max}` };
    }
    return { value: number };
  });
}

/** A TCP port. */
export const port = (meaning: string, options: WithDefault): Setting<number> =>
  integer(meaning, { ...options, min: 1, max: 65_535 });

/** `true` or `false`. */
export function boolean(meaning: string, options: WithDefault): Setting<boolean> {
  return setting(meaning, options, (value) =>
    value === 'true' || value === 'false' ? { value: value === 'true' } : { fault: 'must be true or false' },
  );
}

/** One of a closed list of words. */
export function oneOf<const W extends string>(
  meaning: string,
  words: readonly W[],
  options: WithDefault,
): Setting<W> {
  return setting(meaning, options, (value) => {
    const word = words.find((one) => one === value);
    return word === undefined ? { fault: `must be one of ${words.join(', ')}` } : { value: word };
  });
}

/** A comma list; blanks around an item are cut, empty items dropped. */
export function list(meaning: string, options: Options = {}): Setting<readonly string[]> {
  return setting(meaning, { default: '', ...options }, (value) => ({
    value: value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  }));
}

/** An absolute URL with one of the named schemes, without the trailing slash. */
export function url(
  meaning: string,
  options: WithDefault & { readonly schemes?: readonly string[] },
): Setting<string>;
export function url(
  meaning: string,
  options?: Options & { readonly schemes?: readonly string[] },
): Setting<string | null>;
export function url(
  meaning: string,
  options: Options & { readonly schemes?: readonly string[] } = {},
): Setting<string | null> {
  const schemes = options.schemes ?? ['http', 'https'];
  return setting<string | null>(meaning, options, (value) => {
    const match = /^([a-z][a-z0-9+.-]*):\/\/[^\s]+$/.exec(value);
    if (match === null || !schemes.includes(match[1] ?? '')) {
      return {
        fault: `must be an address that starts with ${schemes.map((one) => `${one}://`).join(' or ')}`,
      };
    }
    return { value: value.replace(/\/+$/, '') };
  });
}

/**
 * Reads `settings` from `environment`. `<NAME>_FILE` names a file that holds a secret; `readFile` is given by
 * the caller because this module does no I/O. All faults come back together; values of faulty settings are
 * not to be used.
 */
export function readSettings<S extends Settings>(
  settings: S,
  environment: Environment,
  readFile: (path: string) => string,
): ReadSettings<S> {
  const production = environment['NODE_ENV'] === 'production';
  const values: Record<string, unknown> = {};
  const sources: Record<string, SettingSource> = {};
  const faults: SettingFault[] = [];
  for (const [name, one] of Object.entries(settings)) {
    const read = readOne(name, one, environment, readFile, production);
    sources[name] = read.source;
    if ('fault' in read) faults.push({ name, fault: read.fault });
    else values[name] = read.value;
  }
  return { values, faults, sources } as ReadSettings<S>;
}

type ReadOne = { source: SettingSource } & ({ value: unknown } | { fault: string });

function readOne(
  name: string,
  one: Setting<unknown>,
  environment: Environment,
  readFile: (path: string) => string,
  production: boolean,
): ReadOne {
  const direct = environment[name] || undefined;
  const file = one.secret ? environment[`${name}_FILE`] || undefined : undefined;
  if (direct !== undefined && file !== undefined) {
    return { source: 'environment', fault: `is set, and so is ${name}_FILE: keep one` };
  }
  if (file !== undefined) {
    try {
      return { source: 'file', ...one.parse(readFile(file).trim()) };
    } catch {
      return { source: 'file', fault: `${name}_FILE names a file that cannot be read` };
    }
  }
  if (direct !== undefined) return { source: 'environment', ...one.parse(direct) };
  if (production && one.requiredInProduction) {
    return { source: 'unset', fault: 'missing (required in production)' };
  }
  const fallback = production ? one.productionFallback : one.fallback;
  return fallback === null ? { source: 'unset', value: null } : { source: 'default', ...one.parse(fallback) };
}

/** The block printed before a process ends with exit code 78. */
export function describeFaults(faults: readonly SettingFault[]): string {
  const width = Math.max(...faults.map((one) => one.name.length));
  const lines = faults.map((one) => `  ${one.name.padEnd(width)}  ${one.fault}`);
  return [`configuration: ${faults.length} fault${faults.length === 1 ? '' : 's'}`, ...lines].join('\n');
}
