import type { Logger } from 'pino';
import pg from 'pg';

const RECONNECT_MS = 1_000;

/**
 * Calls `onChange` when the database tells that certificates or partners changed. While the connection is
 * away the cache's own age limit is what makes a revocation work in time.
 */
export function listenForChanges(
  url: string,
  onChange: () => void,
  logger: Logger,
): { stop(): Promise<void> } {
  let client: pg.Client | null = null;
  let stopped = false;

  const open = async (): Promise<void> => {
    if (stopped) return;
    const next = new pg.Client({ connectionString: url, application_name: 'cardloom-certificates' });
    next.on('notification', onChange);
    next.on('error', () => undefined);
    next.once('end', () => {
      if (!stopped) setTimeout(() => void open(), RECONNECT_MS).unref();
    });
    try {
      await next.connect();
      await next.query('listen cardloom_certificates');
      client = next;
      onChange();
    } catch {
      logger.warn('certificate changes are not heard of; trying again');
      await next.end().catch(() => undefined);
    }
  };

  void open();
  return {
    stop: async () => {
      stopped = true;
      await client?.end().catch(() => undefined);
    },
  };
}
