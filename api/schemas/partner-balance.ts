import type { PartnerBalanceRow } from '../../db/partner-balances.ts';
import { email } from './customer.ts';
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

const level = () =>
  z
    .int({ error: 'must be a whole number of minor units' })
    .min(0, 'must be at least 0')
    .max(Number.MAX_SAFE_INTEGER, 'must be below 2^53');

/** Body of `PUT /partner-balances/{id}/alert` (money 2). */
export const alertBody = z.strictObject({
  threshold: level(),
  rearmLevel: level().nullish(),
  emails: z
    .array(email(), { error: 'must be a list' })
    .min(1, 'must have 1 to 10 addresses')
    .max(10, 'must have 1 to 10 addresses')
    .refine((all) => new Set(all).size === all.length, 'must not name an address twice'),
  enabled: z.boolean({ error: 'must be true or false' }),
});
