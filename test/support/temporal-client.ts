import { readSettings } from '../../domain/settings.ts';
import type { Client } from '@temporalio/client';
import { temporalSettings } from '../../temporal/config.ts';
import { connectClient } from '../../temporal/connection.ts';
import { createDataConverter } from '../../temporal/data-converter.ts';
import type { PayloadKeys } from '../../temporal/payload-keys.ts';

/** TEST ONLY: recorded histories are encrypted with this key, so it can never be changed. */
export const TEST_PAYLOAD_KEYS: PayloadKeys = {
  current: 'test-only',
  keys: new Map([['test-only', Buffer.from('cardloom test-only payload key!!')]]),
};

/** The converter that histories are recorded and replayed with. */
export const testDataConverter = (namespace: string) =>
  createDataConverter({ keys: TEST_PAYLOAD_KEYS, namespace, refusePlain: true });

/** A client of a server at which nobody answers. */
export function clientOfNobody(namespace = 'cardloom'): Client {
  const { values } = readSettings(temporalSettings, { TEMPORAL_ADDRESS: '127.0.0.1:1' }, () => '');
  return connectClient(values, testDataConverter(namespace));
}
