import { balanceSummary, type CurrencySummary } from '../../db/balance-summary.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Command } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
import { withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';
import { requireProgramme } from './programme.ts';
import { tableLines } from './table.ts';

/** `cardloom balance-summary`: users' and partners' money by currency (money 2). */
export const balanceSummaryCommand: Command = {
  name: 'balance-summary',
  usage: '[--programme ISSUER_CODE]',
  summary: 'show the money of users and partners by currency',
  async run(args, io) {
    const { given, values } = readOptions('balance-summary', args, ['programme']);
    if (given.length > 0) throw wrongUsage(`cardloom balance-summary: cannot read ${given[0]}`);
    const issuerCode = onlyValue('balance-summary', 'programme', values.programme);
    const items = await withDatabase(io, 'engine', async (db) =>
      balanceSummary(db, issuerCode === null ? null : [await requireProgramme(db, issuerCode)]),
    );
    if (io.json) {
      io.out(JSON.stringify({ items, nextCursor: null }));
      return exitCode.ok;
    }
    const head = ['currency', 'users', 'credit', 'deposit', 'company', 'IBAN technical', 'wallet'];
    for (const line of tableLines(head, items.map(rowOf))) io.out(line);
    return exitCode.ok;
  },
};

function rowOf(one: CurrencySummary): string[] {
  const amounts = [one.users, one.credit, one.deposit, one.company, one.ibanTechnical, one.wallet];
  const { currency } = one;
  return [currency, ...amounts.map((minorUnits) => formatMoney({ minorUnits, currency }))];
}
