import { readFileSync } from 'node:fs';
import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { describeFaults, readSettings } from '../../domain/settings.ts';
import { type VaultSettings, vaultSettings } from '../../vault/config.ts';
import { readKeySources } from '../../vault/key-files.ts';
import { openVault, type Vault } from '../../vault/vault.ts';
import type { CommandIo } from '../command.ts';
import { CommandFailed, exitCode } from '../exit-code.ts';
import { operatorSettings } from './connection.ts';

/** The vault's settings as a command sees them. Throws `CommandFailed` 78. */
export function commandVaultSettings(io: CommandIo): VaultSettings {
  const { environment } = operatorSettings(io);
  const { values, faults } = readSettings(vaultSettings, environment, (path) => readFileSync(path, 'utf8'));
  if (faults.length > 0) throw new CommandFailed(exitCode.configuration, describeFaults(faults));
  return values;
}

/** The vault of the platform a command works on; `engine` is a connection of cardloom_engine. Throws 78. */
export const openCommandVault = async (engine: Kysely<Database>, io: CommandIo): Promise<Vault> =>
  await openVault(engine, readKeySources(commandVaultSettings(io)));
