import { openSession, replaceSession, type SessionRow } from '../../db/customer-sessions.ts';
import { lockCustomer } from '../../db/customers.ts';
import { holdDevice, seeDevice } from '../../db/devices.ts';
import type { Trx } from '../../db/atomically.ts';
import type { Programme } from '../../db/partners.ts';
import { isActive } from '../../domain/customer.ts';
import { newToken } from '../../vault/session-token.ts';
import type { Vault } from '../../vault/vault.ts';
import type { CustomerPrincipal } from '../customer-principal.ts';
import { toSession } from '../schemas/customer-session.ts';
import { sessionExpired } from './identify.ts';

interface Opening {
  readonly programme: Programme;
  readonly customerId: number;
  readonly installationId: string;
}

/**
 * Opens a session and gives what its user is told, the token among it. User and installation are held by the caller, in
 * this order.
 */
export async function startSession(
  trx: Trx,
  vault: Vault,
  opening: Opening,
): Promise<ReturnType<typeof toSession>> {
  return await tellToken(trx, vault, opening, (tokenHash) => openSession(trx, rowOf(opening, tokenHash)));
}

/**
 * Opens a session in the place of the caller's own, as far as nothing has ended it since the call came in. Throws
 * `SESSION_EXPIRED`.
 */
export async function refreshSession(
  trx: Trx,
  vault: Vault,
  own: CustomerPrincipal,
): Promise<ReturnType<typeof toSession>> {
  const { programme, customerId, installationId, session } = own;
  const customer = await lockCustomer(trx, [programme.programmeId], customerId);
  const device = await holdDevice(trx, customerId, installationId);
  if (!isActive(customer.state) || device.state !== 'ACTIVE') throw sessionExpired();
  const replaced = { sessionId: session.session_id, sessionMinutes: programme.sessionMinutes };
  return await tellToken(trx, vault, own, async (tokenHash) => {
    const opened = await replaceSession(trx, rowOf(own, tokenHash), replaced);
    if (opened === undefined) throw sessionExpired();
    return opened;
  });
}

const rowOf = ({ programme, customerId, installationId }: Opening, tokenHash: Buffer) => ({
  partnerId: programme.partnerId,
  programmeId: programme.programmeId,
  customerId,
  installationId,
  tokenHash,
});

async function tellToken(
  trx: Trx,
  vault: Vault,
  { programme, installationId }: Opening,
  open: (tokenHash: Buffer) => Promise<SessionRow>,
): Promise<ReturnType<typeof toSession>> {
  const { token, hash } = newToken(vault, 'cst');
  const opened = await open(hash);
  await seeDevice(trx, installationId);
  return toSession(opened, token, programme.sessionMinutes);
}
