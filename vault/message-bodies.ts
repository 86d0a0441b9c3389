import { open, type Place, seal } from './envelope.ts';
import type { Vault } from './vault.ts';

/** Seals the bytes of an answer that is kept so that it can be repeated unchanged. */
export const sealBody = (vault: Vault, place: Place, body: Uint8Array): Buffer =>
  seal(vault.messageBodies, place, body);

/** Opens what `sealBody` made for the same place. */
export const openBody = (vault: Vault, place: Place, sealed: Uint8Array): Buffer =>
  open(vault.messageBodies, place, sealed);
