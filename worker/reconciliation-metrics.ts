import type { Kysely } from 'kysely';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Database } from '../db/database.ts';
import { lastSuccesses } from '../db/reconciliation.ts';
import type { ReconciliationVerdict } from '../domain/reconciliation.ts';

/** Counts failed jobs and broken rules, and tells how long each job has not succeeded (operations 9.1). */
export function createReconciliationMetrics(
  engine: Kysely<Database>,
  registry: Registry,
): (verdict: ReconciliationVerdict) => void {
  const registers = [registry];
  const failures = new Counter({
    name: 'reconciliation_failures_total',
    help: 'Runs that found a difference',
    labelNames: ['job'],
    registers,
  });
  const broken = new Counter({
    name: 'invariant_failed',
    help: 'Runs that found a rule broken',
    labelNames: ['id'],
    registers,
  });
  new Gauge({
    name: 'reconciliation_last_success_seconds',
    help: 'Time since the last run without a difference',
    labelNames: ['job'],
    registers,
    async collect() {
      this.reset();
      for (const one of await lastSuccesses(engine).catch(() => [])) {
        this.set({ job: one.job }, one.secondsAgo);
      }
    },
  });
  return (verdict) => {
    if (verdict.ok) return;
    failures.inc({ job: verdict.job });
    for (const id of verdict.invariants) broken.inc({ id });
  };
}
