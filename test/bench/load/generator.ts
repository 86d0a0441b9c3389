/** A process of its own that makes the load of one job a time: sent by IPC, answered by IPC. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type Connection, openConnection, type Reply } from './connection.ts';
import { type CardRange, type LoadJob, type LoadResult, OPENED, START } from './job.ts';
import { httpRequest, purchaseBody } from './purchase.ts';

interface Tally {
  approved: number;
  declined: number;
  broken: number;
  readonly refused: Record<string, number>;
  readonly latencies: number[];
}

const TICK_MS = 1;
/** How long answers are waited for after the last request of an open loop. */
const LAST_ANSWER_MS = 3_000;

process.on('message', (message: LoadJob | typeof START) => {
  if (message !== START) void run(message).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));

/** Opening a connection costs as much as several requests: the caller measures from here on. */
async function started(): Promise<void> {
  process.send?.(OPENED);
  for (;;) if ((await once(process, 'message'))[0] === START) return;
}

async function run(job: LoadJob): Promise<LoadResult> {
  const secureContext = createSecureContext({
    cert: readFileSync(job.certificateFile),
    key: readFileSync(job.keyFile),
    ca: readFileSync(job.caFile),
  });
  const open = Array.from({ length: job.connections }, (_one, at) =>
    openConnection(job.ports[at % job.ports.length] as number, secureContext),
  );
  const connections = await Promise.all(open);
  await started();
  const tally: Tally = { approved: 0, declined: 0, broken: 0, refused: {}, latencies: [] };
  const startedAt = performance.now();
  await (job.rate === null
    ? closedLoop(connections, job, tally)
    : openLoop(connections, job, job.rate, tally));
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const connection of connections) connection.end();
  return { ...resultOf(tally), seconds: job.rate === null ? seconds : job.seconds };
}

/** Every connection sends its next request when the last one is answered. */
async function closedLoop(connections: readonly Connection[], job: LoadJob, tally: Tally): Promise<void> {
  const endAt = performance.now() + job.seconds * 1_000;
  const loop = (connection: Connection): Promise<void> =>
    new Promise((resolve) => {
      const next = (): void => {
        const sentAt = performance.now();
        if (sentAt >= endAt || connection.closed()) {
          resolve();
          return;
        }
        connection.send(requestOf(job.cards, job.amount), (reply) => {
          count(tally, reply, sentAt);
          next();
        });
      };
      next();
    });
  await Promise.all(connections.map(loop));
}

/** Requests fall due by the clock; one that finds no free connection waits, and its wait counts. */
async function openLoop(
  connections: readonly Connection[],
  job: LoadJob,
  rate: number,
  tally: Tally,
): Promise<void> {
  const free = [...connections];
  const due: number[] = [];
  const startedAt = performance.now();
  const total = Math.round(job.seconds * rate);
  let made = 0;
  let answered = 0;
  const pump = (): void => {
    while (due.length > 0 && free.length > 0) {
      const connection = free.pop() as Connection;
      const dueAt = due.shift() as number;
      connection.send(requestOf(job.cards, job.amount), (reply) => {
        count(tally, reply, dueAt);
        answered += 1;
        if (reply !== null) free.push(connection);
        pump();
      });
    }
  };
  await new Promise<void>((resolve) => {
    const ticks = setInterval(() => {
      const elapsed = performance.now() - startedAt;
      while (made < total && (made * 1_000) / rate <= elapsed) {
        due.push(startedAt + (made * 1_000) / rate);
        made += 1;
      }
      pump();
      const over = elapsed > job.seconds * 1_000 + LAST_ANSWER_MS;
      if (made < total || (answered < total && !over)) return;
      clearInterval(ticks);
      resolve();
    }, TICK_MS);
  });
  tally.broken += total - answered;
}

const requestOf = (cards: CardRange, amount: number): string => {
  const number = 1 + Math.floor(Math.random() * cards.count);
  return httpRequest('authorizations', purchaseBody(`${cards.prefix}${number}`, amount));
};

function count(tally: Tally, reply: Reply | null, since: number): void {
  if (reply === null) {
    tally.broken += 1;
    return;
  }
  if (reply.status !== 200) {
    tally.refused[reply.status] = (tally.refused[reply.status] ?? 0) + 1;
    return;
  }
  tally.latencies.push(performance.now() - since);
  if (reply.body.includes('"result":"APPROVED"')) tally.approved += 1;
  else tally.declined += 1;
}

function resultOf(tally: Tally): Omit<LoadResult, 'seconds'> {
  const { latencies, ...counts } = tally;
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 100) / 100;
  return { ...counts, latencyMs: { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) } };
}
