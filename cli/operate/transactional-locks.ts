import { atomically, type Trx } from '../../db/atomically.ts';
import { holdCorporation } from '../../db/corporations.ts';
import { lockCustomer } from '../../db/customers.ts';
import { liftLockAsOperator, type Lockable, requestLock } from '../../db/lock-requests.ts';
import { locksOf, type TransactionalLock } from '../../db/transactional-locks.ts';
import { isUuid } from '../../domain/ids.ts';
import type { Command, CommandIo } from '../command.ts';
import { exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';
import { failOnRefusal } from './refusal.ts';
import { tableLines } from './table.ts';

const NAME = 'transactional-locks';
const NOTE_CHARACTERS = 500;

/** `cardloom transactional-locks`: reasons for which a user or corporation may not transact (onboarding 7). */
export const transactionalLocksCommand: Command = {
  name: NAME,
  usage: [
    'USER_ID|CORPORATION_ID',
    'USER_ID|CORPORATION_ID add REASON [--note TEXT] [--until TIME] [--operator NAME]',
    'USER_ID|CORPORATION_ID lift REASON [--note TEXT] [--operator NAME]',
  ].join('\n       cardloom transactional-locks '),
  summary: 'list, add and lift the transactional locks of a user or corporation',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, ['note', 'until', 'operator']);
    const [id = '', action = 'list', reason = '', ...more] = given;
    const option = (name: keyof typeof values) => onlyValue(NAME, name, values[name]);
    if (more.length > 0 || (action === 'list') !== (reason === ''))
      throw wrongUsage(`cardloom ${NAME}: see --help`);
    const hold = holderOf(id);
    const note = option('note');
    if (note !== null && (note.trim() === '' || note.length > NOTE_CHARACTERS)) {
      throw wrongUsage(`cardloom ${NAME}: --note must have 1 to ${NOTE_CHARACTERS} characters`);
    }
    const until = timeOf(option('until'));
    const change = changeOf(action, { reason, note, until });
    const locks = await withDatabase(io, 'engine', (db) =>
      atomically(db, commandCaller(option('operator')), async (trx) => {
        const lockable = await hold(trx);
        await change(trx, lockable);
        return await locksOf(trx, lockable);
      }),
    ).catch(failOnRefusal);
    return show(io, locks);
  },
};

type Change = (trx: Trx, lockable: Lockable) => Promise<unknown>;

function changeOf(
  action: string,
  asked: { readonly reason: string; readonly note: string | null; readonly until: Date | null },
): Change {
  switch (action) {
    case 'list':
      return async () => undefined;
    case 'add':
      return (trx, lockable) => requestLock(trx, lockable, { ...asked, origin: 'OPERATOR' });
    case 'lift':
      return (trx, lockable) => liftLockAsOperator(trx, lockable, asked.reason, asked.note);
    default:
      throw wrongUsage(`cardloom ${NAME}: say add or lift`);
  }
}

function holderOf(id: string): (trx: Trx) => Promise<Lockable> {
  if (/^[1-9][0-9]{0,14}$/.test(id)) return (trx) => lockCustomer(trx, 'every', Number(id));
  if (isUuid(id.toLowerCase())) return (trx) => holdCorporation(trx, 'every', id.toLowerCase());
  throw wrongUsage(`cardloom ${NAME}: name a user by number or a corporation by UUID`);
}

function timeOf(text: string | null): Date | null {
  if (text === null) return null;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw wrongUsage(`cardloom ${NAME}: --until must be a date and time`);
  return time;
}

function show(io: CommandIo, locks: readonly TransactionalLock[]): number {
  if (io.json) {
    io.out(
      JSON.stringify({
        items: locks.map((one) => ({
          lockReason: one.reason,
          origin: one.origin,
          note: one.note,
          until: one.until?.toISOString() ?? null,
          addedAt: one.addedAt.toISOString(),
        })),
      }),
    );
    return exitCode.ok;
  }
  if (locks.length === 0) io.out('no transactional lock');
  else {
    const rows = locks.map((one) => [
      one.reason,
      one.origin,
      one.addedAt.toISOString(),
      one.until?.toISOString() ?? '-',
      one.note ?? '-',
    ]);
    for (const line of tableLines(['reason', 'origin', 'since', 'until', 'note'], rows)) io.out(line);
  }
  return exitCode.ok;
}
