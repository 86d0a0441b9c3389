import { atomically } from '../../db/atomically.ts';
import { type Verification, verificationsInReview } from '../../db/verifications.ts';
import type { Command } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { tableLines } from './table.ts';

const MOST_SHOWN = 200;

/** `cardloom verifications`: the cases that wait for a person, oldest first, without personal data. */
export const verificationsCommand: Command = {
  name: 'verifications',
  usage: '',
  summary: 'list the verifications that wait for a decision by a person',
  async run(args, io) {
    if (args.length > 0) throw wrongUsage(`cardloom verifications: unknown argument ${args[0]}`);
    const waiting = await withDatabase(io, 'engine', (db) =>
      atomically(db, commandCaller(null), (trx) => verificationsInReview(trx, MOST_SHOWN)),
    );
    if (io.json) {
      io.out(JSON.stringify({ items: waiting.map(shown) }));
      return exitCode.ok;
    }
    if (waiting.length === 0) {
      io.out('no verification waits for a person');
      return exitCode.ok;
    }
    const head = ['verification', 'user', 'since', 'mode', 'provider', 'risk', 'pep', 'flags'];
    const rows = waiting
      .map(shown)
      .map((one) => [
        one.verificationId,
        String(one.userId),
        one.createdAt,
        one.mode,
        one.providerOutcome ?? '-',
        one.riskLvl,
        one.pep ? 'yes' : 'no',
        one.flags.join(',') || '-',
      ]);
    for (const line of tableLines(head, rows)) io.out(line);
    io.out('decide one: npx cardloom decide-verification VERIFICATION_ID --accept | --reject REASON');
    return exitCode.ok;
  },
};

const shown = (verification: Verification) => ({
  verificationId: verification.verificationId,
  userId: verification.customerId,
  createdAt: verification.createdAt.toISOString(),
  mode: verification.mode,
  providerOutcome: verification.providerOutcome,
  riskLvl: verification.riskLevel,
  pep: verification.pep,
  flags: verification.flags,
});
