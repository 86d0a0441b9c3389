import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { CommandFailed, exitCode } from '../exit-code.ts';

/** Inner id of the programme that an issuer code names. Throws `CommandFailed` 1. */
export async function requireProgramme(db: Kysely<Database>, issuerCode: string): Promise<number> {
  const found = await db
    .selectFrom('programmes')
    .select('programme_id')
    .where('issuer_code', '=', issuerCode)
    .executeTakeFirst();
  if (found === undefined) throw new CommandFailed(exitCode.failed, 'There is no such programme.');
  return found.programme_id;
}
