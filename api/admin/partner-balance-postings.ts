import { nowOf } from '../../db/atomically.ts';
import {
  createPartnerBalance,
  kindOfPosting,
  postPartnerBalance,
} from '../../db/partner-balance-postings.ts';
import { readTransaction } from '../../db/transactions.ts';
import { Refusal } from '../../domain/errors.ts';
import { formatMoney } from '../../domain/money.ts';
import { adminRoute, programmeNamed, programmeOfResource } from '../operator-principal.ts';
import { partnerBalanceSchema, toPartnerBalance } from '../schemas/partner-balance.ts';
import { amount, currencyCode, knownCurrency, text, uuid, word, z } from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';
import { requirePartnerBalance } from './partner-balances.ts';
import { waiting } from './waiting.ts';

const shared = { method: 'POST', permission: 'partnerBalances.post', jwe: 'open' } as const;

const create = adminRoute({
  ...shared,
  operation: 'createPartnerBalance',
  path: '/partner-balances',
  summary: 'Open a credit or deposit balance of a programme, at zero; takes two',
  idempotency: 'accepted',
  body: z.strictObject({
    programmeId: uuid(),
    kind: word(['credit', 'deposit']),
    currency: knownCurrency(),
  }),
  fourEyes: {
    kind: 'PARTNER_BALANCE_POSTING',
    summary: ({ body }) => `Open a ${body.kind} balance in ${body.currency}`,
    subject: ({ body }) => ({ type: 'programme', id: body.programmeId }),
  },
  answers: { 201: { description: 'the balance, once approved', schema: partnerBalanceSchema }, 202: waiting },
  refusals: ['PROGRAMME_NOT_FOUND', 'ALREADY_EXISTS', 'APPROVAL_PENDING'],
  handle: (call) =>
    call.once(async (trx) => {
      const { programmeId, ...wanted } = call.body;
      const id = await createPartnerBalance(trx, programmeNamed(call.principal, programmeId), wanted);
      const balance = await requirePartnerBalance(trx, call.principal, id);
      return { status: 201, body: toPartnerBalance(balance, nowOf(trx)) };
    }),
});

const TYPES = ['collateralDebit', 'collateralCredit', 'companyDebit', 'companyCredit'] as const;

const post = adminRoute({
  ...shared,
  operation: 'adminPostOnPartnerBalance',
  path: '/partner-balances/{partnerBalanceId}/transactions',
  aliases: [{ path: '/partner-balances/{partnerBalanceId}/reload' }],
  summary: 'Book money of the bank on a partner balance; takes two',
  idempotency: 'required',
  params: z.strictObject({ partnerBalanceId: uuid() }),
  body: z.strictObject({
    // The path `reload` is for prefunds alone, which do not have to say so.
    type: word(TYPES).default('collateralCredit'),
    amount: amount(),
    currency: currencyCode(),
    transactionId: text(1, 64),
    description: text(0, 255).nullish(),
  }),
  fourEyes: {
    kind: 'PARTNER_BALANCE_POSTING',
    summary: ({ body }) =>
      `${body.type} of ${formatMoney({ minorUnits: body.amount, currency: body.currency })}`,
    subject: ({ params }) => ({ type: 'partner_balance', id: params.partnerBalanceId }),
  },
  answers: {
    201: { description: 'the transaction, once approved', schema: transactionSchema },
    202: waiting,
  },
  refusals: [
    'BALANCE_NOT_FOUND',
    'UNKNOWN_TRANSACTION_TYPE',
    'CURRENCY_MISMATCH',
    'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
    'DUPLICATE_BANK_REFERENCE',
    'APPROVAL_PENDING',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { body, principal } = call;
      const balance = await requirePartnerBalance(trx, principal, call.params.partnerBalanceId);
      const programme = programmeOfResource(principal, balance.programme_id);
      if (kindOfPosting(body.type, programme.funding) !== balance.kind) {
        throw new Refusal('UNKNOWN_TRANSACTION_TYPE', 'There is no such type for a balance of this kind.');
      }
      if (body.currency !== balance.currency) {
        throw new Refusal('CURRENCY_MISMATCH', 'The balance has another currency.');
      }
      const { transactionId } = await postPartnerBalance(trx, {
        programme,
        type: body.type,
        amount: body.amount,
        currency: body.currency,
        externalId: body.transactionId,
        description: body.description ?? body.type,
        uniqueReference: true,
      });
      return { status: 201, body: toTransaction(await readTransaction(trx, transactionId), null) };
    }),
});

export const partnerBalancePostings = [create, post];
