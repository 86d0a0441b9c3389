import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** The sizes of goals.md instead of those that fit into minutes. */
  readonly full: boolean;
  /** Length of one measured slice. */
  readonly seconds: number;
  /** How often each slice is repeated, one kind after the other; the figures are medians. */
  readonly rounds: number;
  /** Cards of each of the two sets: on one partner balance, and spread over 64. */
  readonly cards: number;
  readonly connections: readonly number[];
  readonly apis: number;
  readonly openLoop: { readonly rate: number; readonly seconds: number };
  /** What is added for P5. */
  readonly growth: { readonly cards: number; readonly cardsPerBalance: number; readonly topUps: number };
}

const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`);
  return value;
};

/** Reads the options of `npm run bench authorizations`; throws an `Error` that says what is wrong. */
export function readBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      cards: { type: 'string', default: '100000' },
      connections: { type: 'string', default: '64,256' },
      apis: { type: 'string', default: '1' },
    },
  });
  const { full } = values;
  return {
    full,
    seconds: whole('seconds', values.seconds ?? (full ? '15' : '3')),
    rounds: whole('rounds', values.rounds),
    cards: whole('cards', values.cards),
    connections: values.connections.split(',').map((one) => whole('connections', one)),
    apis: whole('apis', values.apis),
    openLoop: { rate: 500, seconds: full ? 60 : 15 },
    growth: full
      ? { cards: 5_000_000, cardsPerBalance: 1, topUps: 4 }
      : { cards: 400_000, cardsPerBalance: 4, topUps: 4 },
  };
}
