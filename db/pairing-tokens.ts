import { nowOf, type Trx } from './atomically.ts';

const MINUTES = 10;

/** Stores a pairing token by its hash; it opens one pairing within ten minutes (channels 11). */
export async function storePairingToken(
  trx: Trx,
  token: { readonly hash: Buffer; readonly partnerId: number; readonly customerId: number },
): Promise<Date> {
  const expiresAt = new Date(nowOf(trx).getTime() + MINUTES * 60_000);
  await trx
    .insertInto('pairing_tokens')
    .values({
      token_hash: token.hash,
      partner_id: token.partnerId,
      customer_id: token.customerId,
      expires_at: expiresAt,
      used_at: null,
    })
    .execute();
  return expiresAt;
}

/** Uses a pairing token up and tells whose it is; undefined for an unknown, used or expired one. */
export async function takePairingToken(trx: Trx, hashes: readonly Buffer[]): Promise<number | undefined> {
  if (hashes.length === 0) return undefined;
  const taken = await trx
    .updateTable('pairing_tokens')
    .set({ used_at: nowOf(trx) })
    .where('token_hash', 'in', hashes)
    .where('used_at', 'is', null)
    .where('expires_at', '>', nowOf(trx))
    .returning('customer_id')
    .executeTakeFirst();
  return taken?.customer_id;
}
