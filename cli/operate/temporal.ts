import { readFileSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import { describeFaults, readSettings } from '../../domain/settings.ts';
import { checkTemporalSettings, temporalSettings } from '../../temporal/config.ts';
import { connectClient } from '../../temporal/connection.ts';
import { createDataConverter } from '../../temporal/data-converter.ts';
import type { CommandIo } from '../command.ts';
import { CommandFailed, exitCode } from '../exit-code.ts';
import { operatorSettings } from './connection.ts';

/** Runs `work` with a client of the Temporal server that the stack uses. Throws `CommandFailed` 78. */
export async function withTemporal<T>(io: CommandIo, work: (client: Client) => Promise<T>): Promise<T> {
  const { environment } = operatorSettings(io);
  const { values, faults } = readSettings(temporalSettings, environment, (path) =>
    readFileSync(path, 'utf8'),
  );
  const all = faults.length > 0 ? faults : checkTemporalSettings(values);
  const keys = values.TEMPORAL_PAYLOAD_KEYS;
  if (all.length > 0 || keys === null) throw new CommandFailed(exitCode.configuration, describeFaults(all));
  const namespace = values.TEMPORAL_NAMESPACE;
  const client = connectClient(values, createDataConverter({ keys, namespace, refusePlain: false }));
  try {
    return await work(client);
  } finally {
    await client.connection.close();
  }
}
