import { findBalance } from '../../db/balances.ts';
import { readTransaction } from '../../db/transactions.ts';
import { transferBetween } from '../../db/transfers.ts';
import { Refusal } from '../../domain/errors.ts';
import { partnerRoute, programmeIds, programmeOf } from '../partner-principal.ts';
import { amount, pathIntegerId, text, uuid, z } from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';

const transferSchema = z
  .strictObject({ transferId: uuid(), funding: transactionSchema, payment: transactionSchema })
  .openapi('Transfer');

const transfer = partnerRoute({
  operation: 'transferBetweenBalances',
  method: 'POST',
  path: '/customers/{customerId}/transfers',
  summary: 'Move money from a balance of the user to another balance of the programme',
  role: { scopes: ['partner'] },
  owner: 'programme',
  jwe: 'open',
  idempotency: 'required',
  params: z.strictObject({ customerId: pathIntegerId() }),
  body: z.strictObject({
    fromBalanceId: uuid(),
    toBalanceId: uuid(),
    amount: amount(),
    quoteId: uuid().nullish(),
    description: text(0, 255).nullish(),
  }),
  answers: { 201: { description: 'both transactions', schema: transferSchema } },
  refusals: [
    'BALANCE_NOT_FOUND',
    'SAME_BALANCE',
    'EXTERNAL_TRANSFER_NOT_SUPPORTED',
    'QUOTE_REQUIRED',
    'QUOTE_EXPIRED',
    'INVALID_AMOUNT',
    'CUSTOMER_NOT_FOUND',
    'AML_EXCEPTION',
    'LIMIT_EXCEED',
    'COLLATERAL_BALANCE_NOT_FOUND',
    'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
    'INSUFFICIENT_FUNDS',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { body, params } = call;
      const from = await findBalance(trx, body.fromBalanceId, {
        programmeIds: programmeIds(call.principal),
        customerId: params.customerId,
      });
      if (from === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      const { transferId, fundingId, paymentId } = await transferBetween(trx, {
        programme: programmeOf(call.principal, from.programme_id),
        fromBalanceId: body.fromBalanceId,
        toBalanceId: body.toBalanceId,
        amount: body.amount,
        quoteId: body.quoteId ?? null,
        description: body.description ?? 'Transfer',
      });
      const [funding, payment] = [
        toTransaction(await readTransaction(trx, fundingId), null),
        toTransaction(await readTransaction(trx, paymentId), null),
      ];
      return { status: 201, body: { transferId, funding, payment } };
    }),
});

export const transfers = [transfer];
