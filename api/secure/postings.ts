import { findBalance } from '../../db/balances.ts';
import { postInternal } from '../../db/postings.ts';
import type { Reference } from '../../db/references.ts';
import { readTransaction } from '../../db/transactions.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { type InternalType, isInternalType, readTransactionType } from '../../domain/transaction-type.ts';
import { toErrorAnswer } from '../errors.ts';
import { partnerRoute, programmeIds, programmeOf } from '../partner-principal.ts';
import { currencyCode, pathIntegerId, text, uuid, z } from '../schemas/shared.ts';
import { postingDataSchema, toTransaction, transactionSchema } from '../schemas/transaction.ts';

const bodySchema = z.strictObject({
  balanceId: uuid().nullish(),
  type: text(1, 64).openapi({ example: 'fee' }),
  // What is not above zero is refused as a posting, and recorded (money 4.5).
  amount: z.int('must be a whole number of minor units').openapi({ minimum: 1 }),
  currency: currencyCode(),
  transactionId: text(1, 64),
  referenceTransactionId: text(1, 64).nullish(),
  referenceId: uuid().nullish(),
  description: text(0, 255).nullish(),
  transactionData: postingDataSchema.nullish(),
});

type Body = z.output<typeof bodySchema>;

const postTransaction = partnerRoute({
  operation: 'postTransaction',
  method: 'POST',
  path: '/transactions',
  aliases: [{ path: '/customers/{customerId}/balances/{balanceId}/transactions' }],
  summary:
    'Post on a balance: top-up, payment, loan, cashback, fee, commission, funding, interest, withdrawal',
  description:
    'Case, `_`, `-` and blanks of `type` do not matter. A commission needs `referenceTransactionId` or ' +
    '`referenceId`. `balanceId` may be left out where the path names the balance. A refused posting is ' +
    'recorded, told to the partner, and answered again under the same key.',
  role: { scopes: ['partner'] },
  owner: 'programme',
  jwe: 'open',
  idempotency: 'required',
  params: z.strictObject({ customerId: pathIntegerId().optional(), balanceId: uuid().optional() }),
  body: bodySchema,
  answers: { 201: { description: 'the transaction', schema: transactionSchema } },
  refusals: [
    'UNKNOWN_TRANSACTION_TYPE',
    'INVALID_AMOUNT',
    'BALANCE_NOT_FOUND',
    'CUSTOMER_NOT_FOUND',
    'CURRENCY_MISMATCH',
    'REFERENCED_TRANSACTION_NOT_FOUND',
    'AMBIGUOUS_REFERENCED_TRANSACTION',
    'AML_EXCEPTION',
    'LIMIT_EXCEED',
    'COLLATERAL_BALANCE_NOT_FOUND',
    'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
    'INSUFFICIENT_FUNDS',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { body } = call;
      const { customerId } = call.params;
      const type = typeOf(body);
      const reference = referenceOf(body, type);
      const balanceId = balanceOf(body, call.params.balanceId);
      const balance = await findBalance(trx, balanceId, {
        programmeIds: programmeIds(call.principal),
        ...(customerId === undefined ? {} : { customerId }),
      });
      if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      const result = await postInternal(trx, {
        programme: programmeOf(call.principal, balance.programme_id),
        balanceId,
        type,
        amount: body.amount,
        currency: body.currency,
        externalId: body.transactionId,
        reference,
        description: body.description ?? type ?? 'transaction',
        transactionData: knownOf(body.transactionData ?? {}),
      });
      // A refused posting is recorded and told to the partner, so its transaction commits and is answered as it is.
      if (!result.posted) {
        const refused = toErrorAnswer(result.refusal);
        return { status: refused.status, body: refused.body };
      }
      return { status: 201, body: toTransaction(await readTransaction(trx, result.transactionId), null) };
    }),
});

/** The type, null for a word that names none. Throws `FORBIDDEN` for one that is not the partner's to post. */
function typeOf({ type: word }: Body): InternalType | null {
  const type = readTransactionType(word);
  if (type === null || isInternalType(type)) return type;
  throw new Refusal('FORBIDDEN', 'This certificate may not post transactions of that type.');
}

function referenceOf(
  { referenceId, referenceTransactionId }: Body,
  type: InternalType | null,
): Reference | null {
  if (referenceId) return { id: referenceId };
  if (referenceTransactionId) return { externalId: referenceTransactionId };
  if (type !== 'commission') return null;
  throw invalid([
    { field: 'referenceTransactionId', message: 'is required for a commission, unless referenceId is sent' },
  ]);
}

function balanceOf({ balanceId }: Body, inPath: string | undefined): string {
  if (inPath !== undefined && balanceId && balanceId !== inPath) {
    throw invalid([{ field: 'balanceId', message: 'must be that of the path' }]);
  }
  const named = balanceId ?? inPath;
  if (named === undefined) throw invalid([{ field: 'balanceId', message: 'is required' }]);
  return named;
}

const knownOf = (data: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null && value !== undefined));

export const postings = [postTransaction];
