import { NativeConnection } from '@temporalio/worker';
import type { TemporalSettings } from './config.ts';
import { addressOf } from './connection.ts';

/**
 * The connection that workers poll on; apart from `connection.ts` because it loads the native core, which only
 * workers need. Throws when the server does not answer now.
 */
export const connectWorkers = async (settings: TemporalSettings): Promise<NativeConnection> =>
  await NativeConnection.connect(addressOf(settings));
