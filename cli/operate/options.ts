import { wrongUsage } from '../exit-code.ts';

export interface ReadOptions<Name extends string> {
  /** What stands without a name, in order. */
  readonly given: readonly string[];
  /** The values of each named option, in order. */
  readonly values: Readonly<Record<Name, readonly string[]>>;
}

/** Reads `--name value` and `--name=value` of the known names. Throws `CommandFailed` 64. */
export function readOptions<const Name extends string>(
  command: string,
  args: readonly string[],
  names: readonly Name[],
): ReadOptions<Name> {
  const given: string[] = [];
  const values = Object.fromEntries(names.map((name) => [name, [] as string[]])) as Record<Name, string[]>;
  for (let at = 0; at < args.length; at += 1) {
    const one = args[at] ?? '';
    if (!one.startsWith('--')) {
      given.push(one);
      continue;
    }
    const [, written = '', , joined] = /^--([^=]+)(=(.*))?$/.exec(one) ?? [];
    const name = names.find((known) => known === written);
    const value = joined ?? args[(at += 1)];
    if (name === undefined || value === undefined)
      throw wrongUsage(`cardloom ${command}: cannot read ${one}`);
    values[name].push(value);
  }
  return { given, values };
}

/** The only value of an option; null without one. Throws `CommandFailed` 64 when there are more. */
export function onlyValue(command: string, name: string, values: readonly string[]): string | null {
  if (values.length > 1) throw wrongUsage(`cardloom ${command}: --${name} stands twice`);
  return values[0] ?? null;
}
