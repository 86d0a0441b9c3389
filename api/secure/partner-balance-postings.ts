import { kindOfPosting, postPartnerBalance } from '../../db/partner-balance-postings.ts';
import { findBalanceForSponsor } from '../../db/partner-balances.ts';
import { findProgramme } from '../../db/partners.ts';
import { readTransaction } from '../../db/transactions.ts';
import type { CertificateScope } from '../../db/database.ts';
import { Refusal } from '../../domain/errors.ts';
import {
  creatorOf,
  isPartnerBalanceType,
  readTransactionType,
  type TransactionType,
} from '../../domain/transaction-type.ts';
import { sponsorRoute } from '../partner-principal.ts';
import { amount, currencyCode, text, uuid, z } from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';

const postOnPartnerBalance = sponsorRoute({
  operation: 'postOnPartnerBalance',
  method: 'POST',
  path: '/partner-balances/{partnerBalanceId}/transactions',
  summary: 'Book money of the bank or of the sponsor on a partner balance',
  description:
    'Scopes `bin_sponsor` and `internal` post collateral and company types, scope `ims` those of the IBAN ' +
    'technical balance. The type has to fit the kind of the balance.',
  role: { scopes: ['bin_sponsor', 'internal', 'ims'] },
  owner: 'partner-balance',
  jwe: 'open',
  idempotency: 'required',
  params: z.strictObject({ partnerBalanceId: uuid() }),
  body: z.strictObject({
    type: text(1, 64).openapi({ example: 'collateralCredit' }),
    amount: amount(),
    currency: currencyCode(),
    transactionId: text(1, 64),
    description: text(0, 255).nullish(),
  }),
  answers: { 201: { description: 'the transaction', schema: transactionSchema } },
  refusals: [
    'BALANCE_NOT_FOUND',
    'UNKNOWN_TRANSACTION_TYPE',
    'CURRENCY_MISMATCH',
    'INVALID_AMOUNT',
    'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { body, principal } = call;
      const type = readTransactionType(body.type);
      refuseForeignType(type, principal.scopes);
      const balance = await findBalanceForSponsor(trx, call.params.partnerBalanceId, principal);
      if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      const programme = await findProgramme(trx, balance.programme_id);
      if (programme === undefined) throw new Error('a partner balance names a programme that does not exist');
      if (
        type === null ||
        !isPartnerBalanceType(type) ||
        kindOfPosting(type, programme.funding) !== balance.kind
      ) {
        throw new Refusal('UNKNOWN_TRANSACTION_TYPE', 'There is no such type for a balance of this kind.');
      }
      if (body.currency !== balance.currency) {
        throw new Refusal('CURRENCY_MISMATCH', 'The balance has another currency.');
      }
      const { transactionId } = await postPartnerBalance(trx, {
        programme,
        type,
        amount: body.amount,
        currency: body.currency,
        externalId: body.transactionId,
        description: body.description ?? type,
      });
      return { status: 201, body: toTransaction(await readTransaction(trx, transactionId), null) };
    }),
});

/** Who may post what others create is told so before anything is looked up. Throws `FORBIDDEN`. */
function refuseForeignType(type: TransactionType | null, scopes: readonly CertificateScope[]): void {
  if (type === null) return;
  const creator = creatorOf(type);
  const sponsors = scopes.includes('bin_sponsor') || scopes.includes('internal');
  if (creator === 'sponsor' ? sponsors : creator === 'ims' && scopes.includes('ims')) return;
  throw new Refusal('FORBIDDEN', 'This certificate may not post transactions of that type.');
}

export const partnerBalancePostings = [postOnPartnerBalance];
