import { setTimeout as sleep } from 'node:timers/promises';
import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Activities } from '../activities/index.ts';
import { type TaskQueue, WORKFLOW_QUEUE } from '../temporal/task-queues.ts';
import { logFailures } from './interceptors.ts';
import { findServerFaults } from './temporal-checks.ts';

export interface WorkersParts {
  readonly connect: () => Promise<NativeConnection>;
  readonly namespace: string;
  readonly queues: readonly TaskQueue[];
  readonly bundle: WorkflowBundleOption;
  readonly activities: Activities;
  readonly dataConverter: DataConverter;
  readonly graceMs: number;
  readonly logger: Logger;
  /** Told of a server that can never do: wrong namespace, missing search attributes, too old. */
  readonly onServerFaults: (faults: readonly string[]) => void;
}

export interface Workers {
  /** True once they have polled for the first time. */
  started(): boolean;
  /** True while they poll. */
  polling(): boolean;
  /** Takes no more tasks and waits for those under way, at most `graceMs`. */
  stop(): Promise<void>;
}

const RECONNECT_MS = 2_000;
/** Calls to a collaborator at once, in one worker: a batch holds a slot for as long as its partner is slow. */
const SLOTS: Readonly<Record<TaskQueue, number>> = {
  core: 100,
  kyc: 20,
  'partner-balance': 50,
  processor: 20,
  notifier: 200,
};
const FORCE_AFTER_MS = 2_000;

/**
 * Polls the task queues for as long as the process lives: a server that is away, or goes away, is connected to
 * again. Workers of one connection stand and fall together.
 */
export function startWorkers(parts: WorkersParts): Workers {
  const { logger } = parts;
  const stopping = new AbortController();
  let workers: Worker[] = [];
  let everStarted = false;

  async function serve(): Promise<void> {
    const connection = await parts.connect();
    try {
      const faults = await findServerFaults(connection, parts.namespace);
      if (faults.length > 0) return parts.onServerFaults(faults);
      const made = await Promise.all(parts.queues.map((queue) => createWorker(parts, connection, queue)));
      if (stopping.signal.aborted) return;
      workers = made;
      const runs = made.map((worker) => worker.run());
      everStarted = true;
      logger.info({ queues: parts.queues }, 'workers poll');
      try {
        await Promise.all(runs);
      } finally {
        for (const worker of made) if (worker.getState() === 'RUNNING') worker.shutdown();
        await Promise.allSettled(runs);
      }
    } finally {
      workers = [];
      await connection.close().catch(() => undefined);
    }
  }

  const running = (async () => {
    while (!stopping.signal.aborted) {
      await serve().catch((error: unknown) => {
        logger.warn(
          { fault: error instanceof Error ? error.name : 'unknown' },
          'Temporal is away; trying again',
        );
      });
      await sleep(RECONNECT_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();

  return {
    started: () => everStarted,
    polling: () => workers.some((worker) => worker.getState() === 'RUNNING'),
    stop: async () => {
      stopping.abort();
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    },
  };
}

const createWorker = (parts: WorkersParts, connection: NativeConnection, queue: TaskQueue): Promise<Worker> =>
  Worker.create({
    connection,
    namespace: parts.namespace,
    taskQueue: queue,
    activities: parts.activities,
    dataConverter: parts.dataConverter,
    // Only the core queue has workflow tasks; the others spend nothing on a sandbox.
    ...(queue === WORKFLOW_QUEUE ? { workflowBundle: parts.bundle } : {}),
    interceptors: { activity: [logFailures(parts.logger)] },
    maxConcurrentActivityTaskExecutions: SLOTS[queue],
    shutdownGraceTime: parts.graceMs,
    shutdownForceTime: parts.graceMs + FORCE_AFTER_MS,
  });
