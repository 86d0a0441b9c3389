import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import { bundleWorkflows } from '../../worker/bundle-workflows.ts';
import { testDataConverter } from './temporal-client.ts';

export { TEST_PAYLOAD_KEYS, testDataConverter } from './temporal-client.ts';

let quiet = false;

/** Once in a process, before any worker: errors of the SDK only. */
export function quietRuntime(): void {
  if (quiet) return;
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  quiet = true;
}

let bundle: Promise<WorkflowBundle> | undefined;

/** The workflows of this release; bundled once a process. */
export const testBundle = (): Promise<WorkflowBundle> =>
  (bundle ??= bundleWorkflows({ logger: new DefaultLogger('ERROR') }));

export interface TestTemporal {
  readonly client: Client;
  /** A queue of this file's own; workflows and activities both run on it. */
  readonly taskQueue: string;
  /** Runs `work` while a worker with these activities polls the queue. */
  withWorker<T>(activities: Partial<Activities>, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Connects to the run's server. */
export async function connectTemporal(address: string, namespace: string): Promise<TestTemporal> {
  quietRuntime();
  const dataConverter = testDataConverter(namespace);
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const taskQueue = `test-${randomUUID()}`;
  return {
    client: new Client({ connection, namespace, dataConverter }),
    taskQueue,
    async withWorker(activities, work) {
      const worker = await Worker.create({
        connection: native,
        namespace,
        taskQueue,
        workflowBundle: await testBundle(),
        activities,
        dataConverter,
        shutdownGraceTime: 1_000,
      });
      return await worker.runUntil(work);
    },
    async close() {
      await connection.close();
      await native.close();
    },
  };
}
