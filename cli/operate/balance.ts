import { atomically } from '../../db/atomically.ts';
import { blockBalance, unblockBalance } from '../../db/balance-states.ts';
import { Refusal } from '../../domain/errors.ts';
import type { Command } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LONGEST_REASON = 255;

const actions = { block: blockBalance, unblock: unblockBalance } as const;

/** `cardloom balance block|unblock`: debits of a balance are refused, or allowed again (money 1). */
export const balanceCommand: Command = {
  name: 'balance',
  usage: 'block|unblock BALANCE_ID --reason TEXT [--operator NAME]',
  summary: 'block a balance, or lift its block',
  async run(args, io) {
    const { given, values } = readOptions('balance', args, ['reason', 'operator']);
    const [action, id, ...more] = given;
    if ((action !== 'block' && action !== 'unblock') || more.length > 0) {
      throw wrongUsage('cardloom balance: say block or unblock, and one balance');
    }
    const balanceId = id?.toLowerCase() ?? '';
    if (!UUID.test(balanceId)) throw wrongUsage('cardloom balance: BALANCE_ID must be a UUID (version 4)');
    const reason = onlyValue('balance', 'reason', values.reason)?.trim() ?? '';
    if (reason === '' || reason.length > LONGEST_REASON) {
      throw wrongUsage(`cardloom balance: --reason must have 1 to ${LONGEST_REASON} characters`);
    }
    const caller = commandCaller(onlyValue('balance', 'operator', values.operator));
    try {
      await withDatabase(io, 'engine', (db) =>
        atomically(db, caller, (trx) => actions[action](trx, { balanceId }, reason)),
      );
    } catch (error) {
      if (error instanceof Refusal) throw new CommandFailed(exitCode.failed, error.detail);
      throw error;
    }
    const state = action === 'block' ? 'BLOCKED' : 'ACTIVE';
    io.out(io.json ? JSON.stringify({ balanceId, state }) : `balance ${balanceId} is ${state}`);
    return exitCode.ok;
  },
};
