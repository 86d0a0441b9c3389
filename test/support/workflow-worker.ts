import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { inject } from 'vitest';

export interface RunningWorker {
  readonly client: Client;
  readonly taskQueue: string;
  stop(): Promise<void>;
}

/** A worker for one workflow file on a task queue of its own, on the server of the run. */
export async function startWorkflowWorker(
  workflowFile: string,
  activities: Record<string, (...args: never[]) => Promise<unknown>>,
): Promise<RunningWorker> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const address = inject('temporalAddress');
  const namespace = inject('temporalNamespace');
  const taskQueue = `test-${randomUUID()}`;
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL(`../../workflows/${workflowFile}`, import.meta.url)),
    activities,
  });
  const running = worker.run();
  return {
    client: new Client({ connection, namespace }),
    taskQueue,
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
      await native.close();
    },
  };
}
