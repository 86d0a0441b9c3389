import type { Kysely } from 'kysely';
import type pg from 'pg';
import type { RecordResult } from '../../domain/presentment-record.ts';
import type { ReleaseResult } from '../../domain/release.ts';
import type { Database } from '../../db/database.ts';
import {
  authorizationItem,
  type Call,
  type Item,
  presentmentItem,
  releaseItem,
  type ReleaseRequest,
  reversalItem,
} from './commands.ts';
import { createConfiguration } from './configuration.ts';
import { type Answered, conflictOf } from './decide-batch.ts';
import { createLanes, type Turn } from './lanes.ts';
import type { AuthorizationMessage, ClearingMessage, ClearingRecord, ReversalMessage } from './messages.ts';
import { createBatchRunner, logConflict, type Logger, unavailable } from './run-batch.ts';

export interface AuthorizerOptions {
  /** For the configuration, with connections of its own; role cardloom_engine. */
  readonly engine: Kysely<Database>;
  /** A small pool of its own, role cardloom_engine, best with `pipeline: true`. */
  readonly pool: pg.Pool;
  /** How many batches of authorizations and reversals run at a time; clearing has one more lane. */
  readonly lanes: number;
  readonly batchMax: number;
  /** From the first byte of an authorization to its answer. */
  readonly deadlineMs: number;
  readonly queueMax: number;
  readonly logger: Logger;
}

export interface Authorizer {
  /** Answers an authorization or inquiry. Throws `Refusal` OVERLOADED or SERVICE_UNAVAILABLE: no decision. */
  authorize(message: AuthorizationMessage, call: Call): Promise<Answered>;
  /** Acknowledges a reversal. Throws as `authorize`. */
  reverse(message: ReversalMessage, call: Call): Promise<Answered>;
  /** Posts clearing records; what was posted before a refusal is a DUPLICATE when all are sent again. */
  clear(message: ClearingMessage | ClearingRecord, call: Call): Promise<{ results: RecordResult[] }>;
  /** Ends a hold without the network. Throws as `authorize`; a hold that is gone is answered, not thrown. */
  release(request: ReleaseRequest): Promise<ReleaseResult>;
  /** Takes nothing more and ends when all that was taken is answered. */
  drain(): Promise<void>;
}

/** Reversals and records are repeated by the processor until they are answered (processor 3.6). */
const FOLLOW_UP_DEADLINE_MS = 10_000;
/** What it takes to write an answer that is ready: its last byte leaves before the deadline. */
const ANSWER_MS = 20;
/** From our deadline to that of the processor (processor 3.6), less the way of the answer. */
const WRITTEN_MS = 480;
const CLEARING_BATCH = 100;
const CLEARING_QUEUE = 5_000;

/** The direct path: messages in, decisions in batches, answers out; called in process by the API. */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { pool, logger, batchMax, queueMax } = options;
  const configuration = createConfiguration(options.engine);
  const run = createBatchRunner({ pool, configuration, logger });
  const deadlineOf = (item: Item): number => item.deadlineAtMs;
  const lanes = createLanes<Item, Answered>({ lanes: options.lanes, batchMax, queueMax, run, deadlineOf });
  const clearing = createLanes<Item, Answered>({
    lanes: 1,
    batchMax: CLEARING_BATCH,
    queueMax: CLEARING_QUEUE,
    run,
    deadlineOf,
  });
  const inFlight = new Map<string, { readonly fingerprint: number; readonly result: Promise<Answered> }>();

  /** The same message twice at once is decided once: the second joins the first (authorization 2). */
  async function joined(item: Item, submit: () => Promise<Answered>): Promise<Answered> {
    const [key] = item.keys;
    if (key === undefined) return await submit();
    const { nk, fingerprint } = key;
    const running = inFlight.get(nk);
    if (running !== undefined) {
      const { answer } = await running.result;
      if (running.fingerprint === fingerprint) return { answer, replayed: true };
      logConflict(logger, item);
      return conflictOf(item);
    }
    const result = submit().finally(() => inFlight.delete(nk));
    inFlight.set(nk, { fingerprint, result });
    return await result;
  }

  const decided = (item: Item, turn: Turn): Promise<Answered> =>
    inTime(
      item,
      joined(item, () => lanes.submit(item, turn)),
    );

  return {
    async authorize(message, call) {
      // What is decided already is repeated until it is answered: it has time, and lets the questions go first.
      return message.advice === true
        ? await decided(authorizationItem(message, call, FOLLOW_UP_DEADLINE_MS), 'followUp')
        : await decided(authorizationItem(message, call, options.deadlineMs - ANSWER_MS), 'decision');
    },
    async reverse(message, call) {
      return await decided(reversalItem(message, call, FOLLOW_UP_DEADLINE_MS), 'followUp');
    },
    async clear(message, call) {
      const { fileId, records } = 'records' in message ? message : { fileId: null, records: [message] };
      const items = records.map((record) => presentmentItem(record, fileId, call, FOLLOW_UP_DEADLINE_MS));
      const results = await Promise.allSettled(
        items.map((item) =>
          inTime(
            item,
            joined(item, () => clearing.submit(item, 'followUp')),
          ),
        ),
      );
      return { results: results.map(toRecordResult) };
    },
    async release(request) {
      const item = releaseItem(request, Date.now(), FOLLOW_UP_DEADLINE_MS);
      const { answer } = await inTime(item, clearing.submit(item, 'followUp'));
      return JSON.parse(answer) as ReleaseResult;
    },
    async drain() {
      await Promise.all([lanes.drain(), clearing.drain()]);
    },
  };
}

/**
 * At the deadline the caller is told that no decision was made, if that is so. What is decided is about to be written:
 * its answer is waited for until the network has given up as well.
 */
async function inTime(item: Item, answered: Promise<Answered>): Promise<Answered> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => {
      if (!item.progress.decided) reject(unavailable());
      else timer = setTimeout(() => reject(unavailable()), WRITTEN_MS);
    };
    timer = setTimeout(giveUp, Math.max(0, item.deadlineAtMs - Date.now()));
  });
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}

function toRecordResult(settled: PromiseSettledResult<Answered>): RecordResult {
  if (settled.status === 'rejected') throw settled.reason;
  const result = JSON.parse(settled.value.answer) as RecordResult;
  return settled.value.replayed ? { ...result, result: 'DUPLICATE', exception: null } : result;
}
