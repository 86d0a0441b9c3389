import type { BalanceRow } from '../../db/balances.ts';
import type { CardRow } from '../../db/cards.ts';
import { subtract } from '../../domain/money.ts';
import { currencyCode, date, page, uuid, word, z } from './shared.ts';

const balanceCard = z.strictObject({
  id: z.int(),
  lastFourDigits: z.string().nullable(),
  kind: z.string(),
  state: z.string(),
});

export const balanceSchema = z
  .strictObject({
    id: uuid(),
    balanceId: uuid(),
    customerId: z.int().nullable(),
    dcCorporationId: uuid().nullable(),
    currency: z.string(),
    amount: z.int().nullable(),
    heldAmount: z.int(),
    availableAmount: z.int().nullable(),
    state: z.enum(['LINKING', 'ACTIVE', 'BLOCKED', 'UNLINKING', 'CLOSED']),
    holder: z.enum(['platform', 'external']),
    automatic: z.boolean(),
    version: z.int(),
    createdAt: date(),
    asOf: date(),
    stale: z.boolean(),
    amountStatus: z.enum(['OK', 'UNAVAILABLE', 'NOT_LINKED_AT_PARTNER', 'CURRENCY_MISMATCH']),
    cards: z.array(balanceCard).optional(),
  })
  .openapi('Balance');

/** Query of the list of a user's balances. */
export const balanceListQuery = z.strictObject({
  ...page,
  currency: currencyCode().optional(),
  state: word(['LINKING', 'ACTIVE', 'BLOCKED', 'UNLINKING', 'CLOSED']).optional(),
});

/** The wire's balance (money 1); `asOf` is the time of the read. */
export function toBalance(row: BalanceRow, asOf: Date): z.input<typeof balanceSchema> {
  return {
    id: row.balance_id,
    balanceId: row.balance_id,
    customerId: row.customer_id,
    dcCorporationId: row.corporation_id,
    currency: row.currency,
    amount: row.posted,
    heldAmount: row.held,
    availableAmount: subtract(row.posted, row.held),
    state: row.state,
    holder: row.holder,
    automatic: row.automatic,
    version: row.version,
    createdAt: row.created_at.toISOString(),
    asOf: asOf.toISOString(),
    stale: false,
    amountStatus: 'OK',
  };
}

/** A card as the detail of its balance shows it. */
export const toBalanceCard = (card: CardRow, state: string): z.input<typeof balanceCard> => ({
  id: card.card_id,
  lastFourDigits: card.last_four_digits,
  kind: card.kind,
  state,
});
