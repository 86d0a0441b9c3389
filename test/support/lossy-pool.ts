import type pg from 'pg';

/** A pool whose connections break right after the server has committed, `times` times. */
export function losingCommits(pool: pg.Pool, times: number): pg.Pool {
  let left = times;
  return intercepting(pool, async (statement, send) => {
    const result = await send();
    if (statement !== 'commit' || left === 0) return result;
    left -= 1;
    throw new Error('Connection terminated unexpectedly');
  });
}

/** A pool whose server shuts down under the first `times` transactions, before they have done anything. */
export function shuttingDown(pool: pg.Pool, times: number): pg.Pool {
  let left = times;
  return intercepting(pool, async (statement, send) => {
    const result = await send();
    if (statement !== 'begin' || left === 0) return result;
    left -= 1;
    throw Object.assign(new Error('terminating connection due to administrator command'), {
      code: '57P01',
      severity: 'FATAL',
    });
  });
}

type Answering = (statement: unknown, send: () => Promise<unknown>) => Promise<unknown>;

function intercepting(pool: pg.Pool, answer: Answering): pg.Pool {
  const connect = async (): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    return new Proxy(client, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        if (property !== 'query') return value.bind(target);
        return (...args: unknown[]) => answer(args[0], () => value.apply(target, args) as Promise<unknown>);
      },
    });
  };
  return new Proxy(pool, {
    get: (target, property) => (property === 'connect' ? connect : Reflect.get(target, property)),
  });
}
