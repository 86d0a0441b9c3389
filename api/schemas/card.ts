import type { CardRow } from '../../db/cards.ts';
import { lockReasonOf, worstLock } from '../../domain/card-lock.ts';
import { wireState } from '../../domain/card.ts';
import { date, uuid, z } from './shared.ts';

const lockSchema = z.strictObject({
  code: z.int(),
  reason: z.string(),
  irreversible: z.boolean(),
  date: date(),
});

const members = {
  id: z.int(),
  type: z.string(),
  kind: z.enum(['VIRTUAL', 'PHYSICAL', 'DIGITAL_FIRST']),
  state: z.enum(['PENDING', 'INACTIVE', 'ACTIVE', 'LOCKED', 'EXPIRED', 'REMOVED', 'FAILED']),
  configId: z.string(),
  balanceId: uuid(),
  dcUserId: z.int().nullable(),
  dcCorporationId: uuid().nullable(),
  holderName: z.string().nullable(),
  label: z.string().nullable(),
  lastFourDigits: z.string().nullable(),
  exp: z.string().nullable().openapi({ description: 'last day of validity, YYYY-MM-DD' }),
  lock: lockSchema.nullable(),
  pinSet: z.boolean(),
  chipPin: z.enum(['NONE', 'PENDING', 'IN_SYNC']),
  plasticState: z.string().nullable(),
  orderId: uuid().nullable(),
  replacesCardId: z.int().nullable(),
  replacedByCardId: z.int().nullable(),
  failureReason: z.string().nullable(),
  createdAt: date(),
  activatedAt: date().nullable(),
};

export const cardSchema = z.strictObject(members).openapi('Card');

export const fullCardSchema = z
  .strictObject({ ...members, cardNo: z.string(), cvv: z.string() })
  .openapi('FullCard', { description: 'answered only inside {"payload": JWE}' });

/** Who sees a card: its holder in the app, or a server or operator. */
export type CardAudience = 'holder' | 'server';

/** The wire's card (cards 4); `today` is the day by the database clock. */
export function toCard(row: CardRow, today: string, audience: CardAudience): z.input<typeof cardSchema> {
  const lock = worstLock(row.locks);
  // What is printed on a card proves at its activation that the holder has it in hand.
  const isProof = audience === 'holder' && row.base_state === 'INACTIVE';
  return {
    id: row.card_id,
    type: String(row.card_id),
    kind: row.kind,
    state: wireState(row.base_state, row.expiry_date, row.locks, today),
    configId: row.config_id,
    balanceId: row.balance_id,
    dcUserId: row.customer_id,
    dcCorporationId: row.corporation_id,
    holderName: null,
    label: row.label,
    lastFourDigits: isProof ? null : row.last_four_digits,
    exp: isProof ? null : row.expiry_date,
    lock:
      lock === null
        ? null
        : {
            code: lock.code,
            reason: lockReasonOf(lock.code).constant,
            irreversible: lockReasonOf(lock.code).irreversible,
            date: lock.placedAt.toISOString(),
          },
    pinSet: row.pin_set,
    chipPin: 'NONE',
    plasticState: row.kind === 'DIGITAL_FIRST' ? 'NONE' : null,
    orderId: null,
    replacesCardId: row.replaces_card_id,
    replacedByCardId: row.replaced_by_card_id,
    failureReason: row.failure_reason,
    createdAt: row.created_at.toISOString(),
    activatedAt: row.activated_at?.toISOString() ?? null,
  };
}
