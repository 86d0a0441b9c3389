import type { Client } from '@temporalio/client';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import type { ProcessorClient } from '../activities/processor/client.ts';
import { endUnclaimedCards } from '../activities/processor/unclaimed-cards.ts';
import { atomically } from '../db/atomically.ts';
import type { Database } from '../db/database.ts';
import { expireApprovals } from '../db/approvals.ts';
import { AUDIT_SEALS_A_RUN, sealAudit } from '../db/audit-seals.ts';
import { remindOfCertificates } from '../db/certificate-reminders.ts';
import { sealLedger } from '../db/ledger-seals.ts';
import { sweepAlerts } from '../db/partner-balance-alerts.ts';
import { forgetSignInLeftovers } from '../db/sign-in-leftovers.ts';
import type { Caller } from '../domain/actor.ts';
import { ensureCustomerSchedules, ensureReconciliationSchedules } from '../temporal/schedules.ts';
import type { AnchorSink } from '../vault/anchor-sink.ts';
import type { Vault } from '../vault/vault.ts';
import { chainsOf, makeAnchor } from './audit-anchors.ts';
import { proveAuditNightly } from './audit-proof.ts';
import { type TaskQueue, WORKFLOW_QUEUE } from '../temporal/task-queues.ts';

/** Work that is done again and again, by every worker, harmless when two do it at once. */
interface Sweep {
  readonly name: string;
  readonly everyMs: number;
  run(parts: SweepParts): Promise<void>;
}

interface SweepParts {
  readonly vault: Vault;
  readonly anchors: AnchorSink;
  readonly engine: Kysely<Database>;
  readonly processor: ProcessorClient;
  readonly client: Client;
  readonly queues: readonly TaskQueue[];
  /** Ends the holds that are due; answers how many. */
  readonly expireHolds: () => Promise<number>;
  readonly onExpired: (holds: number) => void;
  readonly onAnchored: (chains: readonly string[]) => void;
  readonly logger: Logger;
}

const caller: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'sweeper' },
  requestId: 'sweeper',
  ip: null,
};

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const HALF_MINUTE_MS = 30_000;
const RETRY_MS = 60_000;
const AUDIT_SEAL_MS = 5_000;

const SWEEPS: readonly Sweep[] = [
  {
    name: 'schedules',
    everyMs: DAY_MS,
    run: async ({ client, queues }) => {
      if (!queues.includes(WORKFLOW_QUEUE)) return;
      await ensureReconciliationSchedules({ client });
      await ensureCustomerSchedules({ client });
    },
  },
  {
    name: 'holds',
    everyMs: HALF_MINUTE_MS,
    run: async ({ expireHolds, onExpired }) => onExpired(await expireHolds()),
  },
  {
    name: 'seals',
    everyMs: HALF_MINUTE_MS,
    run: async ({ engine }) => {
      await atomically(engine, caller, (trx) => sealLedger(trx));
    },
  },
  {
    name: 'audit-seals',
    everyMs: AUDIT_SEAL_MS,
    run: async ({ engine }) => {
      while ((await atomically(engine, caller, sealAudit)) === AUDIT_SEALS_A_RUN);
    },
  },
  {
    name: 'audit-anchors',
    everyMs: MINUTE_MS,
    run: async ({ engine, vault, anchors, onAnchored }) => {
      const anchor = await makeAnchor(engine, vault);
      await anchors.append(anchor);
      onAnchored(chainsOf(anchor));
    },
  },
  {
    name: 'audit-proof',
    everyMs: 10 * MINUTE_MS,
    run: async (parts) => {
      if ((await proveAuditNightly(parts, caller)) === false) {
        parts.logger.error({ alarm: 'audit-broken' }, 'the audit log is not whole');
      }
    },
  },
  {
    name: 'approvals',
    everyMs: MINUTE_MS,
    run: async ({ engine }) => {
      await expireApprovals(engine);
    },
  },
  {
    name: 'partitions',
    everyMs: DAY_MS,
    run: async ({ engine }) => {
      await sql`select create_partitions()`.execute(engine);
    },
  },
  {
    name: 'unasked-transactions',
    everyMs: DAY_MS,
    run: async ({ engine }) => {
      // An authorization that is later than this is one of its own (authorization 11).
      await sql`delete from unasked_transactions where created_at < cardloom_now() - interval '8 days'`.execute(
        engine,
      );
    },
  },
  {
    name: 'unclaimed-cards',
    everyMs: MINUTE_MS,
    run: async ({ engine, processor }) => {
      await endUnclaimedCards(engine, processor);
    },
  },
  {
    name: 'sign-in-leftovers',
    everyMs: 10 * MINUTE_MS,
    run: async ({ engine }) => {
      await forgetSignInLeftovers(engine);
    },
  },
  {
    name: 'certificate-reminders',
    everyMs: 60 * MINUTE_MS,
    run: async ({ engine }) => {
      await atomically(engine, caller, remindOfCertificates);
    },
  },
  {
    name: 'partner-balance-alerts',
    everyMs: HALF_MINUTE_MS,
    run: async ({ engine }) => {
      await sweepAlerts(engine);
    },
  },
];

/** Runs each sweep now and at its interval; a failed one is tried again after a minute. */
export function startSweepers(given: Omit<SweepParts, 'logger'>, logger: Logger): { stop(): Promise<void> } {
  const parts = { ...given, logger };
  const timers = new Map<string, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  async function sweep(one: Sweep): Promise<void> {
    const ok = await one.run(parts).then(
      () => true,
      (error: unknown) => {
        logger.error(
          { sweep: one.name, fault: error instanceof Error ? error.name : 'unknown' },
          'sweep failed',
        );
        return false;
      },
    );
    if (!stopped)
      timers.set(
        one.name,
        setTimeout(() => begin(one), ok ? one.everyMs : RETRY_MS),
      );
  }

  function begin(one: Sweep): void {
    const run = sweep(one).finally(() => running.delete(run));
    running.add(run);
  }

  for (const one of SWEEPS) begin(one);
  return {
    stop: async () => {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}
