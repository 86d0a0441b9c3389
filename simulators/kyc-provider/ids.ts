import { createHash, randomUUID } from 'node:crypto';
import type { State } from './state.ts';

export type IdPrefix = 'ap' | 'doc' | 'ch' | 'ev' | 'cb' | 'call';

/**
 * Draws the next id. The same seed gives the same ids; without one the seed is random, so that ids of two
 * runs never meet in a platform that remembers them.
 */
export function nextId(state: State, prefix: IdPrefix): string {
  const known = state.ids.get('series') ?? seedIds(state, randomUUID());
  const drawn = known.drawn + 1;
  state.ids.set('series', { ...known, drawn });
  return `${prefix}-${createHash('sha256').update(`${known.seed}:${drawn}`).digest('hex').slice(0, 20)}`;
}

/** Starts the series of ids anew from `seed`. */
export function seedIds(state: State, seed: string): { readonly seed: string; readonly drawn: number } {
  const series = { seed, drawn: 0 };
  state.ids.set('series', series);
  return series;
}
