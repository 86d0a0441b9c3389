import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createHoldActivities } from '../../activities/authorization/holds.ts';
import { createReconciliationActivities } from '../../activities/database/reconciliation.ts';
import { reconciliationJobs } from '../../domain/reconciliation.ts';
import { ensureReconciliationSchedules, scheduleId } from '../../temporal/schedules.ts';
import { releaseHold } from '../../temporal/workflows.ts';
import { aCall, aPurchase, type CardTraffic, openCardTraffic, read } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { connectTemporal, type TestTemporal } from '../support/temporal.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let temporal: TestTemporal;
beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  temporal = await connectTemporal(inject('temporalAddress'), inject('temporalNamespace'));
});
afterAll(async () => {
  for (const job of reconciliationJobs) {
    await temporal.client.schedule
      .getHandle(scheduleId(job))
      .delete()
      .catch(() => undefined);
  }
  await temporal.close();
  await traffic.end();
  await database.drop();
});

describe('reconciliation', () => {
  it('is run by schedules, which are made once and run one at a time', async () => {
    await ensureReconciliationSchedules(temporal);
    await temporal.client.schedule.getHandle(scheduleId('holds')).pause('by hand');
    await ensureReconciliationSchedules(temporal);
    const described = await temporal.client.schedule.getHandle(scheduleId('holds')).describe();
    expect(described.state.paused).toBe(true);
    expect(described.policies.overlap).toBe('SKIP');
    expect(described.spec.intervals).toMatchObject([{ every: 300_000 }]);
    const ledger = await temporal.client.schedule.getHandle(scheduleId('ledger')).describe();
    expect(ledger.spec.intervals).toMatchObject([{ every: 60_000 }]);
  });

  it('leaves a row for each run', async () => {
    const activities = createReconciliationActivities({ db: traffic.engine });
    await temporal.withWorker(activities, async () => {
      await temporal.client.schedule.getHandle(scheduleId('account-age')).trigger();
      const found = async () =>
        await traffic.engine
          .selectFrom('recon_runs')
          .select(['job', 'result'])
          .where('job', '=', 'account-age')
          .execute();
      while ((await found()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await found()).toEqual([{ job: 'account-age', result: 'OK' }]);
    });
  });
});

describe('hold-release', () => {
  it('gives an operator what the release came to', async () => {
    const card = await traffic.card(await traffic.programme(), 1_000);
    const authorizer = traffic.authorizer();
    const { id } = read(await authorizer.authorize(aPurchase(card, 600), aCall()));
    await authorizer.drain();
    const logger = { warn: () => undefined, error: () => undefined };
    const activities = createHoldActivities({ db: traffic.engine, clearingPool: traffic.pool(), logger });
    const asked = {
      transactionId: id ?? '',
      amount: 200,
      reason: 'test',
      operatorId: 'ada',
      requestId: 'r1',
    };
    await temporal.withWorker(activities, async () => {
      expect(await releaseHold(temporal, asked)).toEqual({
        result: 'RELEASED',
        amount: 200,
        state: 'AUTHORIZED',
      });
    });
    expect(await traffic.balance(card)).toMatchObject({ posted: 1_000, held: 400 });
  });
});
