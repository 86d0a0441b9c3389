import { nowOf } from '../../db/atomically.ts';
import { putAlert } from '../../db/partner-balance-alerts.ts';
import { findPartnerBalance } from '../../db/partner-balances.ts';
import { Refusal } from '../../domain/errors.ts';
import { defaultRearmLevel } from '../../domain/partner-balance-alert.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { alertBody, partnerBalanceSchema, toPartnerBalance } from '../schemas/partner-balance.ts';
import { uuid, z } from '../schemas/shared.ts';

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
  body: alertBody,
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
