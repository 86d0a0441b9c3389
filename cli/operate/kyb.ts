import { randomUUID } from 'node:crypto';
import { atomically, type Trx } from '../../db/atomically.ts';
import {
  type KybApplication,
  listKybApplications,
  lockKybApplication,
  readKybApplication,
} from '../../db/kyb-applications.ts';
import { addKybComment, claimKyb, refuseKybCommand, releaseKyb } from '../../db/kyb-reviews.ts';
import { isUuid } from '../../domain/ids.ts';
import { KYB_SECTIONS, KYB_STATUSES, type KybCommand, SECTION_STATES } from '../../domain/kyb-application.ts';
import { commandKyb, type KybAnswer } from '../../temporal/kyb.ts';
import { isTemporalAway } from '../../temporal/workflows.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { orFail, refuseGiven, textValue, wordValue } from './money-options.ts';
import { onlyValue, readOptions, type ReadOptions } from './options.ts';
import { tableLines } from './table.ts';
import { withTemporal } from './temporal.ts';
import { openOperatorVault } from './vault.ts';

const NAME = 'kyb';
const MOST_SHOWN = 200;
const MOST_TEXT = 1000;
const MOST_COMMENT = 2000;

const OPTIONS = [
  'status',
  'q',
  'section',
  'result',
  'comment',
  'text',
  'reason',
  'note',
  'operator',
] as const;
type Values = ReadOptions<(typeof OPTIONS)[number]>['values'];

/** `cardloom kyb`: the applications of companies, and what reviewers do to them (onboarding 8.4). */
export const kybCommand: Command = {
  name: NAME,
  usage: [
    `[--status ${KYB_STATUSES.join('|')}] [--q ID_TAX_ID_OR_NAME]`,
    'claim | release ID [--operator NAME]',
    `review ID --section ${KYB_SECTIONS.join('|')} --result ${SECTION_STATES.join('|')} [--comment TEXT]`,
    'comment ID --text TEXT [--section SECTION]',
    'request-correction | resume ID',
    'hold | reject ID --reason TEXT',
    'accept ID [--note TEXT]',
  ].join('\n       cardloom kyb '),
  summary: 'list the applications of companies, review them, accept or reject them',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, OPTIONS);
    const [verb, id, ...more] = given;
    if (verb === undefined) return await list(io, values);
    refuseGiven(NAME, more);
    const applicationId = (id ?? '').toLowerCase();
    if (!isUuid(applicationId)) throw wrongUsage(`cardloom ${NAME}: name one application by its id`);
    switch (verb) {
      case 'claim':
      case 'release':
      case 'comment':
        return await write(io, applicationId, verb, values);
      default:
        return await command(io, applicationId, readCommand(verb, values));
    }
  },
};

async function list(io: CommandIo, values: Values): Promise<number> {
  const status =
    values.status.length === 0 ? undefined : wordValue(NAME, 'status', values.status, KYB_STATUSES);
  const q = onlyValue(NAME, 'q', values.q) ?? undefined;
  const filter = { scope: 'every', status, q, limit: MOST_SHOWN, beforeId: null } as const;
  const found = await withDatabase(io, 'engine', (db) =>
    atomically(db, commandCaller(null), (trx) => listKybApplications(trx, filter)),
  );
  if (io.json) io.out(JSON.stringify({ items: found.map(shown) }));
  else if (found.length === 0) io.out('no application');
  else for (const line of tableLines(HEAD, found.map(cells))) io.out(line);
  return exitCode.ok;
}

const HEAD = ['application', 'status', 'company', 'country', 'round', 'flags', 'claimed by', 'since'];

const shown = (one: KybApplication) => ({
  applicationId: one.applicationId,
  status: one.status,
  companyName: one.companyName,
  country: one.country,
  round: one.round,
  flags: one.flags,
  claimedBy: one.claimedBy,
  createdAt: one.createdAt.toISOString(),
});

const cells = (one: KybApplication): string[] => [
  one.applicationId,
  one.status,
  one.companyName ?? '-',
  one.country ?? '-',
  String(one.round),
  one.flags.join(',') || '-',
  one.claimedBy ?? '-',
  one.createdAt.toISOString(),
];

const callerOf = (values: Values) => commandCaller(onlyValue(NAME, 'operator', values.operator));

/** What needs no workflow: a claim, and a word to the applicant. */
async function write(
  io: CommandIo,
  applicationId: string,
  verb: 'claim' | 'release' | 'comment',
  values: Values,
): Promise<number> {
  const caller = callerOf(values);
  const operatorId = `cli:${caller.actor.id}`;
  const text = verb === 'comment' ? textValue(NAME, 'text', values.text, MOST_COMMENT) : '';
  const section =
    values.section.length === 0 ? undefined : wordValue(NAME, 'section', values.section, KYB_SECTIONS);
  await orFail(() =>
    withDatabase(io, 'engine', async (db) => {
      const vault = verb === 'comment' ? await openOperatorVault(io, db) : null;
      await atomically(db, caller, async (trx: Trx) => {
        const application = await lockKybApplication(trx, 'every', applicationId);
        if (verb === 'claim') return await claimKyb(trx, application, operatorId);
        if (vault === null) return await releaseKyb(trx, application, operatorId);
        const comment = { text, operatorId, ...(section === undefined ? {} : { section }) };
        await addKybComment(trx, application, comment, (place, clear) =>
          sealPersonal(vault, application.subjectKey, place, clear),
        );
      });
    }),
  );
  io.out(
    io.json ? JSON.stringify({ applicationId, done: verb }) : `application ${applicationId}: ${verb} done`,
  );
  return exitCode.ok;
}

function readCommand(verb: string, values: Values): KybCommand {
  const operatorId = `cli:${callerOf(values).actor.id}`;
  switch (verb) {
    case 'review': {
      const section = wordValue(NAME, 'section', values.section, KYB_SECTIONS);
      const result = wordValue(NAME, 'result', values.result, SECTION_STATES);
      if (values.comment.length === 0) return { action: 'reviewSection', section, result, operatorId };
      const comment = textValue(NAME, 'comment', values.comment, MOST_COMMENT);
      return { action: 'reviewSection', section, result, comment, operatorId };
    }
    case 'request-correction':
      return { action: 'requestCorrection', operatorId };
    case 'resume':
      return { action: 'resume', operatorId };
    case 'hold':
    case 'reject':
      return { action: verb, reason: textValue(NAME, 'reason', values.reason, MOST_TEXT), operatorId };
    case 'accept':
      if (values.note.length === 0) return { action: 'accept', operatorId };
      return { action: 'accept', note: textValue(NAME, 'note', values.note, MOST_TEXT), operatorId };
    default:
      throw wrongUsage(`cardloom ${NAME}: cannot ${verb}`);
  }
}

/** Tells what forbids the command before it is sent; the workflow and its step check once more. */
async function command(io: CommandIo, applicationId: string, asked: KybCommand): Promise<number> {
  await orFail(() =>
    withDatabase(io, 'engine', (db) =>
      atomically(db, commandCaller(null), async (trx) =>
        refuseKybCommand(trx, await readKybApplication(trx, 'every', applicationId), asked),
      ),
    ),
  );
  const answer = await withTemporal(io, (client) =>
    commandKyb({ client }, applicationId, asked, `cli-${randomUUID()}`),
  ).catch((error: unknown) => {
    if (isTemporalAway(error)) throw new CommandFailed(exitCode.busy, 'Temporal does not answer: try again');
    throw error;
  });
  return report(io, applicationId, answer);
}

function report(io: CommandIo, applicationId: string, answer: KybAnswer): number {
  switch (answer.outcome) {
    case 'DONE': {
      const { status } = answer;
      io.out(
        io.json ? JSON.stringify({ applicationId, status }) : `application ${applicationId} is ${status}`,
      );
      return exitCode.ok;
    }
    case 'REFUSED':
      throw new CommandFailed(exitCode.failed, `${answer.reason}: the application refused this`);
    case 'NOT_RUNNING':
      throw new CommandFailed(exitCode.failed, 'STATE_CONFLICT: this application is at its end');
    case 'UNKNOWN':
      throw new CommandFailed(
        exitCode.busy,
        'no answer in time: it may still take effect. Look again with: cardloom kyb',
      );
  }
}
