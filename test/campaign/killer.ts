import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Child } from '../../cli/supervised-child.ts';
import type { Product } from '../support/product.ts';

export const TARGETS = ['api', 'backend', 'postmaster'] as const;
export type Target = (typeof TARGETS)[number];

/** One in four hits an API, two a backend in the middle of a batch, one the whole server. */
const CHOICE: readonly Target[] = ['api', 'backend', 'backend', 'postmaster'];

const LONGEST_WAIT_MS = 600;
const POLL_MS = 20;
const RECOVERED_WITHIN_MS = 60_000;

export type Kills = Record<Target, number>;

/**
 * SIGKILLs API processes, backends of lanes and the PostgreSQL server at random moments, `count` times; each time
 * after the database and one API at least are there again. Answers how often it hit what.
 */
export async function killAtRandom(product: Product, count: number): Promise<Kills> {
  const kills: Kills = { api: 0, backend: 0, postmaster: 0 };
  while (kills.api + kills.backend + kills.postmaster < count) {
    await recovered(product);
    await sleep(randomInt(LONGEST_WAIT_MS));
    const target = CHOICE[randomInt(CHOICE.length)] as Target;
    const pid = await pidOf(product, target);
    if (pid !== null && kill(pid)) kills[target] += 1;
  }
  return kills;
}

/** Waits for PostgreSQL to answer and for one API to be ready. Throws when that takes a minute. */
async function recovered(product: Product): Promise<void> {
  const deadlineMs = Date.now() + RECOVERED_WITHIN_MS;
  const isUp = async (): Promise<boolean> =>
    product.apis.some((api) => api.state() === 'ready') && (await backendOf(product)) !== undefined;
  while (!(await isUp())) {
    if (Date.now() > deadlineMs) throw new Error('a killed process is not back after a minute');
    await sleep(POLL_MS);
  }
}

async function pidOf(product: Product, target: Target): Promise<number | null> {
  switch (target) {
    case 'api':
      return running(product.apis)?.pid() ?? null;
    case 'postmaster':
      return product.postmasterPid();
    case 'backend':
      return (await backendOf(product)) ?? null;
  }
}

function running(apis: readonly Child[]): Child | undefined {
  const ready = apis.filter((api) => api.state() === 'ready');
  return ready[randomInt(Math.max(ready.length, 1))];
}

/** A backend that works for a lane, one in a transaction before others; undefined while the server is away. */
async function backendOf(product: Product): Promise<number | null | undefined> {
  const url = new URL(product.urls.superuser);
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'cardloom-lanes'
        order by (state <> 'idle') desc, random() limit 1`,
    );
    return rows[0]?.pid ?? null;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
