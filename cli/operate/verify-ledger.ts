import { verifyLedger } from '../../db/verify-ledger.ts';
import type { Command } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
import { withDatabase } from './connection.ts';
import { tableLines } from './table.ts';

/** `cardloom verify-ledger`: proves the ledger from its rows; exit code 1 with the evidence on a difference. */
export const verifyLedgerCommand: Command = {
  name: 'verify-ledger',
  usage: '',
  summary: 'prove from the rows that every balance, hold and transfer agrees',
  async run(args, io) {
    if (args.length > 0) throw wrongUsage(`cardloom verify-ledger: unknown argument ${args[0]}`);
    const verdict = await withDatabase(io, 'engine', (db) => verifyLedger(db));
    if (io.json) io.out(JSON.stringify(verdict));
    else if (verdict.ok) io.out('the ledger is whole: no difference');
    else {
      const rows = verdict.differences.map((one) => [one.invariant, one.subject, one.expected, one.found]);
      for (const line of tableLines(['rule', 'subject', 'expected', 'found'], rows)) io.out(line);
    }
    return verdict.ok ? exitCode.ok : exitCode.failed;
  },
};
