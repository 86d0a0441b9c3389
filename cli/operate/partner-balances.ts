import { atomically, type Trx } from '../../db/atomically.ts';
import { createPartnerBalance, postPartnerBalance } from '../../db/partner-balance-postings.ts';
import { findProgrammeByCode, type Programme } from '../../db/partners.ts';
import { Refusal } from '../../domain/errors.ts';
import { formatMoney } from '../../domain/money.ts';
import { PARTNER_BALANCE_TYPES } from '../../domain/transaction-type.ts';
import type { Command } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import {
  amountValue,
  currencyValue,
  neededValue,
  orFail,
  refuseGiven,
  textValue,
  wordValue,
} from './money-options.ts';
import { onlyValue, readOptions } from './options.ts';

const OPEN = 'open-partner-balance';
const POST = 'post-partner-balance';
const MOST_REFERENCE = 64;
const MOST_DESCRIPTION = 255;

/** `cardloom open-partner-balance`: a credit or deposit balance of a programme, at zero (money 2). */
export const openPartnerBalanceCommand: Command = {
  name: OPEN,
  usage: '--programme ISSUER_CODE --kind credit|deposit --currency EUR [--operator NAME]',
  summary: 'open a credit or deposit balance of a programme, at zero',
  async run(args, io) {
    const { given, values } = readOptions(OPEN, args, ['programme', 'kind', 'currency', 'operator']);
    refuseGiven(OPEN, given);
    const issuerCode = neededValue(OPEN, 'programme', values.programme);
    const kind = wordValue(OPEN, 'kind', values.kind, ['credit', 'deposit']);
    const currency = currencyValue(OPEN, values.currency);
    const caller = commandCaller(onlyValue(OPEN, 'operator', values.operator));
    const partnerBalanceId = await orFail(() =>
      withDatabase(io, 'engine', (db) =>
        atomically(db, caller, async (trx) =>
          createPartnerBalance(trx, await programmeOf(trx, issuerCode), { kind, currency }),
        ),
      ),
    );
    io.out(
      io.json
        ? JSON.stringify({ partnerBalanceId, kind, currency })
        : `${kind} balance ${partnerBalanceId} in ${currency} is open`,
    );
    return exitCode.ok;
  },
};

/**
 * `cardloom post-partner-balance`: books money of the bank on a balance of the partner itself, for example a
 * prefund (money 2). The bank's reference is taken once a balance.
 */
export const postPartnerBalanceCommand: Command = {
  name: POST,
  usage:
    `--programme ISSUER_CODE --type ${PARTNER_BALANCE_TYPES.join('|')} --amount 12.34 --currency EUR ` +
    '--reference BANK_REFERENCE [--description TEXT] [--operator NAME]',
  summary: 'book a prefund or other money of the bank on a balance of a partner',
  async run(args, io) {
    const { given, values } = readOptions(POST, args, [
      'programme',
      'type',
      'amount',
      'currency',
      'reference',
      'description',
      'operator',
    ]);
    refuseGiven(POST, given);
    const issuerCode = neededValue(POST, 'programme', values.programme);
    const type = wordValue(POST, 'type', values.type, PARTNER_BALANCE_TYPES);
    const currency = currencyValue(POST, values.currency);
    const amount = amountValue(POST, values.amount, currency);
    const externalId = textValue(POST, 'reference', values.reference, MOST_REFERENCE);
    const description =
      values.description.length === 0
        ? type
        : textValue(POST, 'description', values.description, MOST_DESCRIPTION);
    const caller = commandCaller(onlyValue(POST, 'operator', values.operator));
    const posted = await orFail(() =>
      withDatabase(io, 'engine', (db) =>
        atomically(db, caller, async (trx) =>
          postPartnerBalance(trx, {
            programme: await programmeOf(trx, issuerCode),
            type,
            amount,
            currency,
            externalId,
            description,
            uniqueReference: true,
          }),
        ),
      ),
    );
    const money = formatMoney({ minorUnits: amount, currency });
    io.out(
      io.json
        ? JSON.stringify({ ...posted, type, amount, currency })
        : `${type} of ${money} is booked: transaction ${posted.transactionId}`,
    );
    return exitCode.ok;
  },
};

async function programmeOf(trx: Trx, issuerCode: string): Promise<Programme> {
  const programme = await findProgrammeByCode(trx, issuerCode);
  if (programme === undefined) throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
  return programme;
}
