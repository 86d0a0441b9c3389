import { wrongUsage } from '../exit-code.ts';

/** The parts of the story that exist. */
export const parts = ['main', 'corporate'] as const;

export interface DemoOptions {
  readonly only: readonly (typeof parts)[number][];
  /** Waits for Enter before each step. */
  readonly pause: boolean;
}

/** Reads `[--only main,corporate] [--pause]`. Throws `CommandFailed` 64. */
export function readDemoOptions(args: readonly string[]): DemoOptions {
  let only: DemoOptions['only'] = parts;
  let pause = false;
  const rest = args.flatMap((one) => (one.startsWith('--only=') ? ['--only', one.slice(7)] : [one]));
  for (let at = 0; at < rest.length; at += 1) {
    if (rest[at] === '--pause') pause = true;
    else if (rest[at] === '--only') only = readParts(rest[(at += 1)]);
    else throw wrongUsage(`cardloom demo: cannot read ${rest[at]}`);
  }
  return { only, pause };
}

const readParts = (text = ''): DemoOptions['only'] =>
  text.split(',').map((name) => {
    const part = parts.find((one) => one === name);
    if (part === undefined) throw wrongUsage(`cardloom demo: --only takes ${parts.join(', ')}`);
    return part;
  });
