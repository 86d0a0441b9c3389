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
  /** From 0 (included) to 1 (excluded). */
  fraction(name: string): number;
  between(name: string, from: bigint, to: bigint): bigint;
}

export type Stream = 'card' | 'trace' | 'message' | 'fault';

/** All chance of the simulator: the same seed gives the same numbers in the same order. */
export interface Draws {
  next(stream: Stream): Draw;
  seed(): number;
  /** Takes another seed; every stream starts again. */
  reseed(seed: number): void;
}

/** Draws whose seed and positions are kept in `database`; the seed is drawn once per data folder. */
export function createDraws(database: DatabaseSync, settings: Settings, firstSeed: number | null): Draws {
  const advance = database.prepare(
    `INSERT INTO counters (stream, drawn) VALUES (?, 1)
     ON CONFLICT (stream) DO UPDATE SET drawn = drawn + 1 RETURNING drawn`,
  );
  const restart = database.prepare('DELETE FROM counters');
  const seed = (): number => Number(settings.read('seed'));
  if (settings.read('seed') === null) settings.write('seed', String(firstSeed ?? randomInt(2 ** 31)));
  let secret = settings.read('seed') ?? '';
  return {
    next: (stream) => {
      const { drawn } = advance.get(stream) as { drawn: number };
      return drawOf(
        (name) => createHmac('sha256', secret).update(`${stream}:${drawn}:${name}`).digest(),
        drawn - 1,
      );
    },
    seed,
    reseed: (value) => {
      settings.write('seed', String(value));
      secret = String(value);
      restart.run();
    },
  };
}

function drawOf(bytes: (name: string) => Buffer, index: number): Draw {
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
    fraction: (name) => bytes(name).readUInt32BE(0) / 2 ** 32,
  };
}
