import { customerRoute } from '../customer-principal.ts';
import { TRANSFER_REFUSALS, transferBody, transferOf, transferSchema } from '../transfers.ts';

const transfer = customerRoute({
  operation: 'transferBetweenOwnBalances',
  method: 'POST',
  path: '/me/transfers',
  summary: 'Move money between your balances',
  jwe: 'open',
  idempotency: 'required',
  body: transferBody,
  answers: { 201: { description: 'both transactions', schema: transferSchema } },
  refusals: TRANSFER_REFUSALS,
  handle: (call) => transferOf(call, call.principal.customerId, 'own'),
});

export const transfers = [transfer];
