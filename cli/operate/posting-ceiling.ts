import { atomically } from '../../db/atomically.ts';
import { setPostingCeiling } from '../../db/posting-ceilings.ts';
import { formatMoney } from '../../domain/money.ts';
import { INTERNAL_POSTINGS, type InternalType } from '../../domain/transaction-type.ts';
import type { Command } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { amountValue, currencyValue, neededValue, orFail, refuseGiven, wordValue } from './money-options.ts';
import { onlyValue, readOptions } from './options.ts';

const NAME = 'posting-ceiling';
const TYPES = Object.keys(INTERNAL_POSTINGS) as InternalType[];

/** `cardloom posting-ceiling`: the most that one posting of a type may move in a programme (money 4.5). */
export const postingCeilingCommand: Command = {
  name: NAME,
  usage: `--programme ISSUER_CODE --type ${TYPES.join('|')} --currency EUR --amount 12.34|none [--operator NAME]`,
  summary: 'set the most that one posting of a type may move in a programme, or take the ceiling away',
  async run(args, io) {
    const names = ['programme', 'type', 'currency', 'amount', 'operator'] as const;
    const { given, values } = readOptions(NAME, args, names);
    refuseGiven(NAME, given);
    const issuerCode = neededValue(NAME, 'programme', values.programme);
    const type = wordValue(NAME, 'type', values.type, TYPES);
    const currency = currencyValue(NAME, values.currency);
    const none = neededValue(NAME, 'amount', values.amount) === 'none';
    const amount = none ? null : amountValue(NAME, values.amount, currency);
    const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
    await orFail(() =>
      withDatabase(io, 'engine', (db) =>
        atomically(db, caller, (trx) => setPostingCeiling(trx, issuerCode, { type, currency, amount })),
      ),
    );
    const ceiling =
      amount === null ? 'no ceiling' : `at most ${formatMoney({ minorUnits: amount, currency })}`;
    io.out(
      io.json
        ? JSON.stringify({ programme: issuerCode, type, currency, amount })
        : `programme ${issuerCode}: ${ceiling} in one ${type} in ${currency}`,
    );
    return exitCode.ok;
  },
};
