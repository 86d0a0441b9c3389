import type { Kysely } from 'kysely';
import { atomically } from '../db/atomically.ts';
import { audit } from '../db/audit-log.ts';
import type { Database } from '../db/database.ts';
import type { Caller } from '../domain/actor.ts';
import type { RefusalCode } from '../domain/errors.ts';

/**
 * Leaves the audit row of a call that somebody known was refused (channels 3): 403, or 401 after the caller was
 * known. `refused` names what was asked for and the title that was answered.
 */
export async function auditRefusedCall(
  engine: Kysely<Database>,
  caller: Caller,
  refused: {
    readonly type: 'route' | 'certificate' | 'session';
    readonly id: string;
    readonly title: RefusalCode;
    /** Whose audit it belongs to; absent = the caller's partner. */
    readonly partnerId?: number | null;
  },
): Promise<void> {
  await atomically(engine, caller, async (trx) => {
    await audit(trx, {
      action: 'call.refused',
      objectType: refused.type,
      objectId: refused.id,
      result: 'DENIED',
      ...(typeof refused.partnerId === 'number' ? { partnerId: refused.partnerId } : {}),
      after: { title: refused.title },
    });
  });
}
