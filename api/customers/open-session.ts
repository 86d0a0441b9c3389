import { openSession, type SessionRow } from '../../db/customer-sessions.ts';
import { seeDevice } from '../../db/devices.ts';
import type { Trx } from '../../db/atomically.ts';
import type { Programme } from '../../db/partners.ts';
import { newToken } from '../../vault/session-token.ts';
import type { Vault } from '../../vault/vault.ts';
import { toSession } from '../schemas/customer-session.ts';

interface Opening {
  readonly programme: Programme;
  readonly customerId: number;
  readonly installationId: string;
  readonly replaces: Pick<SessionRow, 'session_id' | 'family_id' | 'absolute_expires_at'> | null;
}

/** Opens a session and gives what its user is told, the token among it. */
export async function startSession(
  trx: Trx,
  vault: Vault,
  { programme, customerId, installationId, replaces }: Opening,
): Promise<ReturnType<typeof toSession>> {
  const { token, hash } = newToken(vault, 'cst');
  const { partnerId, programmeId } = programme;
  const opened = await openSession(trx, {
    partnerId,
    programmeId,
    customerId,
    installationId,
    tokenHash: hash,
    replaces,
  });
  await seeDevice(trx, installationId);
  return toSession(opened, token, programme.sessionMinutes);
}
