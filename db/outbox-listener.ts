import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';

const RECONNECT_MS = 1_000;

/**
 * Calls `onRows` whenever rows were committed to the outbox; takes one connection of the pool for itself. A
 * lost one is opened again; who listens looks for rows by itself too, so what is missed only waits a moment.
 */
export function listenForOutbox(pool: Pool, onRows: () => void): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let client: PoolClient | null = null;

  const listen = async (): Promise<void> => {
    const mine = await pool.connect();
    client = mine;
    const lost = new Promise<void>((resolve) => {
      mine.once('error', () => resolve());
      mine.once('end', () => resolve());
    });
    mine.on('notification', onRows);
    try {
      await mine.query('listen cardloom_outbox');
      onRows();
      await Promise.race([lost, aborted(stopping.signal)]);
    } finally {
      client = null;
      // Not handed back: it still listens.
      mine.release(true);
    }
  };

  const running = (async () => {
    while (!stopping.signal.aborted) {
      await listen().catch(() => undefined);
      await sleep(RECONNECT_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();

  return {
    stop: async () => {
      stopping.abort();
      client?.removeListener('notification', onRows);
      await running;
    },
  };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
