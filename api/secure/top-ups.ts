import { findBalance } from '../../db/balances.ts';
import { newId } from '../../db/atomically.ts';
import { postInternal } from '../../db/postings.ts';
import { readTransaction } from '../../db/transactions.ts';
import { Refusal } from '../../domain/errors.ts';
import { toErrorAnswer } from '../errors.ts';
import { partnerRoute, programmeIds, programmeOf } from '../partner-principal.ts';
import { amount, currencyCode, pathIntegerId, text, uuid, z } from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';

const topUp = partnerRoute({
  operation: 'topUp',
  method: 'POST',
  path: '/customers/{customerId}/balances/{balanceId}/reload',
  aliases: [
    { path: '/customers/{customerId}/balances/{balanceId}/topup' },
    { path: '/balances/{balanceId}/reload' },
  ],
  summary: "Top up a balance from the programme's credit partner balance",
  role: { scopes: ['partner'] },
  owner: 'programme',
  jwe: 'open',
  idempotency: 'required',
  params: z.strictObject({ customerId: pathIntegerId().optional(), balanceId: uuid() }),
  body: z.strictObject({
    amount: amount(),
    currency: currencyCode().nullish(),
    transactionId: text(1, 64).nullish(),
    description: text(0, 255).nullish(),
  }),
  answers: { 201: { description: 'the transaction', schema: transactionSchema } },
  refusals: [
    'BALANCE_NOT_FOUND',
    'CUSTOMER_NOT_FOUND',
    'CURRENCY_MISMATCH',
    'AML_EXCEPTION',
    'COLLATERAL_BALANCE_NOT_FOUND',
    'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { customerId, balanceId } = call.params;
      const { body } = call;
      const balance = await findBalance(trx, balanceId, {
        programmeIds: programmeIds(call.principal),
        ...(customerId === undefined ? {} : { customerId }),
      });
      if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      const result = await postInternal(trx, {
        programme: programmeOf(call.principal, balance.programme_id),
        balanceId,
        type: 'topUp',
        amount: body.amount,
        currency: body.currency ?? null,
        externalId: body.transactionId ?? newId(trx),
        description: body.description ?? 'Top up',
      });
      // A refused posting is recorded and told to the partner, so its transaction commits and is answered as it is.
      if (!result.posted) {
        const refused = toErrorAnswer(result.refusal);
        return { status: refused.status, body: refused.body };
      }
      return { status: 201, body: toTransaction(await readTransaction(trx, result.transactionId), null) };
    }),
});

export const topUps = [topUp];
