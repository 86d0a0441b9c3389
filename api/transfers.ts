import { findBalance } from '../db/balances.ts';
import { readTransaction } from '../db/transactions.ts';
import { transferBetween } from '../db/transfers.ts';
import { Refusal, type RefusalCode } from '../domain/errors.ts';
import { programmeIds, programmeOf, type Reach } from './reach.ts';
import type { Answer, Call } from './route.ts';
import { amount, text, uuid, z } from './schemas/shared.ts';
import { toTransaction, transactionSchema } from './schemas/transaction.ts';

export const transferSchema = z
  .strictObject({ transferId: uuid(), funding: transactionSchema, payment: transactionSchema })
  .openapi('Transfer');

export const transferBody = z.strictObject({
  fromBalanceId: uuid(),
  toBalanceId: uuid(),
  amount: amount(),
  quoteId: uuid().nullish(),
  description: text(0, 255).nullish(),
});

export const TRANSFER_REFUSALS = [
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
] as const satisfies readonly RefusalCode[];

type TransferCall = Call<Reach, unknown, unknown, z.output<typeof transferBody>>;

/**
 * Moves money from a balance of a user and answers both transactions (money 1). `to`: where it may go, the user's
 * own balances or any of the programme. Throws `TRANSFER_REFUSALS`.
 */
export const transferOf = (call: TransferCall, customerId: number, to: 'own' | 'any'): Promise<Answer> =>
  call.once(async (trx) => {
    const { body } = call;
    const own = { programmeIds: programmeIds(call.principal), customerId };
    const from = await findBalance(trx, body.fromBalanceId, own);
    if (from === undefined) throw missing();
    if (to === 'own' && (await findBalance(trx, body.toBalanceId, own)) === undefined) throw missing();
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
  });

const missing = () => new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
