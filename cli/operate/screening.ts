import { readFileSync, statSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { atomically, type Trx } from '../../db/atomically.ts';
import { decideHit, listHits, type ScreeningHit } from '../../db/screening-hits.ts';
import { type LoadedList, replaceScreeningList, screeningLists } from '../../db/screening-lists.ts';
import { isUuid } from '../../domain/ids.ts';
import { readScreeningList } from '../../domain/screening-list.ts';
import { type HitDecision, SCREENING_LISTS, type ScreeningList } from '../../domain/screening.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';
import { failOnRefusal } from './refusal.ts';
import { tableLines } from './table.ts';

const NAME = 'screening';
const MOST_SHOWN = 200;
const NOTE_CHARACTERS = 500;
const MOST_BYTES = 100_000_000;

/** `cardloom screening`: lists of sanctions and exposed persons, and the hits on them (onboarding 6.7). */
export const screeningCommand: Command = {
  name: NAME,
  usage: [
    `hits [--state OPEN|FALSE_POSITIVE|CONFIRMED] [--list ${SCREENING_LISTS.join('|')}] [--user ID]`,
    'decide HIT_ID --as FALSE_POSITIVE|CONFIRMED --note TEXT [--operator NAME]',
    'lists',
    `load FILE --list ${SCREENING_LISTS.join('|')} [--operator NAME]`,
  ].join('\n       cardloom screening '),
  summary: 'list and decide screening hits, load screening lists',
  async run([action, ...rest], io) {
    switch (action) {
      case 'hits':
        return await hits(rest, io);
      case 'decide':
        return await decide(rest, io);
      case 'lists':
        return await lists(rest, io);
      case 'load':
        return await load(rest, io);
      default:
        throw wrongUsage(`cardloom ${NAME}: say hits, decide, lists or load`);
    }
  },
};

const read = <T>(io: CommandIo, work: (trx: Trx) => Promise<T>): Promise<T> =>
  withDatabase(io, 'engine', (db) => atomically(db, commandCaller(null), work));

async function hits(args: readonly string[], io: CommandIo): Promise<number> {
  const { given, values } = readOptions(NAME, args, ['state', 'list', 'user']);
  if (given.length > 0) throw wrongUsage(`cardloom ${NAME}: unknown argument ${given[0]}`);
  const user = onlyValue(NAME, 'user', values.user);
  const filter = {
    state: wordOf('state', ['OPEN', 'FALSE_POSITIVE', 'CONFIRMED'], onlyValue(NAME, 'state', values.state)),
    list: wordOf('list', SCREENING_LISTS, onlyValue(NAME, 'list', values.list)),
    ...(user === null ? {} : { subjectType: 'CUSTOMER' as const, subjectId: user }),
  };
  const found = await read(io, (trx) => listHits(trx, filter, { limit: MOST_SHOWN, beforeId: null }));
  if (io.json) io.out(JSON.stringify({ items: found.map(shownHit) }));
  else if (found.length === 0) io.out('no screening hit');
  else {
    const head = ['hit', 'subject', 'list', 'entry', 'score', 'state', 'since'];
    for (const line of tableLines(head, found.map(cellsOf))) io.out(line);
  }
  return exitCode.ok;
}

const cellsOf = (hit: ScreeningHit): string[] => [
  hit.hitId,
  `${hit.subject.type} ${hit.subject.ref}`,
  hit.list,
  hit.entryId,
  hit.score.toFixed(3),
  hit.state,
  hit.createdAt.toISOString(),
];

const shownHit = (hit: ScreeningHit) => ({
  hitId: hit.hitId,
  subjectType: hit.subject.type,
  subjectId: hit.subject.ref,
  list: hit.list,
  entryId: hit.entryId,
  entryNames: hit.entryNames,
  score: hit.score,
  state: hit.state,
  note: hit.note,
  decidedBy: hit.decidedBy,
  createdAt: hit.createdAt.toISOString(),
});

async function decide(args: readonly string[], io: CommandIo): Promise<number> {
  const { given, values } = readOptions(NAME, args, ['as', 'note', 'operator']);
  const [id, ...more] = given;
  const hitId = id?.toLowerCase() ?? '';
  if (!isUuid(hitId) || more.length > 0) throw wrongUsage(`cardloom ${NAME}: name one hit`);
  const decision = wordOf<HitDecision>(
    'as',
    ['FALSE_POSITIVE', 'CONFIRMED'],
    onlyValue(NAME, 'as', values.as),
  );
  const note = onlyValue(NAME, 'note', values.note)?.trim() ?? '';
  if (decision === undefined) throw wrongUsage(`cardloom ${NAME}: --as says what the hit is`);
  if (note === '' || note.length > NOTE_CHARACTERS) {
    throw wrongUsage(`cardloom ${NAME}: --note must have 1 to ${NOTE_CHARACTERS} characters`);
  }
  const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
  const operatorId = `cli:${caller.actor.id}`;
  const decided = await withDatabase(io, 'engine', (db) =>
    atomically(db, caller, (trx) => decideHit(trx, { hitId, decision, note, operatorId })),
  ).catch(failOnRefusal);
  io.out(io.json ? JSON.stringify(shownHit(decided)) : `hit ${hitId} is ${decided.state}`);
  return exitCode.ok;
}

async function lists(args: readonly string[], io: CommandIo): Promise<number> {
  if (args.length > 0) throw wrongUsage(`cardloom ${NAME}: unknown argument ${args[0]}`);
  const loaded = await read(io, screeningLists);
  if (io.json) io.out(JSON.stringify({ items: loaded.map(shownList) }));
  else if (loaded.length === 0) io.out('no screening list was loaded');
  else {
    const head = ['list', 'version', 'entries', 'loaded by', 'at'];
    const rows = loaded.map((one) => [
      one.list,
      one.listVersionId,
      String(one.entries),
      one.loadedBy,
      one.loadedAt.toISOString(),
    ]);
    for (const line of tableLines(head, rows)) io.out(line);
  }
  return exitCode.ok;
}

const shownList = (one: LoadedList) => ({ ...one, loadedAt: one.loadedAt.toISOString() });

async function load(args: readonly string[], io: CommandIo): Promise<number> {
  const { given, values } = readOptions(NAME, args, ['list', 'operator']);
  const [file, ...more] = given;
  if (file === undefined || more.length > 0) throw wrongUsage(`cardloom ${NAME}: name one file`);
  const list = wordOf<ScreeningList>('list', SCREENING_LISTS, onlyValue(NAME, 'list', values.list));
  if (list === undefined) throw wrongUsage(`cardloom ${NAME}: --list says which list it is`);
  const { entries, faults } = readScreeningList(recordsOf(file));
  if (faults.length > 0) {
    for (const { line, fault } of faults) io.err(`line ${line}: ${fault}`);
    throw new CommandFailed(exitCode.failed, 'the file was not loaded: the list stays as it was');
  }
  const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
  const loaded = await withDatabase(io, 'engine', (db) =>
    atomically(db, caller, (trx) => replaceScreeningList(trx, list, entries)),
  );
  io.out(
    io.json
      ? JSON.stringify(shownList(loaded))
      : `list ${list} has ${loaded.entries} entries; everybody is compared with it now`,
  );
  return exitCode.ok;
}

function recordsOf(file: string): string[][] {
  try {
    if (statSync(file).size > MOST_BYTES) throw new Error('too long');
    return parse(readFileSync(file, 'utf8'), { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch {
    throw new CommandFailed(exitCode.failed, `${file} is not a CSV file of 100 MB at most`);
  }
}

function wordOf<const W extends string>(
  name: string,
  words: readonly W[],
  value: string | null,
): W | undefined {
  if (value === null) return undefined;
  const found = words.find((one) => one === value.toUpperCase());
  if (found === undefined) throw wrongUsage(`cardloom ${NAME}: --${name} must be one of ${words.join(', ')}`);
  return found;
}
