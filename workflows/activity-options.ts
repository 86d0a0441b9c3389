import { type ActivityOptions, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

/** `core`, or the queue of a collaborator; each limits what one of them can take of the worker. */
export type ActivityQueue = 'core' | 'kyc' | 'partner-balance' | 'processor' | 'notifier';

interface Profile {
  readonly queue: ActivityQueue;
  readonly options: ActivityOptions;
}

/** One profile for each kind of call; the numbers are explained where they stand. */
export const PROFILES = {
  /** A call to the processor that has to succeed in the end: pauses grow to 5 minutes (cards 7, class PR). */
  processor: {
    queue: 'processor',
    options: {
      // The client gives up after 13 s, so that its outcome is stored before the attempt is over.
      startToCloseTimeout: '15s',
      retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
    },
  },
  /** Fetching a file: 60 s for its bytes, the rest for our database. */
  file: {
    queue: 'processor',
    options: {
      startToCloseTimeout: '3m',
      heartbeatTimeout: '70s',
      retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
    },
  },
  /** Steps of a file in our database; a heartbeat with every block of 500 records. */
  posting: {
    queue: 'core',
    options: {
      startToCloseTimeout: '10m',
      heartbeatTimeout: '1m',
      retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
    },
  },
  /** Cleaning up after somebody who left: our own database, as many commits as there are cards (onboarding 2). */
  removal: {
    queue: 'core',
    options: {
      // A step that was cut off goes on where it stopped.
      startToCloseTimeout: '1m',
      retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
    },
  },
  /** A job over the books: it reads for as long as it takes, at worst every row. */
  job: {
    queue: 'core',
    options: {
      startToCloseTimeout: '2h',
      retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '5m' },
    },
  },
  /** First attempts of a batch: up to 300 rows, 16 at a time, 10 s each at worst. */
  batch: {
    queue: 'notifier',
    options: {
      startToCloseTimeout: '5m',
      // A worker that died is noticed by this; the rows it had not stored yet are then sent again.
      heartbeatTimeout: '15s',
      retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' },
    },
  },
  /** One attempt at one delivery: 10 s for the partner, the rest for our database. */
  attempt: {
    queue: 'notifier',
    options: {
      startToCloseTimeout: '20s',
      // A partner that does not accept is a result, not a failure: only our own faults are repeated here.
      retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
    },
  },
} as const satisfies Record<string, Profile>;

/**
 * The activities under a profile, on the collaborator's queue. Workflows that run elsewhere than on `core`
 * (tests, with one queue a file) keep their activities with them.
 */
export function activitiesFor(profile: keyof typeof PROFILES) {
  const { queue, options } = PROFILES[profile];
  const { taskQueue } = workflowInfo();
  return proxyActivities<Activities>({ ...options, taskQueue: taskQueue === 'core' ? queue : taskQueue });
}
