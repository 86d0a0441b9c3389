import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, ParentClosePolicy, WorkflowIdReusePolicy, workflowInfo } from '@temporalio/workflow';
import { documentExpiry } from './document-expiry.ts';
import { lockExpiry } from './lock-expiry.ts';
import { rescreening } from './rescreening.ts';
import { retention } from './retention.ts';

export interface ScheduledJobInput {
  readonly job: 'document-expiry' | 'lock-expiry' | 'rescreening' | 'retention';
}

/**
 * What a schedule starts: Temporal puts a time of its own behind the id of whatever that is, so the job is started
 * from here under the id it has to have (onboarding 6.6, 6.7, 7). The run lasts as long as the job, which keeps two
 * from overlapping; answers the job's id. A job of that day or time that has run is not run again.
 */
export async function scheduledJob({ job }: ScheduledJobInput): Promise<{ readonly workflowId: string }> {
  const time = scheduledTime().toISOString();
  const at = job === 'lock-expiry' ? `${time.slice(0, 19)}Z` : time.slice(0, 10);
  const workflowId = `${job}:${at}`;
  const options = {
    workflowId,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  };
  try {
    await run(job, options);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return { workflowId };
}

async function run(
  job: ScheduledJobInput['job'],
  options: { readonly workflowId: string },
): Promise<unknown> {
  switch (job) {
    case 'document-expiry':
      return await executeChild(documentExpiry, { ...options, args: [] });
    case 'lock-expiry':
      return await executeChild(lockExpiry, { ...options, args: [] });
    case 'rescreening':
      return await executeChild(rescreening, { ...options, args: [{}] });
    case 'retention':
      return await executeChild(retention, { ...options, args: [] });
  }
}

/** The time a schedule meant, which a run that is late does not change; without a schedule the start. */
function scheduledTime(): Date {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return typedSearchAttributes.get({ name: 'TemporalScheduledStartTime', type: 'DATETIME' }) ?? startTime;
}
