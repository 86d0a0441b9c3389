import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createClearingFileActivities } from '../../activities/authorization/clearing-files.ts';
import { createReconciliationActivities } from '../../activities/database/reconciliation.ts';
import { atomically } from '../../db/atomically.ts';
import { announceClearingFile, readClearingFile } from '../../db/clearing-files.ts';
import { handOverWorkflowRows } from '../../db/relay.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import type { WorkflowStart } from '../../domain/event.ts';
import { startFromOutbox } from '../../temporal/workflows.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  type TestCard,
} from '../support/card-traffic.ts';
import { aClearingFile, type BuiltFile, inPieces } from '../support/clearing-file.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';

const caller = {
  partnerId: null,
  actor: { type: 'PROCESSOR', id: 'processor-1' },
  requestId: 'test',
  ip: null,
} as const;

let database: FreshDatabase;
let traffic: CardTraffic;
let temporal: TestTemporal;
let card: TestCard;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  temporal = await connectTemporal(inject('temporalAddress'), inject('temporalNamespace'));
  card = await traffic.card(await traffic.programme(), 10_000_000);
});
afterAll(async () => {
  expect((await verifyLedger(traffic.engine)).differences).toEqual([]);
  await temporal.close();
  await traffic.end();
  await database.drop();
});

async function approvals(count: number) {
  const authorizer = traffic.authorizer();
  const purchases = Array.from({ length: count }, () => aPurchase(card, 10));
  await Promise.all(purchases.map((one) => authorizer.authorize(one, aCall())));
  await authorizer.drain();
  return purchases.map((one) => aRecord(one, 10));
}

/** The activities of a worker in front of a processor that refuses the first `away` calls. */
function activitiesWith(file: BuiltFile, away = 0) {
  let refusals = away;
  return {
    ...createReconciliationActivities({ db: traffic.engine }),
    ...createClearingFileActivities({
      db: traffic.engine,
      clearingPool: traffic.pool(),
      logger: { warn: () => undefined, error: () => undefined },
      openClearingFile: async () => {
        refusals -= 1;
        if (refusals >= 0) return { outcome: 'UNKNOWN', retryAfterMs: 1 };
        return { outcome: 'OPEN', body: inPieces(file.bytes) };
      },
    }),
  };
}

/** Announces a file and hands its outbox row to Temporal, as the relay does. */
async function announce({ announced }: BuiltFile): Promise<string> {
  await atomically(traffic.engine, caller, (trx) =>
    announceClearingFile(trx, announced, { processor: 'processor-1', source: 'PROCESSOR' }),
  );
  await atomically(traffic.engine, caller, (trx) =>
    handOverWorkflowRows(trx, async (row) => {
      const start = { workflow: row.workflow, id: row.workflowId, input: row.input } as WorkflowStart;
      await startFromOutbox(temporal, start, {
        owner: null,
        verificationTimings: { providerPollMs: 1, providerLimitMs: 1 },
      });
      return 'DONE';
    }),
  );
  return `clearing-file:${announced.fileId}`;
}
const result = (workflowId: string) => temporal.client.workflow.getHandle(workflowId).result();

describe('clearing-file', () => {
  it('fetches, checks, posts and proves a file, from its outbox row to its report', async () => {
    const file = aClearingFile(await approvals(620));
    await temporal.withWorker(activitiesWith(file, 2), async () => {
      const workflowId = await announce(file);
      expect(await result(workflowId)).toEqual({ posted: 620, duplicates: 0, quarantined: 0 });
    });
    expect(await readClearingFile(traffic.engine, file.announced.fileId)).toMatchObject({ status: 'POSTED' });
    const runs = await traffic.engine
      .selectFrom('recon_runs')
      .select(['job', 'result'])
      .where('subject', '=', file.announced.fileId)
      .execute();
    expect(runs).toEqual([{ job: 'clearing', result: 'OK' }]);
    expect(await traffic.balance(card)).toMatchObject({ held: 0 });
  });

  it('posts nothing of the same bytes under another name', async () => {
    const file = aClearingFile(await approvals(3));
    const again = { ...file, announced: { ...file.announced, fileId: `again-${randomUUID()}` } };
    await temporal.withWorker(activitiesWith(file), async () => {
      await result(await announce(file));
      const before = await traffic.balance(card);
      expect(await result(await announce(again))).toBeNull();
      expect(await traffic.balance(card)).toEqual(before);
    });
    expect(await readClearingFile(traffic.engine, again.announced.fileId)).toMatchObject({
      status: 'POSTED',
      duplicates: 3,
      duplicate_of: file.announced.fileId,
    });
  });

  it('ends with a rejected file and tells people', async () => {
    const file = aClearingFile(await approvals(2), { spoil: (lines) => lines.slice(0, -1) });
    await temporal.withWorker(activitiesWith(file), async () => {
      expect(await result(await announce(file))).toBeNull();
    });
    expect(await readClearingFile(traffic.engine, file.announced.fileId)).toMatchObject({
      status: 'REJECTED',
      reason: 'NO_TRAILER',
    });
  });

  it('goes on with another worker where the first one broke off', async () => {
    const file = aClearingFile(await approvals(1_700));
    const broken = activitiesWith(file);
    let posted = 0;
    const dying = {
      ...broken,
      postClearingBlocks: async () => {
        posted += 1;
        throw new Error('the worker is gone');
      },
    };
    let workflowId = '';
    await temporal.withWorker(dying, async () => {
      workflowId = await announce(file);
      while (posted === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    await temporal.withWorker(activitiesWith(file, 1_000), async () => {
      expect(await result(workflowId)).toEqual({ posted: 1_700, duplicates: 0, quarantined: 0 });
    });
  });
});
