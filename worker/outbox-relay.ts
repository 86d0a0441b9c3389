import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Pool } from 'pg';
import { atomically } from '../db/atomically.ts';
import type { Database } from '../db/database.ts';
import { listenForOutbox } from '../db/outbox-listener.ts';
import {
  claimNotices,
  connectionsWaiting,
  type HandedOver,
  handOverWorkflowRows,
  markBatchStarted,
  type RenderNotices,
  unstartedBatches,
  type WorkflowRow,
} from '../db/relay.ts';
import type { WorkflowStart } from '../domain/event.ts';
import { kybTimings } from '../domain/kyb-application.ts';
import { verificationTimings } from '../domain/verification.ts';
import {
  isTemporalAway,
  startFromOutbox,
  startNotificationBatch,
  type WorkflowTarget,
} from '../temporal/workflows.ts';

export interface RelayParts {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  /** The same database; one connection is taken for notifications. */
  readonly pool: Pool;
  readonly target: WorkflowTarget;
  readonly render: RenderNotices;
  readonly logger: Logger;
  readonly onBatch?: (rows: number) => void;
  readonly onPoison?: (destination: 'partner' | 'workflow', rows: number) => void;
}

export interface Relay {
  /** Ends what is under way and starts nothing more. */
  stop(): Promise<void>;
}

const LOOK_MS = 200;
const AWAY_MS = 1_000;
/** A claimed batch without a workflow for so long was left by a relay that died. */
const ABANDONED_MS = 5_000;

const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'relay' },
  requestId: 'relay',
  ip: null,
} as const;

/**
 * Empties the outbox into Temporal (partner-integrations 12): on notification, at the latest every 200 ms.
 * Rows to partners become batches, `workflow` rows start or signal their workflow. While Temporal is away rows
 * stay where they are.
 */
export function startRelay(parts: RelayParts): Relay {
  const { db, pool, target, render, logger } = parts;
  let stopped = false;
  let told = false;
  let wake = (): void => undefined;
  let away = false;
  const listener = listenForOutbox(pool, () => {
    told = true;
    wake();
  });

  const running = (async () => {
    while (!stopped) {
      told = false;
      const more = await round().catch((error: unknown) => {
        const fault = error instanceof Error ? error.name : 'unknown';
        if (!stopped) logger.error({ fault, ...codeOf(error) }, 'the relay failed a round');
        return 'PAUSE' as const;
      });
      if (more === 'MORE') continue;
      await pause(more === 'PAUSE' ? AWAY_MS : LOOK_MS, more === 'IDLE');
    }
  })();

  /** `MORE`: look again at once; `PAUSE`: Temporal or the database is away. */
  async function round(): Promise<'MORE' | 'IDLE' | 'PAUSE'> {
    for (const batch of await unstartedBatches(db, away ? 0 : ABANDONED_MS)) {
      if (!(await startBatch(batch.batchId, batch.partnerId))) return 'PAUSE';
    }
    const workflows = await atomically(db, caller, (trx) => handOverWorkflowRows(trx, handOver));
    for (const row of workflows.setAside) {
      logger.error({ outboxId: row.outboxId, workflowId: row.workflowId }, 'a workflow row was set aside');
    }
    if (workflows.setAside.length > 0) parts.onPoison?.('workflow', workflows.setAside.length);
    if (workflows.away) return noteAway(true);
    let more = workflows.done > 0;
    for (const connectionId of await connectionsWaiting(db)) {
      const claimed = await atomically(db, caller, (trx) => claimNotices(trx, connectionId, render));
      if (claimed === null) continue;
      if (claimed.poisoned > 0) {
        logger.error({ connectionId, rows: claimed.poisoned }, 'rows to a partner were given up');
        parts.onPoison?.('partner', claimed.poisoned);
      }
      more ||= claimed.full;
      if (claimed.rows === 0) continue;
      parts.onBatch?.(claimed.rows);
      if (!(await startBatch(claimed.batchId, claimed.partnerId))) return 'PAUSE';
    }
    noteAway(false);
    return more && !stopped ? 'MORE' : 'IDLE';
  }

  async function startBatch(batchId: string, partnerId: number): Promise<boolean> {
    try {
      await startNotificationBatch(target, { batchId, partnerId });
    } catch (error) {
      if (!isTemporalAway(error)) throw error;
      noteAway(true);
      return false;
    }
    await markBatchStarted(db, batchId);
    return true;
  }

  async function handOver(row: WorkflowRow): Promise<HandedOver> {
    try {
      // What db/outbox.ts has written; a kind this release does not know is the row's own fault.
      const start = { workflow: row.workflow, id: row.workflowId, input: row.input } as WorkflowStart;
      await startFromOutbox(target, start, {
        owner: ownerOf(row),
        verificationTimings: verificationTimings(row.timings.kyc),
        kybTimings: kybTimings(row.timings.kyb),
      });
      return 'DONE';
    } catch (error) {
      return isTemporalAway(error) ? 'AWAY' : 'OWN_FAULT';
    }
  }

  function noteAway(now: boolean): 'PAUSE' | 'IDLE' {
    if (now !== away) logger[now ? 'warn' : 'info'](now ? 'Temporal is away: rows wait' : 'Temporal is back');
    away = now;
    return now ? 'PAUSE' : 'IDLE';
  }

  async function pause(ms: number, untilRows: boolean): Promise<void> {
    // Rows may have come while the round was at work.
    if (stopped || (untilRows && told)) return;
    const cut = new AbortController();
    wake = () => {
      if (untilRows || stopped) cut.abort();
    };
    await sleep(ms, undefined, { signal: cut.signal }).catch(() => undefined);
    wake = () => undefined;
  }

  return {
    stop: async () => {
      stopped = true;
      wake();
      await listener.stop();
      await running;
    },
  };
}

/** Null where the workflow belongs to no partner. */
const ownerOf = ({ partnerId, programmeId }: WorkflowRow) =>
  partnerId === null || programmeId === null ? null : { partnerId, programmeId };

const codeOf = (error: unknown): { code?: string } =>
  typeof error === 'object' && error !== null && 'code' in error ? { code: String(error.code) } : {};
