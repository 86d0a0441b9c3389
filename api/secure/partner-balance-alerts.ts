import { nowOf } from '../../db/atomically.ts';
import { putAlert } from '../../db/partner-balance-alerts.ts';
import { findPartnerBalance } from '../../db/partner-balances.ts';
import { Refusal } from '../../domain/errors.ts';
import { defaultRearmLevel } from '../../domain/partner-balance-alert.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { email } from '../schemas/customer.ts';
import { partnerBalanceSchema, toPartnerBalance } from '../schemas/partner-balance.ts';
import { uuid, z } from '../schemas/shared.ts';

const level = () =>
  z
    .int({ error: 'must be a whole number of minor units' })
    .min(0, 'must be at least 0')
    .max(Number.MAX_SAFE_INTEGER, 'must be below 2^53');

const put = partnerRoute({
  operation: 'putPartnerBalanceAlert',
  method: 'PUT',
  path: '/partner-balances/{partnerBalanceId}/alert',
  summary: 'Be mailed when a partner balance is low',
  role: { scopes: ['partner'] },
  owner: 'programme',
  jwe: 'open',
  idempotency: 'accepted',
  params: z.strictObject({ partnerBalanceId: uuid() }),
  body: z.strictObject({
    threshold: level(),
    rearmLevel: level().nullish(),
    emails: z
      .array(email(), { error: 'must be a list' })
      .min(1, 'must have 1 to 10 addresses')
      .max(10, 'must have 1 to 10 addresses')
      .refine((all) => new Set(all).size === all.length, 'must not name an address twice'),
    enabled: z.boolean({ error: 'must be true or false' }),
  }),
  answers: { 200: { description: 'the partner balance with its alert', schema: partnerBalanceSchema } },
  refusals: ['BALANCE_NOT_FOUND', 'REARM_BELOW_THRESHOLD'],
  handle: (call) =>
    call.once(async (trx) => {
      const { partnerBalanceId } = call.params;
      const find = () => findPartnerBalance(trx, partnerBalanceId, programmeIds(call.principal));
      const balance = await find();
      if (balance === undefined) throw notFound();
      const { threshold, rearmLevel } = call.body;
      await putAlert(
        trx,
        { partnerBalanceId, partnerId: balance.partner_id },
        { ...call.body, rearmLevel: rearmLevel ?? defaultRearmLevel(threshold) },
      );
      return { status: 200, body: toPartnerBalance((await find()) ?? balance, nowOf(trx)) };
    }),
});

const notFound = () => new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');

export const partnerBalanceAlerts = [put];
