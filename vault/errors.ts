/** A key or a sealed value that cannot be used. The message names places and versions, never a value. */
export class VaultFault extends Error {
  override readonly name = 'VaultFault';
}
