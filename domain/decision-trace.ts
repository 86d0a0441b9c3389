import type { RefusingStep, Trace } from './decision.ts';
import type { EventKind } from './transaction.ts';

/** How a decision came to be made: which lane, how many with it, how long it waited. */
export interface LaneFacts {
  readonly lane: number;
  readonly batchSize: number;
  readonly queueMs: number;
}

interface CompactTrace {
  /** Versions of programme and product. */
  readonly v?: readonly [number, number];
  /** Number and values of the step that refused. */
  readonly s?: number;
  readonly x?: RefusingStep['values'];
  readonly f?: readonly string[];
  readonly l: number;
  readonly n: number;
  readonly q: number;
}

/** The trace as it is stored with the event: a short JSON text without what can be derived. */
export function compactTrace(trace: Trace, { lane, batchSize, queueMs }: LaneFacts): string {
  const { programmeVersion, productVersion, refusedBy, flags } = trace;
  const compact: CompactTrace = {
    ...(programmeVersion === null || productVersion === null
      ? {}
      : { v: [programmeVersion, productVersion] }),
    ...(refusedBy === null ? {} : { s: refusedBy.step, x: refusedBy.values }),
    ...(flags.length === 0 ? {} : { f: flags }),
    l: lane,
    n: batchSize,
    q: Math.round(queueMs * 10) / 10,
  };
  return JSON.stringify(compact);
}

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
  AUTHORIZATION: [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 18, 19, 20],
  BALANCE_INQUIRY: [1, 2, 3, 4, 5, 6, 7, 9, 10],
};

export interface TraceStep {
  readonly no: number;
  readonly check: string;
  readonly outcome: 'PASS' | 'FAIL' | 'SKIPPED';
  readonly reason: string | null;
  readonly detail: RefusingStep['values'];
}

export interface ReadableTrace {
  readonly refusedBy: { readonly step: number; readonly values: RefusingStep['values'] } | null;
  readonly steps: readonly TraceStep[];
  readonly flags: readonly string[];
  readonly versions: { readonly programme: number; readonly product: number } | null;
  readonly lane: LaneFacts | null;
}

/** Fills in what a stored trace implies: the steps before the refusing one passed, those after never ran. */
export function readTraceText(kind: EventKind, reason: string | null, text: string | null): ReadableTrace {
  const stored = text === null ? null : (JSON.parse(text) as CompactTrace);
  const refusing = stored?.s ?? null;
  const values = stored?.x ?? {};
  return {
    refusedBy: refusing === null ? null : { step: refusing, values },
    steps: (STEPS_OF[kind] ?? []).map((no) => stepOf(no, refusing, reason, values)),
    flags: stored?.f ?? [],
    versions: stored?.v === undefined ? null : { programme: stored.v[0], product: stored.v[1] },
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
