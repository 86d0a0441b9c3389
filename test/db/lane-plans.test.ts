import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KNOWN_KEYS, LOCK_CARDS } from '../../activities/authorization/statements.ts';
import { createPool } from '../../db/client.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';

let fresh: FreshDatabase;
let lanes: pg.Pool;

beforeAll(async () => {
  fresh = await freshDatabase();
  // Once PostgreSQL knows that a table is empty it plans for that; one it has never looked at it takes for larger.
  const owner = createPool({ url: fresh.ownerUrl, max: 1, name: 'test' });
  for (const table of ['network_keys', 'card_states']) await owner.query(`vacuum analyze ${table}`);
  await owner.end();
  lanes = createPool({ url: fresh.engineUrl, max: 1, name: 'test', pipeline: true });
});

afterAll(async () => {
  await lanes.end();
  await fresh.drop();
});

describe('plans that lanes make while the tables are empty', () => {
  // The plan is kept: a scan of the empty table would go on when the table is large.
  it.each([
    { statement: KNOWN_KEYS, index: 'network_keys_pkey', table: 'network_keys' },
    { statement: LOCK_CARDS, index: 'card_states', table: 'card_states' },
  ])('$statement.name read by index', async ({ statement, index, table }) => {
    const client = await lanes.connect();
    try {
      await client.query(`prepare known as ${statement.text}`);
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain (costs off) execute known ('{}')`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain(index);
      expect(plan).not.toContain(`Seq Scan on ${table}`);
    } finally {
      await client.query('deallocate all');
      client.release();
    }
  });
});
