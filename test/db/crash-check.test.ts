import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCrashFaults } from '../campaign/crash-check.ts';
import { clearedBy, type PurchaseModel, purchased, reversedBy } from '../campaign/ledger-model.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  aReversal,
  type CardTraffic,
  openCardTraffic,
  read,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

describe('the check after a crash campaign', () => {
  let database: FreshDatabase;
  let traffic: CardTraffic;
  let models: PurchaseModel[];

  beforeAll(async () => {
    database = await freshDatabase();
    traffic = openCardTraffic(database);
    const authorizer = traffic.authorizer();
    const card = await traffic.card(await traffic.programme({ funding: 'deposit' }), 100_00);
    const purchase = aPurchase(card, 10_00);
    const kept = purchased(read(await authorizer.authorize(purchase, aCall())), 10_00);
    await authorizer.reverse(aReversal(purchase, { amount: 4_00, currency: 'EUR' }), aCall());
    reversedBy(kept, 4_00);
    await authorizer.clear(aRecord(purchase, 5_00), aCall());
    clearedBy(kept, 5_00, true);
    const declined = purchased(read(await authorizer.authorize(aPurchase(card, 900_00), aCall())), 900_00);
    models = [kept, declined];
  });
  afterAll(async () => {
    await traffic.end();
    await database.drop();
  });

  it('finds nothing where the books show what was answered', async () => {
    expect(await findCrashFaults(traffic.owner, models)).toEqual([]);
  });

  it('finds an acknowledged approval that is not in the books', async () => {
    const lost = { ...(models[0] as PurchaseModel), id: '00000000-0000-4000-8000-000000000000' };
    expect(await findCrashFaults(traffic.owner, [...models, lost])).toEqual([
      expect.stringContaining('an acknowledged approval is not in the books'),
    ]);
  });

  it('finds an approval that nobody was told of', async () => {
    expect(await findCrashFaults(traffic.owner, models.slice(1))).toEqual([
      expect.stringContaining('1 approvals are in the books twice or were never asked for'),
    ]);
  });

  it.each(['authorized', 'cleared', 'reversed', 'held', 'refunded'] as const)(
    'finds that %s is not what the answers told',
    async (member) => {
      const [kept, declined] = models as [PurchaseModel, PurchaseModel];
      const told = { ...kept, [member]: kept[member] + 1 };
      expect(await findCrashFaults(traffic.owner, [told, declined])).toEqual([
        expect.stringContaining(`${member} is ${kept[member]}, answers told ${kept[member] + 1}`),
      ]);
    },
  );

  it('finds an event that is told twice or not at all', async () => {
    await traffic.engine.deleteFrom('outbox').where('event_seq', '=', 2).execute();
    expect(await findCrashFaults(traffic.owner, models)).toEqual([
      expect.stringMatching(/^event .*\/2 is told 0 times$/),
    ]);
  });
});
