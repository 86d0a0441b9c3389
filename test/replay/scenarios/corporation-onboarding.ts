import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../../activities/index.ts';
import type { KybState } from '../../../activities/database/kyb-applications.ts';
import {
  KYB_SECTIONS,
  type KybCommand,
  type KybStatus,
  type KybTimings,
  type SectionState,
  statusAfter,
} from '../../../domain/kyb-application.ts';
import { personCheckActivities } from './person-verification.ts';
import { begin, neverEnds, type Scenario, type Stage, untilItEnds, untilItWaits } from '../scenario.ts';

const HOUR_MS = 3_600_000;
const SLOW: KybTimings = {
  reminderMs: [HOUR_MS, 2 * HOUR_MS],
  draftMs: 3 * HOUR_MS,
  correctionMs: HOUR_MS,
  screeningMs: HOUR_MS,
  reviewReminderMs: HOUR_MS,
};

/** An application in memory: what the database would answer along the path. */
function collaborators(changes: Partial<Activities> = {}): Partial<Activities> {
  let status: KybStatus = 'DRAFT';
  let round = 0;
  const marks = new Map<string, SectionState>();
  const now = (): KybState => ({
    partnerId: 1,
    programmeId: 2,
    status,
    round,
    sections: KYB_SECTIONS.map((section) => ({
      section,
      state: marks.get(section) ?? 'PENDING',
      changed: false,
    })),
  });
  return {
    startKyb: async () => now(),
    readKyb: async () => {
      status = 'SUBMITTED';
      round += 1;
      return now();
    },
    remindKybApplicant: async () => undefined,
    remindKybReviewers: async () => undefined,
    endKybWait: async (wait) => {
      status = wait.status === 'DRAFT' ? 'EXPIRED' : 'ON_HOLD';
      return { state: now(), leftMs: 0 };
    },
    screenKybCompany: async () => ({ persons: ['person-1', 'person-2'] }),
    screenKybPerson: async () => undefined,
    concludeKybScreening: async () => now(),
    applyKybCommand: async ({ command }) => {
      if (command.action === 'reviewSection') marks.set(command.section, command.result);
      status = statusAfter(command.action);
      return now();
    },
    ...changes,
  };
}

const onboard = (stage: Stage, id: string, timings: Partial<KybTimings> = {}) =>
  begin(stage, 'corporationOnboarding', `corporation-onboarding:${id}`, {
    applicationId: id,
    timings: { ...SLOW, ...timings },
    checkTimings: { providerPollMs: 200, providerLimitMs: HOUR_MS },
  });

type Run = Awaited<ReturnType<typeof onboard>>;
type Asked = KybCommand extends infer C ? (C extends KybCommand ? Omit<C, 'operatorId'> : never) : never;

const ask = (run: Run, command: Asked) =>
  run.executeUpdate(command.action, { args: [{ operatorId: 'operator-1', ...command }] });

const verifyAll = async (run: Run): Promise<void> => {
  for (const section of KYB_SECTIONS) {
    await ask(run, { action: 'reviewSection', section, result: 'VERIFIED' });
  }
};

const untilStatus = async (run: Run, status: KybStatus): Promise<void> => {
  while ((await run.query<{ status: KybStatus }>('state')).status !== status) await sleep(50);
};

/** Sends the form and waits until the reviewers are waited for. */
async function submit(run: Run, round = 1): Promise<void> {
  await untilItWaits(run, 'TIMER');
  await run.signal('submitted', { round });
  await untilStatus(run, 'SUBMITTED');
  await untilItWaits(run, 'TIMER');
}

const MARK = {
  action: 'reviewSection',
  section: 'ENTITY',
  result: 'NEEDS_CORRECTION',
  comment: 'which name?',
} as const;

/** A path to its end. */
const path = (
  name: string,
  act: (run: Run) => Promise<unknown>,
  activities: Partial<Activities> = {},
  timings: Partial<KybTimings> = {},
): Scenario => ({
  workflow: 'corporation-onboarding',
  path: name,
  activities: collaborators(activities),
  async play(stage) {
    const run = await onboard(stage, name, timings);
    await act(run);
    return await untilItEnds(run);
  },
});

/** A history that is cut off where the run waits, after `act`. */
const inFlight = (
  name: string,
  waits: 'ACTIVITY' | 'TIMER' | 'MESSAGE',
  act: (run: Run) => Promise<unknown> = async () => undefined,
  activities: Partial<Activities> = {},
): Scenario => ({
  workflow: 'corporation-onboarding',
  path: `in-flight-${name}`,
  activities: collaborators(activities),
  async play(stage) {
    const run = await onboard(stage, `in-flight-${name}`);
    await act(run);
    return await untilItWaits(run, waits);
  },
});

const signalSubmitted = async (run: Run): Promise<void> => {
  await untilItWaits(run, 'TIMER');
  await run.signal('submitted', { round: 1 });
};

/** A provider that looks at one person, and a register. */
const CHECKED: Partial<Activities> = {
  ...personCheckActivities(),
  screenKybCompany: async () => ({
    persons: ['person-1'],
    checks: [{ personId: 'person-1', pictures: ['FACE', 'FRONT'] }],
  }),
  checkCompanyRegistry: async () => [],
};

/** Until a review is taken, which is refused while the round is screened. */
async function untilReviewed(run: Run): Promise<void> {
  const review = { action: 'reviewSection', section: 'CONTACT', result: 'VERIFIED' } as const;
  while (
    !(await ask(run, review).then(
      () => true,
      () => false,
    ))
  )
    await sleep(100);
}

/** Paths of `corporation-onboarding`. */
export const corporationOnboardingScenarios: readonly Scenario[] = [
  path('accepted', async (run) => {
    await submit(run);
    await verifyAll(run);
    await ask(run, { action: 'accept', note: 'clean' });
  }),
  path('rejected-after-refused-updates', async (run) => {
    await submit(run);
    await ask(run, { action: 'accept' }).catch(() => undefined);
    await ask(run, { action: 'reject', reason: '' }).catch(() => undefined);
    await ask(run, { action: 'reject', reason: 'no licence' });
  }),
  path(
    'acceptance-refused-by-the-database-then-rejected',
    async (run) => {
      await submit(run);
      await verifyAll(run);
      await ask(run, { action: 'accept' }).catch(() => undefined);
      await ask(run, { action: 'reject', reason: 'sanctions' });
    },
    (() => {
      const { applyKybCommand } = collaborators();
      return {
        applyKybCommand: async (of) => {
          if (of.command.action === 'accept') {
            throw ApplicationFailure.nonRetryable('refused', 'SCREENING_HIT_OPEN');
          }
          return (await applyKybCommand?.(of)) as KybState;
        },
      };
    })(),
  ),
  path('corrected-then-accepted', async (run) => {
    await submit(run);
    await ask(run, MARK);
    await ask(run, { action: 'requestCorrection' });
    await run.signal('touched', {});
    await submit(run, 2);
    await verifyAll(run);
    await ask(run, { action: 'accept' });
  }),
  path('held-resumed-rejected', async (run) => {
    await submit(run);
    await ask(run, { action: 'hold', reason: 'asked the registry' });
    await untilItWaits(run, 'MESSAGE');
    await run.signal('hitDecided', { hitId: 'hit-1', decision: 'FALSE_POSITIVE' });
    await ask(run, { action: 'resume' });
    await ask(run, { action: 'reject', reason: 'no answer' });
  }),
  path('rejected-while-corrected', async (run) => {
    await submit(run);
    await ask(run, MARK);
    await ask(run, { action: 'requestCorrection' });
    await untilItWaits(run, 'TIMER');
    await ask(run, { action: 'reject', reason: 'withdrawn' });
  }),
  path(
    'reminded-touched-expired',
    async (run) => await run.signal('touched', {}),
    {},
    {
      reminderMs: [300, 600],
      draftMs: 900,
    },
  ),
  path(
    'correction-overdue-then-rejected',
    async (run) => {
      await submit(run);
      await ask(run, MARK);
      await ask(run, { action: 'requestCorrection' });
      await untilStatus(run, 'ON_HOLD');
      await untilItWaits(run, 'MESSAGE');
      await ask(run, { action: 'reject', reason: 'no answer' });
    },
    {},
    { correctionMs: 300 },
  ),
  path(
    'reviewed-without-screening',
    async (run) => {
      await submit(run);
      await ask(run, { action: 'reject', reason: 'no licence' });
    },
    {
      screenKybCompany: async () => {
        throw ApplicationFailure.create({ type: 'LISTS_AWAY', nextRetryDelay: 50 });
      },
    },
    { screeningMs: 300 },
  ),
  path(
    'reviewers-reminded-then-rejected',
    async (run) => {
      await untilItWaits(run, 'TIMER');
      await run.signal('submitted', { round: 1 });
      await untilStatus(run, 'SUBMITTED');
      await sleep(700);
      await ask(run, { action: 'reject', reason: 'no licence' });
    },
    {},
    { reviewReminderMs: 300 },
  ),
  path(
    'persons-checked-then-accepted',
    async (run) => {
      await signalSubmitted(run);
      await untilReviewed(run);
      await verifyAll(run);
      await ask(run, { action: 'accept' });
    },
    CHECKED,
  ),
  path(
    'person-unchecked-in-time-then-rejected',
    async (run) => {
      await signalSubmitted(run);
      await untilReviewed(run);
      await ask(run, { action: 'reject', reason: 'no licence' });
    },
    { ...CHECKED, fetchPersonCheck: neverEnds },
    { screeningMs: 500 },
  ),
  path(
    'held-while-a-person-is-checked-then-rejected',
    async (run) => {
      await signalSubmitted(run);
      await untilStatus(run, 'SUBMITTED');
      await untilItWaits(run, 'TIMER');
      await ask(run, { action: 'hold', reason: 'asked the registry' });
      await ask(run, { action: 'reject', reason: 'no answer' });
    },
    { ...CHECKED, fetchPersonCheck: neverEnds },
  ),
  inFlight('asking-the-register', 'ACTIVITY', signalSubmitted, {
    ...CHECKED,
    checkCompanyRegistry: neverEnds,
  }),
  inFlight(
    'waiting-for-persons',
    'TIMER',
    async (run) => {
      await signalSubmitted(run);
      await untilStatus(run, 'SUBMITTED');
    },
    { ...CHECKED, fetchPersonCheck: neverEnds },
  ),
  inFlight('starting', 'ACTIVITY', undefined, { startKyb: neverEnds }),
  inFlight('draft', 'TIMER'),
  inFlight('screening-company', 'ACTIVITY', signalSubmitted, { screenKybCompany: neverEnds }),
  inFlight('screening-person', 'ACTIVITY', signalSubmitted, { screenKybPerson: neverEnds }),
  inFlight('concluding', 'ACTIVITY', signalSubmitted, { concludeKybScreening: neverEnds }),
  inFlight('review', 'TIMER', submit),
  inFlight('correction', 'TIMER', async (run) => {
    await submit(run);
    await ask(run, MARK);
    await ask(run, { action: 'requestCorrection' });
  }),
  inFlight('hold', 'MESSAGE', async (run) => {
    await submit(run);
    await ask(run, { action: 'hold', reason: 'asked the registry' });
  }),
  inFlight(
    'deciding',
    'ACTIVITY',
    async (run) => {
      await submit(run);
      await run.startUpdate('reject', {
        args: [{ action: 'reject', reason: 'no licence', operatorId: 'operator-1' }],
        waitForStage: 'ACCEPTED',
      });
    },
    { applyKybCommand: neverEnds },
  ),
];
