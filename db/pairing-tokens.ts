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

/** Whose a pairing token is that could be used now; it stays as it is. */
export async function findPairingToken(trx: Trx, hashes: readonly Buffer[]): Promise<number | undefined> {
  if (hashes.length === 0) return undefined;
  const found = await trx
    .selectFrom('pairing_tokens')
    .select('customer_id')
    .where('token_hash', 'in', hashes)
    .where('used_at', 'is', null)
    .where('expires_at', '>', nowOf(trx))
    .executeTakeFirst();
  return found?.customer_id;
}

/** Makes every pairing token of a user count as used. */
export async function voidPairingTokens(trx: Trx, customerId: number): Promise<void> {
  await trx
    .updateTable('pairing_tokens')
    .set({ used_at: nowOf(trx) })
    .where('customer_id', '=', customerId)
    .where('used_at', 'is', null)
    .execute();
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
