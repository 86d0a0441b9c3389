/**
 * Records the histories that `replay.test.ts` replays: plays each scenario on a Temporal server of its own and
 * writes what the server has. `npm run record-histories [-- <part of a name>]`. Record on purpose only: an old
 * history that no longer replays is what the test is there to find.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { findTemporal } from '../../cli/temporal-binary.ts';
import { startTemporalServer } from '../../cli/temporal-server.ts';
import { TASK_QUEUES, WORKFLOW_QUEUE } from '../../temporal/task-queues.ts';
import { quietRuntime, testBundle, testDataConverter } from '../support/temporal.ts';
import { historyFile, RECORDED_NAMESPACE } from './histories.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';

const [part = ''] = process.argv.slice(2);
const wanted = scenarios.filter((one) => `${one.workflow}.${one.path}`.includes(part));
const dataConverter = testDataConverter(RECORDED_NAMESPACE);
const folder = mkdtempSync(join(tmpdir(), 'cardloom-record-'));

quietRuntime();
const found = await findTemporal({
  environment: process.env,
  version: '1.5.1',
  say: (line) => console.log(line),
});
const server = await startTemporalServer({
  binary: found.path,
  port: await freePort(),
  namespace: RECORDED_NAMESPACE,
  headless: true,
  logFile: join(folder, 'temporal.log'),
});
const connection = await Connection.connect({ address: server.address });
const native = await NativeConnection.connect({ address: server.address });
const client = new Client({ connection, namespace: RECORDED_NAMESPACE, dataConverter });
try {
  for (const scenario of wanted) {
    await record(scenario);
    console.log(`${scenario.workflow}.${scenario.path}`);
  }
} finally {
  await connection.close();
  await native.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function record(scenario: Scenario): Promise<void> {
  // The queues of production, so that histories are what production writes; a worker needs something to do.
  const hasActivities = Object.keys(scenario.activities).length > 0;
  const queues = hasActivities ? TASK_QUEUES : [WORKFLOW_QUEUE];
  const workers = await Promise.all(
    queues.map(async (taskQueue) =>
      Worker.create({
        connection: native,
        namespace: RECORDED_NAMESPACE,
        taskQueue,
        activities: scenario.activities,
        dataConverter,
        shutdownGraceTime: 0,
        ...(taskQueue === WORKFLOW_QUEUE ? { workflowBundle: await testBundle() } : {}),
      }),
    ),
  );
  const runs = workers.map((worker) => worker.run());
  try {
    const handle = await scenario.play({ client, taskQueue: WORKFLOW_QUEUE });
    const json = historyToJSON(await handle.fetchHistory());
    writeFileSync(
      historyFile(scenario.workflow, scenario.path),
      `${JSON.stringify(JSON.parse(json), null, 1)}\n`,
    );
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(runs);
    await endAll();
  }
}

/** What a scenario leaves running must not meet the stubs of the next. */
async function endAll(): Promise<void> {
  for await (const run of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
    await client.workflow
      .getHandle(run.workflowId)
      .terminate('recorded')
      .catch(() => undefined);
  }
}

async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
