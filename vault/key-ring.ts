import type { KeyObject } from 'node:crypto';
import { VaultFault } from './errors.ts';

/** All versions of one key: the newest seals, every one opens. Key objects print nothing of the key. */
export interface KeyRing {
  readonly newest: number;
  readonly keys: ReadonlyMap<number, KeyObject>;
}

/** A ring of the given versions, at least one; the highest seals unless another is named. */
export function keyRing(keys: ReadonlyMap<number, KeyObject>, newest = Math.max(...keys.keys())): KeyRing {
  if (keys.size === 0) throw new VaultFault('a key ring holds no key');
  if (!keys.has(newest)) throw new VaultFault('a key ring lacks its newest key');
  return { newest, keys };
}

/** The key that seals from now on. */
export function newestKey(ring: KeyRing): KeyObject {
  const key = ring.keys.get(ring.newest);
  if (key === undefined) throw new VaultFault('a key ring lacks its newest key');
  return key;
}
