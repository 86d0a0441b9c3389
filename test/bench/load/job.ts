/** Which cards pay: `<prefix><n>` with n from 1 to `count`, at random. */
export interface CardRange {
  readonly prefix: string;
  readonly count: number;
}

export interface LoadJob {
  readonly ports: readonly number[];
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly connections: number;
  readonly seconds: number;
  readonly cards: CardRange;
  readonly amount: number;
  /** Requests a second by the clock, whatever the answers do; null = each connection sends its next at once. */
  readonly rate: number | null;
}

export interface LoadResult {
  readonly seconds: number;
  readonly approved: number;
  readonly declined: number;
  /** Answers that are no decision, by status. */
  readonly refused: Readonly<Record<string, number>>;
  /** Requests whose connection broke. */
  readonly broken: number;
  /** Milliseconds; under a rate from the moment at which the request was due. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
}

/** Decisions a second. */
export const perSecond = (result: LoadResult): number => (result.approved + result.declined) / result.seconds;

/** What a generator is told when its connections stand, and what it says then. */
export const START = 'start';
export const OPENED = 'opened';
