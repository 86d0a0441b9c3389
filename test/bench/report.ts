import type { LoadResult } from './load/job.ts';
import type { BenchOptions } from './options.ts';
import type { Part } from './processor-time.ts';
import { rounded } from './statistics.ts';

interface ReferenceFigures {
  readonly rate: number;
  /** Processor time of one, client and server. */
  readonly microseconds: number | null;
}

export interface Figures {
  /** Null without pgbench. */
  readonly tpcB: ReferenceFigures | null;
  readonly naive: ReferenceFigures | null;
  readonly p1: readonly {
    readonly connections: number;
    readonly rate: number;
    readonly toTpcB: number | null;
    readonly toNaive: number;
    readonly p50: number;
    readonly p99: number;
    /** Processor time of one answer. */
    readonly microseconds: Readonly<Record<Part, number>> | null;
    readonly toTpcBByProcessor: number | null;
    readonly toNaiveByProcessor: number | null;
  }[];
  readonly p2: { readonly rate: number; readonly ratio: number };
  readonly p3: { readonly rate: number; readonly ratio: number };
  readonly openLoop: LoadResult;
  readonly growth: { readonly cards: number; readonly transactions: number; readonly ratio: number };
  readonly verified: {
    readonly ledgerOk: boolean;
    readonly approvals: number;
    readonly approved: number;
    readonly broken: number;
  };
}

const perSecond = (rate: number): string => `${Math.round(rate)}/s`;
const times = (ratio: number | null): string =>
  ratio === null ? 'pgbench not found' : `${ratio.toFixed(2)} x`;
const byProcessor = (ratio: number | null): string =>
  ratio === null ? '' : `  (${ratio.toFixed(2)} x by processor time)`;
const referenceText = (one: ReferenceFigures | null): string =>
  one === null
    ? 'pgbench not found, left out'
    : `${perSecond(one.rate)}${one.microseconds === null ? '' : `  ${one.microseconds} us of processor time`}`;
const share = (ratio: number): string => `${Math.round(ratio * 100)} %`;

/** The table for people: what was measured, and what goals.md asks for. */
export function tableOf(figures: Figures, options: BenchOptions): string[] {
  const { openLoop, growth, verified } = figures;
  const { latencyMs: latency } = openLoop;
  const dropped = openLoop.broken + Object.values(openLoop.refused).reduce((sum, one) => sum + one, 0);
  const rows: (readonly [string, string, string])[] = [
    ['TPC-B (pgbench, scale 20, 8 clients)', referenceText(figures.tpcB), ''],
    ['naive: one transaction a request, in process', referenceText(figures.naive), ''],
    ...figures.p1.flatMap((one) => [
      [
        `P1 ${one.connections} connections`,
        `${perSecond(one.rate)}  p50 ${one.p50.toFixed(1)} ms  p99 ${one.p99.toFixed(1)} ms`,
        one.connections === 64 ? 'p99 <= 25 ms' : '',
      ] as const,
      [
        '   x TPC-B',
        times(one.toTpcB) + byProcessor(one.toTpcBByProcessor),
        one.connections === 64 ? '2 x, must 1.5 x' : one.connections === 256 ? '2.5 x, must 2 x' : '',
      ] as const,
      ['   x naive', times(one.toNaive) + byProcessor(one.toNaiveByProcessor), '4 x'] as const,
      ...(one.microseconds === null
        ? []
        : [
            [
              '   processor time of one',
              `API ${one.microseconds.api} us, PostgreSQL ${one.microseconds.database} us, load ${one.microseconds.generator} us`,
              '',
            ] as const,
          ]),
    ]),
    ['P2 one partner balance : spread over 64', share(figures.p2.ratio), '90 %'],
    ['P3 one user balance : P1', share(figures.p3.ratio), '50 %'],
    [
      `P4 open loop ${options.openLoop.rate}/s, ${options.openLoop.seconds} s`,
      `p50 ${latency.p50} ms  p99 ${latency.p99} ms  p99.9 ${latency.p999} ms  dropped ${dropped}`,
      '4, 20, 100 ms, 0',
    ],
    [
      `P5 ${growth.cards} cards, ${growth.transactions} transactions : P1`,
      share(growth.ratio),
      options.full ? '85 %' : '85 % at 5 million (--full)',
    ],
    ['ledger', `proved right; ${verified.approvals} approvals, all in the books`, ''],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return [['measured', 'here', 'goal'] as const, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

/** One line for programs. */
export const jsonOf = (figures: Figures): string =>
  JSON.stringify(figures, (_key, value: unknown) => (typeof value === 'number' ? rounded(value) : value));
