import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import type * as workflows from '../../workflows/index.ts';

/** What a scenario plays on: a client, and the queue that workers with its activities poll. */
export interface Stage {
  readonly client: Client;
  readonly taskQueue: string;
}

/** One path through one workflow; its history is recorded and replayed from then on. */
export interface Scenario {
  /** File name of the workflow, for example `notification-batch`. */
  readonly workflow: string;
  /** What happens, in a few words with dashes; with the workflow it names the file. */
  readonly path: string;
  /** Stubs: what the path needs and nothing else. */
  readonly activities: Partial<Activities>;
  /** Plays the path up to where the history is to be taken: its end, or a point at which it waits. */
  play(stage: Stage): Promise<WorkflowHandle>;
}

/** An activity that never ends: for histories that are cut off while one runs. */
export const neverEnds = async (): Promise<never> => {
  await Context.current().cancelled;
  throw new Error('unreachable');
};

/** Starts a workflow of the bundle by its function's name. */
export async function begin<N extends keyof typeof workflows>(
  { client, taskQueue }: Stage,
  workflow: N,
  workflowId: string,
  ...args: Parameters<(typeof workflows)[N]>
): Promise<WorkflowHandle> {
  return await client.workflow.start(workflow, { workflowId, taskQueue, args });
}

const LOOK_MS = 50;
const LOOKS = 200;

/** Waits until the run waits for somebody else: an activity, a timer or a message is all that is left open. */
export async function untilItWaits(
  handle: WorkflowHandle,
  waits: 'ACTIVITY' | 'TIMER' | 'MESSAGE',
): Promise<WorkflowHandle> {
  for (let look = 0; look < LOOKS; look += 1) {
    await sleep(LOOK_MS);
    const { raw } = await handle.describe();
    if (isThere(raw.pendingWorkflowTask)) continue;
    const events = (await handle.fetchHistory()).events ?? [];
    const count = (has: (event: (typeof events)[number]) => unknown) =>
      events.filter((event) => isThere(has(event))).length;
    if (count((event) => event.workflowTaskCompletedEventAttributes) === 0) continue;
    const activity = (raw.pendingActivities?.length ?? 0) > 0;
    const timers =
      count((event) => event.timerStartedEventAttributes) -
      count((event) => event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes);
    if (waits === 'ACTIVITY' && activity) return handle;
    if (waits === 'TIMER' && !activity && timers > 0) return handle;
    if (waits === 'MESSAGE' && !activity && timers === 0) return handle;
  }
  throw new Error(`${handle.workflowId} did not come to wait`);
}

const isThere = (value: unknown): boolean => value !== null && value !== undefined;

/** Waits for the end of a run, however it ends. */
export async function untilItEnds(handle: WorkflowHandle): Promise<WorkflowHandle> {
  await handle.result().catch(() => undefined);
  return handle;
}
