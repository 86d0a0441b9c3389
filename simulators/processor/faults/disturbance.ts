import type { Fault, FaultKind, GarbageForm } from './body.ts';

/** What the faults that hit one message ask for, put together. */
export interface Disturbance {
  readonly kinds: readonly FaultKind[];
  readonly delayMs: number;
  readonly drop: 'request' | 'answer' | null;
  readonly reset: 'request' | 'answer' | null;
  readonly status: { readonly code: number; readonly retryAfterSeconds: number | null } | null;
  readonly duplicates: { readonly times: number; readonly gapMs: number };
  readonly reorder: { readonly window: number; readonly waitMs: number } | null;
  readonly garbage: GarbageForm | null;
  /** The answer takes at least so long, counted from the sending. */
  readonly lateMs: number | null;
  readonly alterations: readonly { readonly field: string; readonly value: unknown }[];
}

/** Puts the faults that hit together; `jitter` from 0 to 1. */
export function together(faults: readonly Fault[], jitter: number): Disturbance {
  const result = {
    kinds: faults.map((fault) => fault.kind),
    delayMs: 0,
    drop: null as Disturbance['drop'],
    reset: null as Disturbance['reset'],
    status: null as Disturbance['status'],
    duplicates: { times: 0, gapMs: 0 },
    reorder: null as Disturbance['reorder'],
    garbage: null as Disturbance['garbage'],
    lateMs: null as number | null,
    alterations: [] as { field: string; value: unknown }[],
  };
  for (const fault of faults) {
    switch (fault.kind) {
      case 'delay':
        result.delayMs += fault.params.ms + Math.round(jitter * fault.params.jitterMs);
        break;
      case 'drop':
        result.drop = fault.params.stage;
        break;
      case 'duplicate':
        result.duplicates = fault.params;
        break;
      case 'reorder':
        result.reorder = fault.params;
        break;
      case 'garbage':
        result.garbage = fault.params.form;
        break;
      case 'status':
        result.status = { code: fault.params.code, retryAfterSeconds: fault.params.retryAfter ?? null };
        break;
      case 'reset':
        result.reset = fault.params.stage;
        break;
      case 'late':
        result.lateMs = fault.params.ms;
        break;
      case 'alter':
        result.alterations.push(fault.params);
        break;
    }
  }
  return result;
}
