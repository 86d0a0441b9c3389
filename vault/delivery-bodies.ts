import { createSecretKey, type KeyObject } from 'node:crypto';
import { open, type Place, seal } from './envelope.ts';
import { keyedHash } from './keyed-hash.ts';
import { type KeyRing, keyRing } from './key-ring.ts';
import type { Vault } from './vault.ts';

/** Seals and opens the bodies of one batch of deliveries. */
export interface BatchBodies {
  seal(deliveryId: string, body: Uint8Array): Buffer;
  /** Throws a `VaultFault` when the value was made for another delivery. */
  open(deliveryId: string, sealed: Uint8Array): Buffer;
}

/**
 * Bodies of deliveries lie sealed until they are purged. Each batch has keys of its own, derived from the
 * message-bodies key: random nonces of one key would run out within weeks at full load.
 */
export function batchBodies(
  vault: Vault,
  batch: { readonly batchId: string; readonly partnerId: number },
): BatchBodies {
  const keys = keysOf(vault, batch.batchId);
  const placeOf = (deliveryId: string): Place => ({
    partnerId: batch.partnerId,
    table: 'deliveries',
    rowId: deliveryId,
    field: 'body',
  });
  return {
    seal: (deliveryId, body) => seal(keys, placeOf(deliveryId), body),
    open: (deliveryId, sealed) => open(keys, placeOf(deliveryId), sealed),
  };
}

function keysOf({ messageBodies }: Vault, batchId: string): KeyRing {
  const derived = new Map<number, KeyObject>();
  for (const [version, key] of messageBodies.keys) {
    derived.set(version, createSecretKey(keyedHash(key, 'delivery-batch', batchId)));
  }
  return keyRing(derived, messageBodies.newest);
}
