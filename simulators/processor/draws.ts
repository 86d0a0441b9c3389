import { createHmac, randomInt } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Settings } from './store/settings.ts';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** One draw from a stream: any number of independent values, each by its name. */
export interface Draw {
  /** How many draws of the stream went before. */
  readonly index: number;
  digits(name: string, length: number): string;
  alphanumeric(name: string, length: number): string;
  hex(name: string, length: number): string;
  uuid(name: string): string;
  /** What `make` gives for the first of `name`, `name:1`, ... that nobody ever got before, also before a reset. */
  unused(name: string, make: (name: string) => string): string;
  /** From 0 (included) to 1 (excluded). */
  fraction(name: string): number;
  between(name: string, from: bigint, to: bigint): bigint;
}

export type Stream = 'card' | 'trace' | 'message' | 'fault' | 'file';

/** All chance of the simulator: the same seed gives the same numbers in the same order. */
export interface Draws {
  next(stream: Stream): Draw;
  seed(): number;
  /** Takes another seed; every stream starts again. */
  reseed(seed: number): void;
  /** Draws from streams of `seed` of their own until the returned function is called; nothing of them is kept. */
  borrow(seed: number): () => void;
}

/** Draws whose seed and positions are kept in `database`; the seed is drawn once per data folder. */
export function createDraws(database: DatabaseSync, settings: Settings, firstSeed: number | null): Draws {
  const advance = database.prepare(
    `INSERT INTO counters (stream, drawn) VALUES (?, 1)
     ON CONFLICT (stream) DO UPDATE SET drawn = drawn + 1 RETURNING drawn`,
  );
  const reserve = database.prepare('INSERT INTO used_numbers (number) VALUES (?) ON CONFLICT DO NOTHING');
  const isNew = (value: string): boolean => reserve.run(value).changes === 1;
  const restart = database.prepare('DELETE FROM counters');
  const seed = (): number => Number(settings.read('seed'));
  if (settings.read('seed') === null) settings.write('seed', String(firstSeed ?? randomInt(2 ** 31)));
  let secret = settings.read('seed') ?? '';
  let borrowed: { readonly secret: string; readonly drawn: Map<Stream, number> } | null = null;
  const position = (stream: Stream): number => {
    if (borrowed === null) return (advance.get(stream) as { drawn: number }).drawn;
    const drawn = (borrowed.drawn.get(stream) ?? 0) + 1;
    borrowed.drawn.set(stream, drawn);
    return drawn;
  };
  return {
    next: (stream) => {
      const from = borrowed?.secret ?? secret;
      const drawn = position(stream);
      return drawOf(
        (name) => createHmac('sha256', from).update(`${stream}:${drawn}:${name}`).digest(),
        drawn - 1,
        isNew,
      );
    },
    borrow: (value) => {
      const own = { secret: String(value), drawn: new Map<Stream, number>() };
      borrowed = own;
      return () => {
        if (borrowed === own) borrowed = null;
      };
    },
    seed,
    reseed: (value) => {
      settings.write('seed', String(value));
      secret = String(value);
      restart.run();
    },
  };
}

function drawOf(bytes: (name: string) => Buffer, index: number, isNew: (value: string) => boolean): Draw {
  const between = (name: string, from: bigint, to: bigint): bigint =>
    from + (bytes(name).readBigUInt64BE(0) % (to - from + 1n));
  const hex = (name: string, length: number): string => bytes(name).toString('hex').slice(0, length);
  return {
    index,
    between,
    hex,
    digits: (name, length) =>
      [...bytes(name)]
        .map((byte) => byte % 10)
        .slice(0, length)
        .join(''),
    alphanumeric: (name, length) =>
      [...bytes(name)]
        .map((byte) => ALPHANUMERIC[byte % ALPHANUMERIC.length])
        .slice(0, length)
        .join(''),
    uuid: (name) => {
      const text = hex(name, 32);
      return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20)}`;
    },
    unused: (name, make) => {
      for (let tries = 0; ; tries += 1) {
        const value = make(tries === 0 ? name : `${name}:${tries}`);
        if (isNew(value)) return value;
      }
    },
    fraction: (name) => bytes(name).readUInt32BE(0) / 2 ** 32,
  };
}
