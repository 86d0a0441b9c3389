import { newId } from '../../db/atomically.ts';
import { postAdjustment } from '../../db/adjustments.ts';
import { findBalance } from '../../db/balances.ts';
import { postInternal } from '../../db/postings.ts';
import { readTransaction } from '../../db/transactions.ts';
import { ADJUSTMENT_REASONS } from '../../domain/adjustment.ts';
import { Refusal } from '../../domain/errors.ts';
import { formatMoney } from '../../domain/money.ts';
import { adminRoute, operatorProgrammeIds, programmeOfResource } from '../operator-principal.ts';
import { amount, currencyCode, text, uuid, word, z } from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';
import { waiting } from './waiting.ts';

const shared = {
  method: 'POST',
  permission: 'balances.post',
  jwe: 'open',
  idempotency: 'required',
  answers: {
    201: { description: 'the transaction, once approved', schema: transactionSchema },
    202: waiting,
  },
} as const;

const noBalance = () => new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');

const reload = adminRoute({
  ...shared,
  operation: 'reloadBalance',
  path: '/balances/{balanceId}/reload',
  summary: "Top up a balance from the programme's credit partner balance; takes two",
  params: z.strictObject({ balanceId: uuid() }),
  body: z.strictObject({
    amount: amount(),
    currency: currencyCode().nullish(),
    transactionId: text(1, 64).nullish(),
    description: text(0, 255).nullish(),
  }),
  fourEyes: {
    kind: 'BALANCE_POSTING',
    summary: ({ body }) => `Top up ${body.amount} minor units`,
    subject: ({ params }) => ({ type: 'balance', id: params.balanceId }),
  },
  refusals: [
    'BALANCE_NOT_FOUND',
    'CUSTOMER_NOT_FOUND',
    'CURRENCY_MISMATCH',
    'AML_EXCEPTION',
    'COLLATERAL_BALANCE_NOT_FOUND',
    'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
    'APPROVAL_PENDING',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { balanceId } = call.params;
      const { body, principal } = call;
      const balance = await findBalance(trx, balanceId, { programmeIds: operatorProgrammeIds(principal) });
      if (balance === undefined) throw noBalance();
      const result = await postInternal(trx, {
        programme: programmeOfResource(principal, balance.programme_id),
        balanceId,
        type: 'topUp',
        amount: body.amount,
        currency: body.currency ?? null,
        externalId: body.transactionId ?? newId(trx),
        description: body.description ?? 'Top up',
      });
      // What is refused to an operator is not asked of a second one, and leaves no transaction.
      if (!result.posted) throw result.refusal;
      return { status: 201, body: toTransaction(await readTransaction(trx, result.transactionId), null) };
    }),
});

const adjust = adminRoute({
  ...shared,
  operation: 'postAdjustment',
  path: '/adjustments',
  summary: 'Move money of a balance by hand; takes two',
  body: z.strictObject({
    balanceId: uuid(),
    category: word(['DEBIT', 'CREDIT']),
    amount: amount(),
    currency: currencyCode(),
    reasonCode: word(ADJUSTMENT_REASONS),
    note: text(1, 500),
    referenceId: uuid().nullish(),
  }),
  fourEyes: {
    kind: 'BALANCE_POSTING',
    summary: ({ body }) =>
      `${body.category === 'CREDIT' ? 'Credit' : 'Debit'} ${formatMoney({ minorUnits: body.amount, currency: body.currency })}`,
    subject: ({ body }) => ({ type: 'balance', id: body.balanceId }),
  },
  refusals: [
    'BALANCE_NOT_FOUND',
    'TRANSACTION_NOT_FOUND',
    'CURRENCY_MISMATCH',
    'INVALID_AMOUNT',
    'INSUFFICIENT_FUNDS',
    'STATE_CONFLICT',
    'APPROVAL_PENDING',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { reasonCode: reason, ...adjustment } = call.body;
      const look = { programmeIds: operatorProgrammeIds(call.principal) };
      if ((await findBalance(trx, adjustment.balanceId, look)) === undefined) throw noBalance();
      const id = await postAdjustment(trx, {
        ...adjustment,
        reason,
        referenceId: adjustment.referenceId ?? null,
        externalId: newId(trx),
      });
      return { status: 201, body: toTransaction(await readTransaction(trx, id), null) };
    }),
});

export const money = [reload, adjust];
