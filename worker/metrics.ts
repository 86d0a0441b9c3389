import type { Kysely } from 'kysely';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Database } from '../db/database.ts';
import { outboxBacklog } from '../db/relay.ts';
import type { DeliveryOutcome } from '../domain/delivery.ts';
import type { ReconciliationVerdict } from '../domain/reconciliation.ts';
import { createAuditMetrics, createCertificateMetrics } from './audit-metrics.ts';
import { createReconciliationMetrics } from './reconciliation-metrics.ts';

/** What the worker measures (operations 9.1); no ids and no personal data in labels. */
export interface WorkerMetrics {
  readonly registry: Registry;
  attempt(operation: string, outcome: DeliveryOutcome): void;
  batch(rows: number): void;
  poisoned(destination: 'partner' | 'workflow', rows: number): void;
  reconciled(verdict: ReconciliationVerdict): void;
  expired(holds: number): void;
  anchored(chains: readonly string[]): void;
}

/** A registry of this process. The backlog is read from the database when somebody asks. */
export function createMetrics(engine: Kysely<Database>, version: string): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'build_info', help: 'Running release', labelNames: ['role', 'build'], registers }).set(
    { role: 'worker', build: version },
    1,
  );
  const attempts = new Counter({
    name: 'delivery_attempts_total',
    help: 'Attempts at telling partners',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const batchSize = new Histogram({
    name: 'outbox_batch_size',
    help: 'Rows of a claimed batch',
    buckets: [1, 3, 10, 30, 100, 300],
    registers,
  });
  const poison = new Counter({
    name: 'outbox_poisoned_total',
    help: 'Rows given up after faults of their own',
    labelNames: ['destination'],
    registers,
  });
  const expired = new Counter({ name: 'holds_expired_total', help: 'Holds whose time was over', registers });
  const rows = new Gauge({
    name: 'outbox_rows',
    help: 'Rows that wait',
    labelNames: ['destination'],
    registers,
  });
  new Gauge({
    name: 'outbox_oldest_seconds',
    help: 'Age of the oldest row that waits',
    labelNames: ['destination'],
    registers,
    async collect() {
      this.reset();
      rows.reset();
      for (const one of await outboxBacklog(engine).catch(() => [])) {
        this.set({ destination: one.destination }, one.oldestSeconds);
        rows.set({ destination: one.destination }, one.rows);
      }
    },
  });
  createCertificateMetrics(engine, registry);
  return {
    registry,
    attempt: (operation, outcome) => attempts.inc({ operation, outcome }),
    batch: (size) => batchSize.observe(size),
    poisoned: (destination, count) => poison.inc({ destination }, count),
    reconciled: createReconciliationMetrics(engine, registry),
    expired: (holds) => expired.inc(holds),
    anchored: createAuditMetrics(engine, registry),
  };
}
