import { ScheduleAlreadyRunning, type ScheduleSpec } from '@temporalio/client';
import { RECONCILIATION_JOBS, type ReconciliationJob, reconciliationJobs } from '../domain/reconciliation.ts';
import { WORKFLOW_QUEUE } from './task-queues.ts';
import type { WorkflowTarget } from './workflows.ts';

/** Missed runs are not made up for: the next one looks at everything since the last. */
const CATCHUP = '1 minute';

/** Id of the schedule of a job; Temporal adds the time to it for the id of each run's workflow. */
export const scheduleId = (job: ReconciliationJob): string => `reconciliation:${job}`;

/** Makes the schedules of all jobs that run by the clock; those that are there stay as an operator has set them. */
export async function ensureReconciliationSchedules(target: WorkflowTarget): Promise<void> {
  const { client, taskQueue = WORKFLOW_QUEUE } = target;
  for (const job of reconciliationJobs) {
    const spec = specOf(job);
    if (spec === null) continue;
    try {
      await client.schedule.create({
        scheduleId: scheduleId(job),
        spec,
        policies: { overlap: 'SKIP', catchupWindow: CATCHUP },
        action: {
          type: 'startWorkflow',
          workflowType: 'reconciliation',
          workflowId: scheduleId(job),
          taskQueue,
          args: [{ job }],
        },
      });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  }
}

/** Null for jobs that follow an event. */
function specOf(job: ReconciliationJob): ScheduleSpec | null {
  const when: { readonly everyMs?: number; readonly dailyAtHour?: number } = RECONCILIATION_JOBS[job];
  if (when.everyMs !== undefined) return { intervals: [{ every: when.everyMs }] };
  if (when.dailyAtHour !== undefined) return { calendars: [{ hour: when.dailyAtHour, comment: 'UTC' }] };
  return null;
}
