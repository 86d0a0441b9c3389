import { Refusal } from '../../domain/errors.ts';

/** Decisions go first, three to one follow-up, so that neither starves (authorization 7). */
export type Turn = 'decision' | 'followUp';
const DECISIONS_TO_ONE = 3;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export interface Lanes<Item, Result> {
  /** Waits for a lane and answers what `run` made of the item. Throws `Refusal` OVERLOADED. */
  submit(item: Item, turn: Turn): Promise<Result>;
  /** Takes nothing more; ends when all that was taken has its answer. */
  drain(): Promise<void>;
}

export interface LaneOptions<Item, Result> {
  readonly lanes: number;
  readonly batchMax: number;
  /** How many may wait; one more is turned away at once. */
  readonly queueMax: number;
  /** Answers in the order of the items; a `Refusal` in place of a result is thrown to its caller. */
  readonly run: (items: readonly Item[], lane: number) => Promise<readonly (Result | Refusal)[]>;
  /** Milliseconds since the epoch after which nobody waits for the item any more. */
  readonly deadlineOf: (item: Item) => number;
}

/**
 * A few lanes over two waiting lines. A free lane takes all that waits, up to `batchMax`, without a timer: one
 * waiting item makes a batch of one, a burst makes large ones. A transaction of one costs as much as several items of
 * a large one, so what arrives one by one after a large batch was answered is gathered first: until its share of what
 * was under way lately is there, or a turn of the event loop brings nothing more.
 */
export function createLanes<Item, Result extends object>(
  options: LaneOptions<Item, Result>,
): Lanes<Item, Result> {
  const decisions: Waiting<Item, Result>[] = [];
  const followUps: Waiting<Item, Result>[] = [];
  const free = Array.from({ length: options.lanes }, (_one, at) => options.lanes - at);
  const pace = createPace();
  const crowd = createCrowd();
  let running = 0;
  let gathering = false;
  let draining = false;
  let idle: (() => void)[] = [];

  const waiting = (): number => decisions.length + followUps.length;

  /** What one lane may expect of all that is under way. */
  const share = (): number =>
    Math.min(options.batchMax, Math.ceil(Math.max(crowd.most(), running + waiting()) / options.lanes));

  function pump(): void {
    while (free.length > 0 && waiting() >= share() && waiting() > 0) start();
    if (free.length > 0 && waiting() > 0) gather();
    if (waiting() === 0 && free.length === options.lanes) {
      for (const done of idle) done();
      idle = [];
    }
  }

  function gather(): void {
    if (gathering) return;
    gathering = true;
    const before = waiting();
    setImmediate(() => {
      gathering = false;
      if (free.length > 0 && waiting() > 0 && waiting() <= before) start();
      pump();
    });
  }

  function start(): void {
    crowd.saw(running + waiting());
    const batch = take();
    const lane = batch.length === 0 ? undefined : free.pop();
    if (lane !== undefined) void runBatch(batch, lane);
  }

  function take(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    const now = Date.now();
    while (batch.length < options.batchMax && waiting() > 0) {
      const decisionTurn = followUps.length === 0 || batch.length % (DECISIONS_TO_ONE + 1) < DECISIONS_TO_ONE;
      const next =
        (decisionTurn && decisions.length > 0 ? decisions : followUps).shift() ?? decisions.shift();
      if (next === undefined) break;
      if (options.deadlineOf(next.item) <= now) next.reject(overloaded());
      else batch.push(next);
    }
    return batch;
  }

  /** When an item that comes now would be answered, if batches take what the slow ones took lately. */
  const expectedAtMs = (): number =>
    Date.now() + pace.slowMs() * (1 + Math.floor(waiting() / (options.batchMax * options.lanes)));

  async function runBatch(batch: readonly Waiting<Item, Result>[], lane: number): Promise<void> {
    const startedAtMs = Date.now();
    running += batch.length;
    try {
      const results = await options.run(
        batch.map(({ item }) => item),
        lane,
      );
      batch.forEach(({ resolve, reject }, at) => {
        const result = results[at];
        if (result === undefined) reject(new Error('a batch gave no answer for one of its items'));
        else if (result instanceof Refusal) reject(result);
        else resolve(result);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      pace.took(Date.now() - startedAtMs);
      running -= batch.length;
      free.push(lane);
      pump();
    }
  }

  return {
    submit(item, turn) {
      // Turned away at once, the caller can still ask elsewhere; turned away late, it cannot (authorization 7).
      const hopeless = waiting() > 0 && expectedAtMs() > options.deadlineOf(item);
      if (draining || waiting() >= options.queueMax || hopeless) return Promise.reject(overloaded());
      return new Promise((resolve, reject) => {
        (turn === 'decision' ? decisions : followUps).push({ item, resolve, reject });
        pump();
      });
    },
    async drain() {
      draining = true;
      if (waiting() === 0 && free.length === options.lanes) return;
      await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}

const CROWD_OF = 16;

/** The most items that were under way at once when the newest batches began; 0 until there were any. */
function createCrowd() {
  const seen: number[] = [];
  let most = 0;
  return {
    most: (): number => most,
    saw(items: number): void {
      seen.push(items);
      if (seen.length > CROWD_OF) seen.shift();
      most = Math.max(...seen);
    },
  };
}

const PACE_OF = 64;

/** The 95th percentile of the newest batches' durations; 0 until there were any. */
function createPace() {
  const durations: number[] = [];
  let slow = 0;
  return {
    slowMs: (): number => slow,
    took(durationMs: number): void {
      durations.push(durationMs);
      if (durations.length > PACE_OF) durations.shift();
      const sorted = durations.toSorted((one, other) => one - other);
      slow = sorted[Math.floor(sorted.length * 0.95)] ?? sorted.at(-1) ?? 0;
    },
  };
}

const overloaded = (): Refusal =>
  new Refusal('OVERLOADED', 'Too much is waiting; try again.', { retryAfterSeconds: 1 });
