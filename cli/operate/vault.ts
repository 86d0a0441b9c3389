import { readFileSync } from 'node:fs';
import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { describeFaults, readSettings } from '../../domain/settings.ts';
import { vaultSettings } from '../../vault/config.ts';
import { readKeySources } from '../../vault/key-files.ts';
import { openVault, type Vault } from '../../vault/vault.ts';
import type { CommandIo } from '../command.ts';
import { CommandFailed, exitCode } from '../exit-code.ts';
import { operatorSettings } from './connection.ts';

/** The vault of the stack, for commands that seal what a person has typed. Throws `CommandFailed` 78. */
export async function openOperatorVault(io: CommandIo, engine: Kysely<Database>): Promise<Vault> {
  const { environment } = operatorSettings(io);
  const { values, faults } = readSettings(vaultSettings, environment, (path) => readFileSync(path, 'utf8'));
  if (faults.length > 0) throw new CommandFailed(exitCode.configuration, describeFaults(faults));
  return await openVault(engine, readKeySources(values));
}
