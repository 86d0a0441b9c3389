import type { RefusingStep, Trace } from './decision.ts';
import type { EventKind } from './transaction.ts';

/** How a decision came to be made: which lane, how many with it, how long it waited. */
export interface LaneFacts {
  readonly lane: number;
  readonly batchSize: number;
  readonly queueMs: number;
}

interface CompactTrace {
  /** Versions of programme and product, and of the card's limits where it has any. */
  readonly v?: readonly [number, number] | readonly [number, number, number];
  /** What counts against the card's limits after this event, without the zeros at its end. */
  readonly c?: readonly number[];
  /** Number and values of the step that refused. */
  readonly s?: number;
  readonly x?: RefusingStep['values'];
  readonly f?: readonly string[];
  /** Steps that would have refused a forced message. */
  readonly g?: readonly number[];
  readonly l: number;
  readonly n: number;
  readonly q: number;
}

/** The trace as it is stored with the event: a short JSON text without what can be derived. */
export function compactTrace(
  trace: Trace,
  { lane, batchSize, queueMs }: LaneFacts,
  consumed: readonly number[] | null = null,
): string {
  const { programmeVersion, productVersion, limitsVersion, refusedBy, flags, flagged = [] } = trace;
  const compact: CompactTrace = {
    ...(programmeVersion === null || productVersion === null
      ? {}
      : {
          v:
            limitsVersion === null || limitsVersion === undefined
              ? [programmeVersion, productVersion]
              : [programmeVersion, productVersion, limitsVersion],
        }),
    ...(consumed === null ? {} : { c: withoutLastZeros(consumed) }),
    ...(refusedBy === null ? {} : { s: refusedBy.step, x: refusedBy.values }),
    ...(flags.length === 0 ? {} : { f: flags }),
    ...(flagged.length === 0 ? {} : { g: flagged }),
    l: lane,
    n: batchSize,
    q: Math.round(queueMs * 10) / 10,
  };
  return JSON.stringify(compact);
}

const withoutLastZeros = (numbers: readonly number[]): readonly number[] =>
  numbers.slice(0, numbers.findLastIndex((one) => one !== 0) + 1);

const CHECKS: Readonly<Record<number, string>> = {
  1: 'REPEAT',
  2: 'REQUEST',
  3: 'REQUEST',
  4: 'CARD',
  5: 'CARD_STATE',
  6: 'OWNER',
  7: 'BALANCE',
  8: 'REFERENCE',
  9: 'VERIFICATION',
  10: 'TRANSACTIONAL_LOCK',
  11: 'CURRENCY',
  12: 'AML',
  13: 'AML',
  14: 'LIMITS',
  15: 'LIMITS',
  16: 'LIMITS',
  17: 'FEE',
  18: 'PARTNER_BALANCE',
  19: 'USER_FUNDS',
  20: 'PARTNER_DECISION',
};

/** Steps that each kind of decision goes through in this release, in their order. */
const STEPS_OF: Partial<Record<EventKind, readonly number[]>> = {
  AUTHORIZATION: [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 14, 15, 16, 18, 19, 20],
  INCREMENT: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 18, 19, 20],
  BALANCE_INQUIRY: [1, 2, 3, 4, 5, 6, 7, 9, 10],
};

export interface TraceStep {
  readonly no: number;
  readonly check: string;
  readonly outcome: 'PASS' | 'FAIL' | 'SKIPPED' | 'FLAG';
  readonly reason: string | null;
  readonly detail: RefusingStep['values'];
}

export interface ReadableTrace {
  readonly refusedBy: {
    readonly step: number;
    /** The limit that refused, `card.daily.general`. */
    readonly rule: string | null;
    readonly values: RefusingStep['values'];
    readonly version: number | null;
  } | null;
  readonly steps: readonly TraceStep[];
  readonly flags: readonly string[];
  readonly versions: {
    readonly programme: number;
    readonly product: number;
    readonly limits: number | null;
  } | null;
  /** What counted against the card's limits after this event (domain/limit.ts); null when nothing was counted. */
  readonly consumed: readonly number[] | null;
  readonly lane: LaneFacts | null;
}

/** Fills in what a stored trace implies: the steps before the refusing one passed, those after never ran. */
export function readTraceText(kind: EventKind, reason: string | null, text: string | null): ReadableTrace {
  const stored = text === null ? null : (JSON.parse(text) as CompactTrace);
  const refusing = stored?.s ?? null;
  const { rule = null, version = null, ...values } = stored?.x ?? {};
  return {
    refusedBy:
      refusing === null
        ? null
        : {
            step: refusing,
            rule: rule === null ? null : String(rule),
            values,
            version: version === null ? null : Number(version),
          },
    steps: (STEPS_OF[kind] ?? []).map((no) =>
      stored?.g?.includes(no) === true
        ? { no, check: CHECKS[no] ?? 'UNKNOWN', outcome: 'FLAG', reason: null, detail: {} }
        : stepOf(no, refusing, reason, values),
    ),
    flags: stored?.f ?? [],
    versions:
      stored?.v === undefined
        ? null
        : { programme: stored.v[0], product: stored.v[1], limits: stored.v[2] ?? null },
    consumed: stored?.c ?? null,
    lane: stored === null ? null : { lane: stored.l, batchSize: stored.n, queueMs: stored.q },
  };
}

function stepOf(
  no: number,
  refusing: number | null,
  reason: string | null,
  values: RefusingStep['values'],
): TraceStep {
  const check = CHECKS[no] ?? 'UNKNOWN';
  if (refusing === null || no < refusing) return { no, check, outcome: 'PASS', reason: null, detail: {} };
  if (no > refusing) return { no, check, outcome: 'SKIPPED', reason: null, detail: {} };
  return { no, check, outcome: 'FAIL', reason, detail: values };
}
