import { readCard } from '../../db/cards.ts';
import { findTransaction } from '../../db/transactions.ts';
import { Refusal } from '../../domain/errors.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { pathIntegerId, uuid, z } from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';

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
  handle: async (call) => {
    const { customerId, transactionId } = call.params;
    const body = await call.atomically(async (trx) => {
      const row = await findTransaction(trx, transactionId, {
        programmeIds: programmeIds(call.principal),
        customerId,
      });
      if (row === undefined) throw new Refusal('TRANSACTION_NOT_FOUND', 'There is no such transaction.');
      const card = row.card_id === null ? null : await readCard(trx, row.card_id);
      return toTransaction(row, card?.resource_id ?? null);
    });
    return { status: 200, body };
  },
});

export const transactions = [readTransaction];
