import type { Trx } from '../db/atomically.ts';
import type { Lockable } from '../db/lock-requests.ts';
import { locksOf, type TransactionalLock } from '../db/transactional-locks.ts';

/** What the lists of transactional locks share: by reason and origin, from behind `position` on. */
export const locksAfter = async (
  trx: Trx,
  lockable: Lockable,
  position: string | undefined,
  limit: number,
): Promise<TransactionalLock[]> =>
  (await locksOf(trx, lockable))
    .filter((one) => position === undefined || lockPosition(one) > position)
    .slice(0, limit);

export const lockPosition = ({ reason, origin }: TransactionalLock): string => `${reason} ${origin}`;
