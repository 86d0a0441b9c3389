import type { PartnerBalanceRow } from '../../db/partner-balances.ts';
import { date, uuid, z } from './shared.ts';

/** Empty while no alert is set. */
const alertSchema = z
  .strictObject({
    threshold: z.int(),
    rearmLevel: z.int(),
    emails: z.array(z.string()),
    enabled: z.boolean(),
    state: z.enum(['ARMED', 'FIRED']),
    firedAt: date().nullable(),
  })
  .partial();

export const partnerBalanceSchema = z
  .strictObject({
    id: uuid(),
    kind: z.enum(['credit', 'deposit', 'company', 'ibanTechnical']),
    currency: z.string(),
    amount: z.int(),
    state: z.literal('ACTIVE'),
    alert: alertSchema,
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
  alert: toAlert(row.alert),
  asOf: asOf.toISOString(),
});

const toAlert = (alert: PartnerBalanceRow['alert']): z.input<typeof alertSchema> =>
  alert === null
    ? {}
    : { ...alert, emails: [...alert.emails], firedAt: alert.firedAt?.toISOString() ?? null };
