/** Jobs that hold the books against themselves (authorization 16), and how often each runs. */
export const RECONCILIATION_JOBS = {
  /** What was written since the last run. */
  ledger: { everyMs: 60_000 },
  /** Every row, by night. */
  'ledger-full': { dailyAtHour: 2 },
  holds: { everyMs: 300_000 },
  outbox: { everyMs: 60_000 },
  /** One file, right after it was posted. */
  clearing: {},
  'account-age': { everyMs: 3_600_000 },
} as const satisfies Record<string, { readonly everyMs?: number; readonly dailyAtHour?: number }>;

export type ReconciliationJob = keyof typeof RECONCILIATION_JOBS;

/** The jobs by name. */
export const reconciliationJobs = Object.keys(RECONCILIATION_JOBS) as readonly ReconciliationJob[];

/** What a run came to; its row holds the evidence. */
export interface ReconciliationVerdict {
  readonly job: ReconciliationJob;
  readonly ok: boolean;
  /** Names of the rules that do not hold, each once. */
  readonly invariants: readonly string[];
}
