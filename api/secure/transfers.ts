import { partnerRoute } from '../partner-principal.ts';
import { pathIntegerId, z } from '../schemas/shared.ts';
import { TRANSFER_REFUSALS, transferBody, transferOf, transferSchema } from '../transfers.ts';

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
  body: transferBody,
  answers: { 201: { description: 'both transactions', schema: transferSchema } },
  refusals: TRANSFER_REFUSALS,
  handle: (call) => transferOf(call, call.params.customerId, 'any'),
});

export const transfers = [transfer];
