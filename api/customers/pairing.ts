import type { Trx } from '../../db/atomically.ts';
import { storePairingToken } from '../../db/pairing-tokens.ts';
import { newToken } from '../../vault/session-token.ts';
import type { Vault } from '../../vault/vault.ts';
import { date, z } from '../schemas/shared.ts';

/** What the confirmation of a registration or activation answers. */
export const pairingSchema = z
  .strictObject({ userId: z.int(), pairingToken: z.string(), pairingTokenExpiresAt: date() })
  .openapi('PairingToken');

/** Makes a token by which one device is paired within ten minutes. */
export async function tokenForPairing(
  trx: Trx,
  vault: Vault,
  user: { readonly customerId: number; readonly partnerId: number },
): Promise<z.input<typeof pairingSchema>> {
  const { token, hash } = newToken(vault, 'cpt');
  const expiresAt = await storePairingToken(trx, { ...user, hash });
  return {
    userId: user.customerId,
    pairingToken: token,
    pairingTokenExpiresAt: expiresAt.toISOString(),
  };
}
