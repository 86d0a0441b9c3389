/**
 * Queues by what limits them: `core` runs the workflows and our database steps; each collaborator has its own,
 * so that one that hangs takes no slot of another (operations 3, WORKER_TASK_QUEUES).
 */
export const TASK_QUEUES = ['core', 'kyc', 'partner-balance', 'processor', 'notifier'] as const;

export type TaskQueue = (typeof TASK_QUEUES)[number];

/** Where workflows run. */
export const WORKFLOW_QUEUE = 'core' satisfies TaskQueue;
