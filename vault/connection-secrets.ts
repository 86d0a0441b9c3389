import { open, type Place, seal } from './envelope.ts';
import type { Vault } from './vault.ts';

/** Seals a small secret of the configuration: client key, Basic password, signing secret of a connection. */
export const sealSecret = (vault: Vault, place: Place, secret: string): Buffer =>
  seal(vault.connectionSecrets, place, Buffer.from(secret));

/** Opens what `sealSecret` made for the same place. Throws a `VaultFault` otherwise. */
export const openSecret = (vault: Vault, place: Place, sealed: Uint8Array): string =>
  open(vault.connectionSecrets, place, sealed).toString('utf8');
