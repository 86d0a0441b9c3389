import { partnerRoute } from '../partner-principal.ts';
import { pathIntegerId, uuid, z } from '../schemas/shared.ts';
import { transactionSchema } from '../schemas/transaction.ts';
import { showTransaction } from '../transactions.ts';

const readTransaction = partnerRoute({
  operation: 'readTransaction',
  method: 'GET',
  path: '/transactions/{transactionId}',
  aliases: [{ path: '/customers/{customerId}/transactions/{transactionId}' }],
  summary: 'Read a transaction',
  role: { scopes: ['partner'] },
  owner: 'programme',
  jwe: 'open',
  idempotency: 'ignored',
  params: z.strictObject({ customerId: pathIntegerId().optional(), transactionId: uuid() }),
  answers: { 200: { description: 'the transaction', schema: transactionSchema } },
  refusals: ['TRANSACTION_NOT_FOUND'],
  handle: (call) => showTransaction(call, call.params),
});

export const transactions = [readTransaction];
