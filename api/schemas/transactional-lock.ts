import type { TransactionalLock } from '../../db/transactional-locks.ts';
import { LOCK_ORIGINS } from '../../domain/transactional-lock.ts';
import { date, dateTime, text, z } from './shared.ts';

/** A reason as it is written; those of a programme are not in the schema. */
export const lockReasonName = () =>
  z
    .string({ error: 'must be a reason of the list' })
    .regex(/^[A-Za-z_]{3,40}$/, 'must be a reason of the list');

/** Body of `POST .../transactional-locks` (onboarding 7). */
export const lockReasonBody = z
  .strictObject({
    lockReason: lockReasonName(),
    note: text(1, 500).nullish(),
    until: dateTime().nullish(),
  })
  .openapi('TransactionalLockRequest');

/** One origin's hold on a reason. */
export const transactionalLockSchema = z
  .strictObject({
    lockReason: z.string(),
    origin: z.enum(LOCK_ORIGINS),
    note: z.string().nullable(),
    until: date().nullable(),
    addedAt: date(),
  })
  .openapi('TransactionalLock');

/** The wire's transactional lock. */
export const toLockAnswer = (lock: TransactionalLock): z.input<typeof transactionalLockSchema> => ({
  lockReason: lock.reason,
  origin: lock.origin,
  note: lock.note,
  until: lock.until?.toISOString() ?? null,
  addedAt: lock.addedAt.toISOString(),
});
