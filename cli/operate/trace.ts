import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { type DecisionTrace, readTrace } from '../../db/transactions.ts';
import { isUuid } from '../../domain/ids.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { connectOperator } from './connection.ts';
import { tableLines } from './table.ts';

/** `cardloom trace`: why each message of a transaction was decided as it was (authorization 15). */
export const traceCommand: Command = {
  name: 'trace',
  usage: 'TRANSACTION_ID',
  summary: 'show why a transaction was approved or declined, check by check',
  async run(args, io) {
    const [transactionId, ...more] = args;
    if (transactionId === undefined || more.length > 0)
      throw wrongUsage('cardloom trace: name one transaction');
    if (!isUuid(transactionId.toLowerCase())) throw wrongUsage('cardloom trace: the id must be a UUID');
    const reader = openTraceReader(io);
    const items = await reader.read(transactionId.toLowerCase()).finally(() => reader.close());
    if (items.length === 0) throw new CommandFailed(exitCode.failed, 'there is no such decision');
    if (io.json) io.out(JSON.stringify({ items, nextCursor: null }));
    else for (const line of items.flatMap(linesOf)) io.out(line);
    return exitCode.ok;
  },
};

/** Reads decision traces over a connection of its own; none for an unknown transaction. */
export function openTraceReader(io: CommandIo): {
  read(transactionId: string): Promise<readonly DecisionTrace[]>;
  close(): Promise<void>;
} {
  let db: Kysely<Database> | null = null;
  return {
    read: async (transactionId) => await readTrace((db ??= connectOperator(io, 'engine')), transactionId),
    close: async () => await db?.destroy(),
  };
}

function linesOf(trace: DecisionTrace): string[] {
  const { kind, result, description, reason, decidedBy, lane, flags, steps } = trace;
  const why = [...new Set([result, description, reason])].filter((one) => one !== null);
  const by = decidedBy === null ? [] : [`decided by ${decidedBy}`];
  const how =
    lane === null ? [] : [`lane ${lane.lane}, batch of ${lane.batchSize}, waited ${lane.queueMs} ms`];
  const rows = steps.map((one) => [
    String(one.no),
    one.check,
    one.outcome,
    one.reason ?? '',
    Object.keys(one.detail).length === 0 ? '' : JSON.stringify(one.detail),
  ]);
  return [
    `${kind} ${[...why, ...by].join(', ')}, ${trace.at.toISOString()}`,
    ...(rows.length === 0 ? [] : tableLines(['no', 'check', 'outcome', 'reason', 'values'], rows)),
    ...how,
    ...(flags.length === 0 ? [] : [`flags ${flags.join(', ')}`]),
  ];
}
