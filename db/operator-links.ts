import { nowOf, type Trx } from './atomically.ts';
import type { OperatorLinksTable } from './database.ts';

export type LinkPurpose = OperatorLinksTable['purpose'];

const LIFE_MS = 60 * 60 * 1_000;

/** Keeps a mailed link whose token has `tokenHash`, for an hour (channels 12). */
export async function openLink(
  trx: Trx,
  link: {
    readonly operatorId: string;
    readonly partnerId: number | null;
    readonly purpose: LinkPurpose;
    readonly tokenHash: Buffer;
  },
): Promise<void> {
  const now = nowOf(trx);
  await trx
    .insertInto('operator_links')
    .values({
      token_hash: link.tokenHash,
      operator_id: link.operatorId,
      partner_id: link.partnerId,
      purpose: link.purpose,
      expires_at: new Date(now.getTime() + LIFE_MS),
      used_at: null,
      created_at: now,
    })
    .execute();
}

/** Locks the link of a token: whose it is, or null when it is unknown, used, too old, or for something else. */
export async function lockLink(
  trx: Trx,
  tokenHashes: readonly Buffer[],
  purpose: LinkPurpose,
): Promise<string | null> {
  if (tokenHashes.length === 0) return null;
  const row = await trx
    .selectFrom('operator_links')
    .select('operator_id')
    .where('token_hash', 'in', tokenHashes)
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', nowOf(trx))
    .forUpdate()
    .executeTakeFirst();
  return row?.operator_id ?? null;
}

/** Uses up every open link of an operator: what was mailed before the new password opens nothing. */
export async function useLinks(trx: Trx, operatorId: string): Promise<void> {
  await trx
    .updateTable('operator_links')
    .set({ used_at: nowOf(trx) })
    .where('operator_id', '=', operatorId)
    .where('used_at', 'is', null)
    .execute();
}
