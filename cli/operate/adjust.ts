import { postAdjustment } from '../../db/adjustments.ts';
import { atomically, newId } from '../../db/atomically.ts';
import { ADJUSTMENT_REASONS } from '../../domain/adjustment.ts';
import { isUuid } from '../../domain/ids.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Command } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
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

const NAME = 'adjust';
const MOST_NOTE = 500;

/** `cardloom adjust`: moves a customer's money by hand, with a reason and a note (money 4.6). */
export const adjustCommand: Command = {
  name: NAME,
  usage:
    `--balance BALANCE_ID --category CREDIT|DEBIT --amount 12.34 --currency EUR ` +
    `--reason ${ADJUSTMENT_REASONS.join('|')} --note TEXT [--reference TRANSACTION_ID] [--operator NAME] ` +
    '(CHARGEBACK_LOST: DEBIT takes the provisional credit back, CREDIT writes it off)',
  summary: 'move money of a customer by hand: correct, give, take back, write off',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, [
      'balance',
      'category',
      'amount',
      'currency',
      'reason',
      'note',
      'reference',
      'operator',
    ]);
    refuseGiven(NAME, given);
    const balanceId = idOf('balance', neededValue(NAME, 'balance', values.balance));
    const category = wordValue(NAME, 'category', values.category, ['CREDIT', 'DEBIT']);
    const currency = currencyValue(NAME, values.currency);
    const amount = amountValue(NAME, values.amount, currency);
    const reason = wordValue(NAME, 'reason', values.reason, ADJUSTMENT_REASONS);
    const note = textValue(NAME, 'note', values.note, MOST_NOTE);
    const reference = onlyValue(NAME, 'reference', values.reference);
    const referenceId = reference === null ? null : idOf('reference', reference);
    const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
    const transactionId = await orFail(() =>
      withDatabase(io, 'engine', (db) =>
        atomically(db, caller, (trx) =>
          postAdjustment(trx, {
            balanceId,
            category,
            amount,
            currency,
            reason,
            note,
            referenceId,
            externalId: newId(trx),
          }),
        ),
      ),
    );
    const money = formatMoney({ minorUnits: amount, currency });
    io.out(
      io.json
        ? JSON.stringify({ transactionId, balanceId, category, amount, currency, reason })
        : `${reason} ${category} of ${money} is booked: transaction ${transactionId}`,
    );
    return exitCode.ok;
  },
};

function idOf(name: string, text: string): string {
  const id = text.toLowerCase();
  if (!isUuid(id)) throw wrongUsage(`cardloom ${NAME}: --${name} must be a UUID`);
  return id;
}
