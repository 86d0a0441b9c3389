import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool } from '../../db/client.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';

describe('a pool', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.drop());

  it('outlives a connection that breaks between two statements of a transaction', async () => {
    const pool = createPool({ url: fresh.engineUrl, max: 2, name: 'test' });
    const client = await pool.connect();
    await client.query('begin');
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    // Without a listener of the pool's own, this event would end the process.
    const broken = new Promise<void>((resolve) => client.once('end', () => resolve()));
    await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await broken;
    await expect(client.query('select 1')).rejects.toThrow();
    client.release(true);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });
});
