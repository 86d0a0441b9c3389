import { createHash } from 'node:crypto';

/** A source of numbers from 0 to below 1 that gives the same run for the same seed. */
export function createRandom(seed: number): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash('sha256').update(`${seed}:${drawn}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}
