import { atomically } from '../../db/atomically.ts';
import { claimVerification, releaseVerification } from '../../db/verification-reviews.ts';
import { type Verification, verificationsInReview } from '../../db/verifications.ts';
import { isUuid } from '../../domain/ids.ts';
import type { Command, CommandIo } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';
import { failOnRefusal } from './refusal.ts';
import { tableLines } from './table.ts';

const NAME = 'verifications';
const MOST_SHOWN = 200;

/** `cardloom verifications`: the cases that wait for a person, oldest first, without personal data. */
export const verificationsCommand: Command = {
  name: NAME,
  usage: '\n       cardloom verifications claim|release VERIFICATION_ID [--operator NAME]',
  summary: 'list the verifications that wait for a decision by a person, take one, give it back',
  async run(args, io) {
    const [action, ...rest] = args;
    if (action === 'claim' || action === 'release') return await claimOrRelease(action, rest, io);
    if (action !== undefined) throw wrongUsage(`cardloom verifications: unknown argument ${action}`);
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

async function claimOrRelease(
  action: 'claim' | 'release',
  args: readonly string[],
  io: CommandIo,
): Promise<number> {
  const { given, values } = readOptions(NAME, args, ['operator']);
  const [id, ...more] = given;
  const verificationId = id?.toLowerCase() ?? '';
  if (!isUuid(verificationId) || more.length > 0) throw wrongUsage(`cardloom ${NAME}: name one case`);
  const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
  const operatorId = `cli:${caller.actor.id}`;
  const change = action === 'claim' ? claimVerification : releaseVerification;
  await withDatabase(io, 'engine', (db) =>
    atomically(db, caller, (trx) => change(trx, 'every', verificationId, operatorId)),
  ).catch(failOnRefusal);
  const claimedBy = action === 'claim' ? operatorId : null;
  io.out(
    io.json
      ? JSON.stringify({ verificationId, claimedBy })
      : `verification ${verificationId} is ${action === 'claim' ? `claimed by ${operatorId}` : 'free'}`,
  );
  return exitCode.ok;
}

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
