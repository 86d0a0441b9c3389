import type { Client } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { inject } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { createPayloadCodec } from '../../temporal/payload-codec.ts';
import { connectTemporal, TEST_PAYLOAD_KEYS } from './temporal.ts';

export interface RunningWorker {
  readonly client: Client;
  readonly taskQueue: string;
  /** Everything in the history of a run, payloads decrypted, as one text to look for words in. */
  readableHistory(workflowId: string): Promise<string>;
  stop(): Promise<void>;
}

/** A worker that runs for a whole test file, on a task queue of its own. */
export async function startWorkflowWorker(activities: Partial<Activities>): Promise<RunningWorker> {
  const namespace = inject('temporalNamespace');
  const temporal = await connectTemporal(inject('temporalAddress'), namespace);
  const { client, taskQueue } = temporal;
  const codec = createPayloadCodec({ keys: TEST_PAYLOAD_KEYS, namespace, refusePlain: true });
  const end = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const running = temporal.withWorker(activities, async () => {
    started.resolve();
    await end.promise;
  });
  await Promise.race([started.promise, running]);
  return {
    client,
    taskQueue,
    readableHistory: async (workflowId) => {
      const history = await client.workflow.getHandle(workflowId).fetchHistory();
      const payloads = await codec.decode(encryptedIn(history));
      return payloads.map((one) => Buffer.from(one.data ?? []).toString('utf8')).join('\n');
    },
    stop: async () => {
      end.resolve();
      await running;
      await temporal.close();
    },
  };
}

/** Payloads anywhere in a history; those that are not encrypted (search attributes) are left out. */
function encryptedIn(value: unknown): Parameters<PayloadCodec['decode']>[0] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { metadata, data } = value as Payload;
  const encoding = metadata?.['encoding'];
  if (data && encoding)
    return Buffer.from(encoding).toString() === 'binary/encrypted' ? [value as Payload] : [];
  return Object.values(value).flatMap(encryptedIn);
}
