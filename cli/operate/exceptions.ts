import { atomically, type Trx } from '../../db/atomically.ts';
import { assignException, claimException, resolveException } from '../../db/exception-queue.ts';
import type { Resolve } from '../../db/exception-resolutions.ts';
import { type ExceptionRow, listExceptions } from '../../db/exceptions.ts';
import { Refusal } from '../../domain/errors.ts';
import { RESOLUTIONS, resolutionsOf } from '../../domain/exception-resolution.ts';
import { isUuid } from '../../domain/ids.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';
import { tableLines } from './table.ts';

const NAME = 'exceptions';
const MOST_SHOWN = 200;
const NOTE_CHARACTERS = 500;
const STATES = ['OPEN', 'IN_REVIEW', 'RESOLVED'] as const;
const SEVERITIES = ['INFO', 'WARN', 'CRITICAL'] as const;

/** `cardloom exceptions`: what waits for a person, and what is done about it (authorization 13). */
export const exceptionsCommand: Command = {
  name: NAME,
  usage: [
    '[--kind KIND] [--state STATE] [--severity SEVERITY] [--transaction ID]',
    'claim ID [--operator NAME]',
    'assign ID --to NAME [--operator NAME]',
    `resolve ID --resolution ${RESOLUTIONS.join('|')} --note TEXT [--amount MINOR_UNITS] [--transaction ID] [--card ID] [--second NAME] [--operator NAME]`,
  ].join('\n       cardloom exceptions '),
  summary: 'list exceptions, take one, hand it on, resolve it',
  async run(args, io) {
    const [action, ...rest] = args;
    switch (action) {
      case 'claim':
      case 'assign':
      case 'resolve':
        return await work(action, rest, io);
      default:
        return await list(args, io);
    }
  },
};

async function list(args: readonly string[], io: CommandIo): Promise<number> {
  const { given, values } = readOptions(NAME, args, ['kind', 'state', 'severity', 'transaction']);
  if (given.length > 0) throw wrongUsage(`cardloom ${NAME}: unknown argument ${given[0]}`);
  const filter = {
    kind: onlyValue(NAME, 'kind', values.kind)?.toUpperCase(),
    state: oneOf('state', STATES, onlyValue(NAME, 'state', values.state)),
    severity: oneOf('severity', SEVERITIES, onlyValue(NAME, 'severity', values.severity)),
    transactionId: uuidOf(onlyValue(NAME, 'transaction', values.transaction)) ?? undefined,
    limit: MOST_SHOWN,
  };
  const found = await withDatabase(io, 'engine', (db) => listExceptions(db, filter));
  if (io.json) io.out(JSON.stringify({ items: found.map(shown) }));
  else if (found.length === 0) io.out('no exception');
  else for (const line of tableLines(HEAD, found.map(cells))) io.out(line);
  return exitCode.ok;
}

const HEAD = [
  'exception',
  'kind',
  'severity',
  'state',
  'assignee',
  'transaction',
  'since',
  'values',
  'resolved by',
];

const cells = (row: ExceptionRow): string[] => [
  row.exception_id,
  row.kind,
  row.severity,
  row.state,
  row.assignee ?? '-',
  row.transaction_id ?? '-',
  row.created_at.toISOString(),
  Object.entries(row.values)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ') || '-',
  row.resolution ?? resolutionsOf(row.kind).join('|'),
];

const shown = (row: ExceptionRow) => ({
  id: row.exception_id,
  kind: row.kind,
  severity: row.severity,
  state: row.state,
  assignee: row.assignee,
  transactionId: row.transaction_id,
  recordId: row.record_id,
  values: row.values,
  createdAt: row.created_at.toISOString(),
  resolution: row.resolution,
  note: row.note,
  resolvedBy: row.resolved_by,
  resolvedAt: row.resolved_at?.toISOString() ?? null,
  resolvingTransactionId: row.resolving_transaction_id,
});

async function work(
  action: 'claim' | 'assign' | 'resolve',
  args: readonly string[],
  io: CommandIo,
): Promise<number> {
  const { given, values } = readOptions(NAME, args, [
    'to',
    'resolution',
    'note',
    'amount',
    'transaction',
    'card',
    'second',
    'operator',
  ]);
  const [id, ...more] = given;
  const exceptionId = uuidOf(id ?? null);
  if (exceptionId === null || more.length > 0) throw wrongUsage(`cardloom ${NAME}: name one exception`);
  const option = (name: keyof typeof values) => onlyValue(NAME, name, values[name]);
  const caller = commandCaller(option('operator'));
  const operatorId = caller.actor.id;
  const write = <T>(effect: (trx: Trx) => Promise<T>): Promise<T> =>
    withDatabase(io, 'engine', (db) => atomically(db, caller, effect)).catch(toFailure);

  switch (action) {
    case 'claim':
      await write((trx) => claimException(trx, exceptionId, operatorId));
      return said(io, { id: exceptionId, state: 'IN_REVIEW', assignee: operatorId });
    case 'assign': {
      const to = option('to');
      if (to === null) throw wrongUsage(`cardloom ${NAME}: --to names who gets it`);
      await write((trx) => assignException(trx, exceptionId, to));
      return said(io, { id: exceptionId, state: 'IN_REVIEW', assignee: to });
    }
    case 'resolve': {
      const resolve = readResolve(option, operatorId);
      const { transactionId } = await write((trx) => resolveException(trx, exceptionId, resolve));
      return said(io, { id: exceptionId, state: 'RESOLVED', resolution: resolve.resolution, transactionId });
    }
  }
}

function readResolve(
  option: (name: 'resolution' | 'note' | 'amount' | 'transaction' | 'card' | 'second') => string | null,
  operatorId: string,
): Resolve {
  const resolution = oneOf('resolution', RESOLUTIONS, option('resolution'));
  const note = option('note')?.trim() ?? '';
  if (resolution === undefined) throw wrongUsage(`cardloom ${NAME}: --resolution says how`);
  if (note.length < 1 || note.length > NOTE_CHARACTERS) {
    throw wrongUsage(`cardloom ${NAME}: --note must have 1 to ${NOTE_CHARACTERS} characters`);
  }
  const amount = option('amount');
  if (amount !== null && !/^[1-9][0-9]{0,14}$/.test(amount)) {
    throw wrongUsage(`cardloom ${NAME}: --amount must be a whole number of minor units`);
  }
  const card = option('card');
  if (card !== null && !/^[1-9][0-9]{0,14}$/.test(card)) {
    throw wrongUsage(`cardloom ${NAME}: --card must be the number of a card`);
  }
  return {
    resolution,
    operatorId,
    cardId: card === null ? null : Number(card),
    secondOperatorId: option('second'),
    note,
    transactionId: uuidOf(option('transaction')),
    amount: amount === null ? null : Number(amount),
  };
}

function said(
  io: CommandIo,
  result: { readonly id: string; readonly state: string; readonly [more: string]: unknown },
): number {
  io.out(io.json ? JSON.stringify(result) : `exception ${result.id} is ${result.state}`);
  return exitCode.ok;
}

function toFailure(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  const fields = (error.options.fields ?? []).map((one) => ` ${one.field} ${one.message}.`).join('');
  throw new CommandFailed(exitCode.failed, `${error.code}: ${error.detail}${fields}`);
}

function oneOf<const W extends string>(
  name: string,
  words: readonly W[],
  value: string | null,
): W | undefined {
  if (value === null) return undefined;
  const found = words.find((one) => one === value.toUpperCase());
  if (found === undefined) throw wrongUsage(`cardloom ${NAME}: --${name} must be one of ${words.join(', ')}`);
  return found;
}

function uuidOf(value: string | null): string | null {
  if (value === null) return null;
  const id = value.toLowerCase();
  if (!isUuid(id)) throw wrongUsage(`cardloom ${NAME}: an id must be a UUID`);
  return id;
}
