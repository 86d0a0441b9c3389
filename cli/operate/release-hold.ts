import { randomUUID } from 'node:crypto';
import { assertNever } from '../../domain/errors.ts';
import type { HoldRelease, HoldReleaseResult } from '../../domain/hold-release.ts';
import { isUuid } from '../../domain/ids.ts';
import { isTemporalAway, releaseHold } from '../../temporal/workflows.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';
import { withTemporal } from './temporal.ts';

const NAME = 'release-hold';
const REASON_CHARACTERS = 255;

/** `cardloom release-hold`: gives a hold back before its time, all of it or a part (money 5). */
export const releaseHoldCommand: Command = {
  name: NAME,
  usage: 'TRANSACTION_ID --reason TEXT [--amount MINOR_UNITS] [--operator NAME]',
  summary: 'release a hold by hand, fully or in part',
  async run(args, io) {
    const release = readRelease(args);
    const result = await withTemporal(io, (client) => releaseHold({ client }, release)).catch(
      (error: unknown) => {
        if (isTemporalAway(error))
          throw new CommandFailed(exitCode.busy, 'Temporal does not answer: try again');
        throw error;
      },
    );
    return report(io, release.transactionId, result);
  },
};

function readRelease(args: readonly string[]): HoldRelease {
  const { given, values } = readOptions(NAME, args, ['reason', 'amount', 'operator']);
  const [transactionId, ...more] = given.map((one) => one.toLowerCase());
  if (transactionId === undefined || more.length > 0)
    throw wrongUsage(`cardloom ${NAME}: name one transaction`);
  if (!isUuid(transactionId)) throw wrongUsage(`cardloom ${NAME}: the id must be a UUID`);
  const reason = onlyValue(NAME, 'reason', values.reason)?.trim() ?? '';
  if (reason.length < 1 || reason.length > REASON_CHARACTERS) {
    throw wrongUsage(`cardloom ${NAME}: --reason must have 1 to ${REASON_CHARACTERS} characters`);
  }
  const amount = onlyValue(NAME, 'amount', values.amount);
  if (amount !== null && !/^[1-9][0-9]{0,14}$/.test(amount)) {
    throw wrongUsage(`cardloom ${NAME}: --amount must be a whole number of minor units`);
  }
  return {
    transactionId,
    amount: amount === null ? null : Number(amount),
    reason,
    operatorId: `cli:${commandCaller(onlyValue(NAME, 'operator', values.operator)).actor.id}`,
    requestId: randomUUID(),
  };
}

function report(io: CommandIo, transactionId: string, said: HoldReleaseResult | null): number {
  if (said === null) {
    throw new CommandFailed(
      exitCode.busy,
      'no worker answered in time: the release may still take effect. Look at the transaction before you repeat it',
    );
  }
  switch (said.result) {
    case 'RELEASED':
      io.out(
        io.json
          ? JSON.stringify({ transactionId, ...said })
          : `released ${said.amount} of transaction ${transactionId}, now ${said.state}`,
      );
      return exitCode.ok;
    case 'NOTHING_HELD':
      throw new CommandFailed(exitCode.failed, 'STATE_CONFLICT: nothing is held by this transaction');
    case 'NO_TRANSACTION':
      throw new CommandFailed(exitCode.failed, 'TRANSACTION_NOT_FOUND: there is no such card transaction');
    default:
      return assertNever(said);
  }
}
