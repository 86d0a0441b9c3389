import type { PartnerBalanceRow } from '../../db/partner-balances.ts';
import { date, uuid, z } from './shared.ts';

export const partnerBalanceSchema = z
  .strictObject({
    id: uuid(),
    kind: z.enum(['credit', 'deposit', 'company', 'ibanTechnical']),
    currency: z.string(),
    amount: z.int(),
    state: z.literal('ACTIVE'),
    alert: z.record(z.string(), z.unknown()),
    asOf: date(),
  })
  .openapi('PartnerBalance');

/** The wire's partner balance (money 2). */
export const toPartnerBalance = (
  row: PartnerBalanceRow,
  asOf: Date,
): z.input<typeof partnerBalanceSchema> => ({
  id: row.partner_balance_id,
  kind: row.kind,
  currency: row.currency,
  amount: row.posted,
  state: 'ACTIVE',
  alert: { ...row.alert },
  asOf: asOf.toISOString(),
});
