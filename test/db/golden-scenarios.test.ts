import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type CardTraffic, openCardTraffic } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { GOLDEN_SCENARIOS } from '../support/golden-scenarios.ts';
import { openLaneWorld } from '../support/lane-world.ts';
import { headOf, runScenario } from '../support/scenario-table.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let authorizer: Authorizer;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  authorizer = traffic.authorizer();
});

afterAll(async () => {
  await authorizer.drain();
  await traffic.end();
  await database.drop();
});

describe('golden scenarios, through the lanes', () => {
  it.each(GOLDEN_SCENARIOS.map((text) => [text.split('\n')[0], text] as const))('%s', async (_name, text) => {
    const world = await openLaneWorld(traffic, authorizer, headOf(text));
    const { expected, found } = await runScenario(text, world);
    expect(found).toEqual(expected);
  });

  it('leave a ledger without a difference', async () => {
    expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  });
});
