import type { Difference } from './match.ts';

export type Outcome = 'PASSED' | 'FAILED' | 'SKIPPED';

/** One step as it went: what was sent and came, what was expected and differs (spec 6.5). */
export interface StepReport {
  readonly id: string | null;
  readonly word: string;
  readonly outcome: Outcome;
  readonly sent: unknown;
  readonly got: unknown;
  readonly expected: unknown;
  readonly differences: readonly Difference[];
  /** Why the step could not be done; null when it was. */
  readonly error: string | null;
  readonly ms: number;
}

/** One check of `finally`. SKIPPED: whoever has the database must do it (`ledgerZeroSum`). */
export interface CheckReport {
  readonly check: string;
  readonly outcome: Outcome;
  readonly got: unknown;
  readonly differences: readonly Difference[];
  readonly error: string | null;
}

export interface RunReport {
  readonly runId: string;
  readonly name: string;
  readonly seed: number;
  readonly state: 'QUEUED' | 'RUNNING' | 'PASSED' | 'FAILED';
  readonly steps: readonly StepReport[];
  readonly finally: readonly CheckReport[];
  readonly ms: number;
}
