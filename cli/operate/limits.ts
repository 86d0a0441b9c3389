import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { atomically, type Trx } from '../../db/atomically.ts';
import { type CeilingOf, putCeiling, readCeiling } from '../../db/limit-ceilings.ts';
import { limitDocument } from '../../db/limit-schema.ts';
import { type FieldFault, Refusal } from '../../domain/errors.ts';
import type { LimitDocument } from '../../domain/limit.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';

/** `cardloom limits`: what cards and customers may at most, by programme and card product (money 9). */
export const limitsCommand: Command = {
  name: 'limits',
  usage:
    'show --programme ISSUER_CODE [--product CONFIG_ID] | ' +
    'set --programme ISSUER_CODE [--product CONFIG_ID] --file LIMITS.json [--operator NAME]',
  summary: 'show or replace the limits of a programme or card product',
  async run(args, io) {
    const { given, values } = readOptions('limits', args, ['programme', 'product', 'file', 'operator']);
    const only = (name: 'programme' | 'product' | 'file' | 'operator') =>
      onlyValue('limits', name, values[name]);
    const [action, ...more] = given;
    const issuerCode = only('programme');
    const file = only('file');
    if ((action !== 'show' && action !== 'set') || more.length > 0) {
      throw wrongUsage('cardloom limits: say show or set');
    }
    if (issuerCode === null) throw wrongUsage('cardloom limits: --programme is needed');
    if ((action === 'set') !== (file !== null))
      throw wrongUsage('cardloom limits: set, and only set, needs --file');
    const of: CeilingOf = { issuerCode, configId: only('product') };
    const document = file === null ? null : readDocument(file);
    const shown = await inTransaction(io, only('operator'), async (trx) => {
      if (document !== null) await putCeiling(trx, of, document);
      return await readCeiling(trx, of);
    });
    io.out(JSON.stringify(shown, null, io.json ? 0 : 2));
    return exitCode.ok;
  },
};

async function inTransaction<T>(
  io: CommandIo,
  operator: string | null,
  work: (trx: Trx) => Promise<T>,
): Promise<T> {
  try {
    return await withDatabase(io, 'engine', (db) => atomically(db, commandCaller(operator), work));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new CommandFailed(exitCode.failed, [error.detail, ...lines(error.options.fields ?? [])].join('\n'));
  }
}

/** The document in a file, as the wire takes one. Throws `CommandFailed` 1 with everything that is wrong with it. */
function readDocument(file: string): LimitDocument {
  const parsed = limitDocument.safeParse(readJson(file));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => ({
    field: path.join('.') || 'document',
    message,
  }));
  throw new CommandFailed(
    exitCode.failed,
    ['The limits are not as they must be.', ...lines(faults)].join('\n'),
  );
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(resolve(file), 'utf8');
  } catch {
    throw new CommandFailed(exitCode.failed, `${file} cannot be read.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandFailed(exitCode.failed, `${file} is not JSON.`);
  }
}

const lines = (faults: readonly FieldFault[]): string[] =>
  faults.map(({ field, message }) => `  ${field}  ${message}`);
