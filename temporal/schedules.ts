import { type ScheduleOptionsAction, ScheduleAlreadyRunning, type ScheduleSpec } from '@temporalio/client';
import { RECONCILIATION_JOBS, type ReconciliationJob, reconciliationJobs } from '../domain/reconciliation.ts';
import type { ScheduledJobInput } from '../workflows/scheduled-job.ts';
import { WORKFLOW_QUEUE } from './task-queues.ts';
import type { WorkflowTarget } from './workflows.ts';

/** Missed runs are not made up for: the next one looks at everything since the last. */
const CATCHUP = '1 minute';

/** Id of the schedule of a job; Temporal adds the time to it for the id of each run's workflow. */
export const scheduleId = (job: ReconciliationJob): string => `reconciliation:${job}`;

/** Makes the schedules of all jobs that run by the clock; those that are there stay as an operator has set them. */
export async function ensureReconciliationSchedules(target: WorkflowTarget): Promise<void> {
  for (const job of reconciliationJobs) {
    const spec = specOf(job);
    if (spec === null) continue;
    await ensureSchedule(target, scheduleId(job), { workflow: 'reconciliation', spec, args: [{ job }] });
  }
}

interface ScheduledRun {
  readonly workflow: string;
  readonly spec: ScheduleSpec;
  readonly args: readonly unknown[];
  readonly catchup?: string;
}

async function ensureSchedule(target: WorkflowTarget, id: string, run: ScheduledRun): Promise<void> {
  const { client, taskQueue = WORKFLOW_QUEUE } = target;
  const action: ScheduleOptionsAction = {
    type: 'startWorkflow',
    workflowType: run.workflow,
    workflowId: id,
    taskQueue,
    args: [...run.args],
  };
  try {
    await client.schedule.create({
      scheduleId: id,
      spec: run.spec,
      policies: { overlap: 'SKIP', catchupWindow: run.catchup ?? CATCHUP },
      action,
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const schedule = client.schedule.getHandle(id);
    // What an earlier release started is ours to change; times and pauses are the operator's.
    if ((await schedule.describe()).action.workflowType === run.workflow) return;
    await schedule.update((there) => ({ ...there, action }));
  }
}

interface CustomerJob {
  readonly job: ScheduledJobInput['job'];
  readonly spec: ScheduleSpec;
  /** How late a missed run is made up for. */
  readonly catchup: string;
}

/**
 * Jobs over customers and companies, their locks and what is kept of them, with the time of each in UTC (onboarding
 * 6.6, 6.7, 7; operations 7.3).
 */
const CUSTOMER_JOBS: readonly CustomerJob[] = [
  { job: 'document-expiry', spec: { calendars: [{ hour: 0, minute: 10 }] }, catchup: '1 day' },
  { job: 'lock-expiry', spec: { intervals: [{ every: '5 minutes' }] }, catchup: CATCHUP },
  { job: 'rescreening', spec: { calendars: [{ hour: 2 }] }, catchup: '1 day' },
  { job: 'retention', spec: { calendars: [{ hour: 3 }] }, catchup: '1 day' },
];

/** Makes the schedules of the jobs over customers; those that are there stay as an operator has set them. */
export async function ensureCustomerSchedules(target: WorkflowTarget): Promise<void> {
  for (const { job, spec, catchup } of CUSTOMER_JOBS) {
    await ensureSchedule(target, job, { workflow: 'scheduledJob', spec, catchup, args: [{ job }] });
  }
}

/** Null for jobs that follow an event. */
function specOf(job: ReconciliationJob): ScheduleSpec | null {
  const when: { readonly everyMs?: number; readonly dailyAtHour?: number } = RECONCILIATION_JOBS[job];
  if (when.everyMs !== undefined) return { intervals: [{ every: when.everyMs }] };
  if (when.dailyAtHour !== undefined) return { calendars: [{ hour: when.dailyAtHour, comment: 'UTC' }] };
  return null;
}
