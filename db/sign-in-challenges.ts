import { newId, nowOf, type Trx } from './atomically.ts';

const SECONDS = 60;

export interface Challenge {
  readonly challengeId: string;
  readonly expiresAt: Date;
}

/** Stores a challenge that an installation is to sign within a minute, once; the installation need not exist. */
export async function storeChallenge(
  trx: Trx,
  input: { readonly partnerId: number; readonly installationId: string; readonly challenge: Buffer },
): Promise<Challenge> {
  const challengeId = newId(trx);
  const expiresAt = new Date(nowOf(trx).getTime() + SECONDS * 1000);
  await trx
    .insertInto('sign_in_challenges')
    .values({
      challenge_id: challengeId,
      partner_id: input.partnerId,
      installation_id: input.installationId,
      challenge: input.challenge,
      expires_at: expiresAt,
      used_at: null,
    })
    .execute();
  return { challengeId, expiresAt };
}

/** Uses a challenge of an installation up; undefined for an unknown, used or expired one. */
export async function takeChallenge(
  trx: Trx,
  challengeId: string,
  installationId: string,
): Promise<Buffer | undefined> {
  const taken = await trx
    .updateTable('sign_in_challenges')
    .set({ used_at: nowOf(trx) })
    .where('challenge_id', '=', challengeId)
    .where('installation_id', '=', installationId)
    .where('used_at', 'is', null)
    .where('expires_at', '>', nowOf(trx))
    .returning('challenge')
    .executeTakeFirst();
  return taken?.challenge;
}
