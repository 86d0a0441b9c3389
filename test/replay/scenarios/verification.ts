import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../../activities/index.ts';
import type { ScreenedVerification } from '../../../activities/database/verifications.ts';
import type { CheckResult } from '../../../activities/kyc-provider/answers.ts';
import type { ReviewDecision, VerificationTimings } from '../../../domain/verification.ts';
import { begin, neverEnds, type Scenario, type Stage, untilItEnds, untilItWaits } from '../scenario.ts';

const FACTS: ScreenedVerification = {
  customerId: 1001,
  partnerId: 1,
  programmeId: 2,
  mode: 'AUTOMATIC',
  openHit: false,
  sanctionConfirmed: false,
  pep: false,
  riskLevel: 'LOW',
  pictures: ['FACE', 'FRONT', 'BACK'],
};
const APPROVED: CheckResult = { kind: 'COMPLETED', outcome: 'APPROVED', reasons: [] };
const RUNNING: CheckResult = { kind: 'RUNNING' };
const ACCEPT: ReviewDecision = { decision: 'ACCEPT', operatorId: 'operator-1' };
const REJECT: ReviewDecision = {
  decision: 'REJECT',
  reason: 'INVALID_SELFIE',
  operatorId: 'operator-1',
  note: 'blurred',
};
const HOUR_MS = 3_600_000;
const SLOW = { providerPollMs: HOUR_MS, providerLimitMs: HOUR_MS };
const RESULT = { eventId: 'ev-1', checkId: 'ch-1' };

/** Every collaborator says yes; `checks` are the provider's answers in order, the last one for good. */
function collaborators(
  facts: Partial<ScreenedVerification> = {},
  checks: readonly CheckResult[] = [RUNNING],
): Partial<Activities> {
  const left = [...checks];
  const done = async () => 'DONE' as const;
  return {
    screenPerson: async () => ({ ...FACTS, ...facts }),
    readScreening: async () => ({ ...FACTS, ...facts }),
    setStage: async () => undefined,
    applyDecision: async () => 'APPLIED',
    openDefaultBalance: async () => 'OPENED',
    createApplicant: done,
    uploadDocument: done,
    startCheck: done,
    fetchCheck: async () => (left.length > 1 ? left.shift() : left[0]) ?? RUNNING,
  };
}

const manual = collaborators({ mode: 'MANUAL' });

/** The first of a list, once; then the other for good. */
const once = <T>(first: T, then: T): (() => Promise<T>) => {
  let asked = false;
  return async () => {
    const answer = asked ? then : first;
    asked = true;
    return answer;
  };
};

const away = async (): Promise<never> => {
  throw ApplicationFailure.create({ type: 'KYC_PROVIDER_UNAVAILABLE', nextRetryDelay: HOUR_MS });
};

const verify = (stage: Stage, id: string, timings: VerificationTimings = SLOW) =>
  begin(stage, 'customerVerification', `customer-verification:${id}`, {
    verificationId: id,
    customerId: FACTS.customerId,
    timings,
  });

type Run = Awaited<ReturnType<typeof verify>>;

/** Short timers come and go between two looks at a run, so its own word for the stage is waited for first. */
async function untilReview(handle: Run, waits: 'MESSAGE' | 'TIMER' = 'MESSAGE'): Promise<void> {
  while ((await handle.query<{ stage: string }>('state')).stage !== 'REVIEW') await sleep(50);
  await untilItWaits(handle, waits);
}

/** A path that ends after `act`, taken once the run has come to `waits`. */
const path = (
  name: string,
  activities: Partial<Activities>,
  waits: 'ACTIVITY' | 'TIMER' | 'MESSAGE',
  act: (handle: Run) => Promise<unknown>,
): Scenario => ({
  workflow: 'customer-verification',
  path: name,
  activities,
  async play(stage) {
    const handle = await verify(stage, name);
    await untilItWaits(handle, waits);
    await act(handle);
    return await untilItEnds(handle);
  },
});

/** A history that is cut off where the run waits. */
const inFlight = (
  name: string,
  activities: Partial<Activities>,
  waits: 'ACTIVITY' | 'TIMER' | 'MESSAGE',
): Scenario => ({
  workflow: 'customer-verification',
  path: `in-flight-${name}`,
  activities,
  play: async (stage) => await untilItWaits(await verify(stage, `in-flight-${name}`), waits),
});

/** Paths of `customer-verification`. */
const customerVerification: readonly Scenario[] = [
  path('approved', collaborators({}, [APPROVED]), 'TIMER', (run) => run.signal('providerResult', RESULT)),
  path(
    'rejected',
    collaborators({}, [{ kind: 'COMPLETED', outcome: 'REJECTED', reasons: ['SELFIE_BLURRED'] }]),
    'TIMER',
    (run) => run.signal('providerResult', RESULT),
  ),
  path('approved-after-repeated-reports', collaborators({}, [RUNNING, APPROVED]), 'TIMER', async (run) => {
    await run.signal('providerResult', RESULT);
    await untilItWaits(run, 'TIMER');
    await run.signal('providerResult', RESULT);
    await run.signal('providerResult', { ...RESULT, eventId: 'ev-2' });
  }),
  path('referred-then-accepted', collaborators({ pep: true }, [APPROVED]), 'TIMER', async (run) => {
    await run.signal('providerResult', RESULT);
    await untilItWaits(run, 'MESSAGE');
    await run.executeUpdate('decide', { args: [ACCEPT] });
  }),
  path('referred-then-rejected', collaborators({ openHit: true }, [APPROVED]), 'TIMER', async (run) => {
    await run.signal('providerResult', RESULT);
    await untilItWaits(run, 'MESSAGE');
    await run.executeUpdate('decide', { args: [REJECT] });
  }),
  path(
    'provider-refused-then-accepted',
    { ...collaborators(), createApplicant: async () => 'REFUSED' },
    'MESSAGE',
    (run) => run.executeUpdate('decide', { args: [ACCEPT] }),
  ),
  path('manual-accepted', manual, 'MESSAGE', (run) => run.executeUpdate('decide', { args: [ACCEPT] })),
  path('manual-rejected-after-refused-update', manual, 'MESSAGE', async (run) => {
    const incomplete = { decision: 'REJECT', operatorId: 'operator-1' };
    await run.executeUpdate('decide', { args: [incomplete] }).catch(() => undefined);
    await run.executeUpdate('decide', { args: [REJECT] });
  }),
  path(
    'sanction-confirmed-in-review',
    { ...manual, readScreening: async () => ({ ...FACTS, mode: 'MANUAL', sanctionConfirmed: true }) },
    'MESSAGE',
    (run) => run.signal('hitDecided', { hitId: 'hit-1', decision: 'CONFIRMED' }),
  ),
  path(
    'false-hit-then-approved',
    { ...collaborators({ openHit: true }, [RUNNING, APPROVED]), readScreening: async () => FACTS },
    'TIMER',
    async (run) => {
      await run.signal('hitDecided', { hitId: 'hit-1', decision: 'FALSE_POSITIVE' });
      await untilItWaits(run, 'TIMER');
      await run.signal('providerResult', RESULT);
    },
  ),
  // From here on with the patch `attentive-while-at-the-provider`; what is above was recorded before it.
  path('attentive-approved', collaborators({}, [RUNNING, APPROVED]), 'TIMER', async (run) => {
    await run.signal('providerResult', RESULT);
    await untilItWaits(run, 'TIMER');
    await run.signal('providerResult', { ...RESULT, eventId: 'ev-2' });
  }),
  path('attentive-manual-accepted', manual, 'MESSAGE', (run) =>
    run.executeUpdate('decide', { args: [ACCEPT] }),
  ),
  path('attentive-customer-gone-at-provider', collaborators(), 'TIMER', (run) => run.signal('close', {})),
  path(
    'hit-meanwhile-then-rejected',
    { ...collaborators({}, [APPROVED]), readScreening: async () => ({ ...FACTS, openHit: true }) },
    'TIMER',
    async (run) => {
      await run.signal('providerResult', RESULT);
      await untilItWaits(run, 'MESSAGE');
      await run.executeUpdate('decide', { args: [REJECT] });
    },
  ),
  path(
    'sanction-confirmed-meanwhile',
    { ...collaborators({}, [APPROVED]), readScreening: async () => ({ ...FACTS, sanctionConfirmed: true }) },
    'TIMER',
    (run) => run.signal('providerResult', RESULT),
  ),
  path(
    'approval-referred-by-the-database-then-accepted',
    { ...collaborators({}, [APPROVED]), applyDecision: once('REFERRED', 'APPLIED') },
    'TIMER',
    async (run) => {
      await run.signal('providerResult', RESULT);
      await untilItWaits(run, 'MESSAGE');
      await run.executeUpdate('decide', { args: [ACCEPT] });
    },
  ),
  path(
    'false-hit-then-sanction-confirmed-while-provider-away',
    {
      ...collaborators(),
      createApplicant: away,
      readScreening: once(FACTS, { ...FACTS, sanctionConfirmed: true }),
    },
    'ACTIVITY',
    async (run) => {
      await run.signal('hitDecided', { hitId: 'hit-1', decision: 'FALSE_POSITIVE' });
      await untilItWaits(run, 'ACTIVITY');
      await run.signal('hitDecided', { hitId: 'hit-2', decision: 'CONFIRMED' });
    },
  ),
  path(
    'customer-gone-while-result-is-asked-for',
    { ...collaborators(), fetchCheck: away },
    'TIMER',
    async (run) => {
      await run.signal('providerResult', RESULT);
      await untilItWaits(run, 'ACTIVITY');
      await run.signal('close', {});
    },
  ),
  {
    workflow: 'customer-verification',
    path: 'sanction-confirmed-at-screening',
    activities: collaborators({ sanctionConfirmed: true }),
    play: async (stage) => await untilItEnds(await verify(stage, 'sanction-confirmed-at-screening')),
  },
  {
    workflow: 'customer-verification',
    path: 'attentive-silent-provider-then-accepted',
    activities: collaborators(),
    async play(stage) {
      const handle = await verify(stage, 'attentive-silent', { providerPollMs: 200, providerLimitMs: 500 });
      await untilReview(handle);
      await handle.executeUpdate('decide', { args: [ACCEPT] });
      return await untilItEnds(handle);
    },
  },
  inFlight('attentive-submitting', { ...collaborators(), uploadDocument: neverEnds }, 'ACTIVITY'),
  inFlight('attentive-provider-wait', collaborators(), 'TIMER'),
  inFlight('attentive-asking', { ...collaborators(), createApplicant: away }, 'ACTIVITY'),
  path('customer-gone-at-provider', collaborators(), 'TIMER', (run) => run.signal('close', {})),
  {
    workflow: 'customer-verification',
    path: 'silent-provider-then-accepted',
    activities: collaborators(),
    async play(stage) {
      const handle = await verify(stage, 'silent', { providerPollMs: 200, providerLimitMs: 500 });
      await untilReview(handle);
      await handle.executeUpdate('decide', { args: [ACCEPT] });
      return await untilItEnds(handle);
    },
  },
  {
    workflow: 'customer-verification',
    path: 'reminded-then-accepted',
    activities: { ...manual, remindReviewers: async () => 2 },
    async play(stage) {
      const handle = await verify(stage, 'reminded', { ...SLOW, reviewReminderMs: 1_500 });
      await untilReview(handle, 'TIMER');
      await sleep(2_000);
      await handle.executeUpdate('decide', { args: [ACCEPT] });
      return await untilItEnds(handle);
    },
  },
  {
    workflow: 'customer-verification',
    path: 'in-flight-review-with-reminder',
    activities: manual,
    async play(stage) {
      const handle = await verify(stage, 'in-flight-reminder', { ...SLOW, reviewReminderMs: HOUR_MS });
      return await untilItWaits(handle, 'TIMER');
    },
  },
  {
    workflow: 'customer-verification',
    path: 'in-flight-reminding',
    activities: { ...manual, remindReviewers: neverEnds },
    async play(stage) {
      const handle = await verify(stage, 'in-flight-reminding', { ...SLOW, reviewReminderMs: 100 });
      return await untilItWaits(handle, 'ACTIVITY');
    },
  },
  inFlight('screening', { ...manual, screenPerson: neverEnds }, 'ACTIVITY'),
  inFlight('submitting', { ...collaborators(), uploadDocument: neverEnds }, 'ACTIVITY'),
  inFlight('provider-wait', collaborators(), 'TIMER'),
  inFlight('review-wait', manual, 'MESSAGE'),
  {
    workflow: 'customer-verification',
    path: 'in-flight-deciding',
    activities: { ...manual, applyDecision: neverEnds },
    async play(stage) {
      const handle = await verify(stage, 'in-flight-deciding');
      await untilItWaits(handle, 'MESSAGE');
      await handle.startUpdate('decide', { args: [ACCEPT], waitForStage: 'ACCEPTED' });
      return await untilItWaits(handle, 'ACTIVITY');
    },
  },
];

const follow = (stage: Stage, n: number) =>
  begin(stage, 'externalVerification', `external-verification:1001:${n}`, { customerId: 1001, n });

const screening = (locked: boolean): Partial<Activities> => ({
  screenCustomer: async () => ({ partnerId: 1, programmeId: 2, locked }),
  openDefaultBalance: async () => (locked ? 'POSTPONED' : 'OPENED'),
});

/** Paths of `external-verification`. */
const externalVerification: readonly Scenario[] = [
  {
    workflow: 'external-verification',
    path: 'opened',
    activities: screening(false),
    play: async (stage) => await untilItEnds(await follow(stage, 1)),
  },
  {
    workflow: 'external-verification',
    path: 'locked',
    activities: screening(true),
    play: async (stage) => await untilItEnds(await follow(stage, 2)),
  },
  {
    workflow: 'external-verification',
    path: 'in-flight-screening',
    activities: { ...screening(false), screenCustomer: neverEnds },
    play: async (stage) => await untilItWaits(await follow(stage, 3), 'ACTIVITY'),
  },
  {
    workflow: 'external-verification',
    path: 'in-flight-opening',
    activities: { ...screening(false), openDefaultBalance: neverEnds },
    play: async (stage) => await untilItWaits(await follow(stage, 4), 'ACTIVITY'),
  },
];

const screenEmployee = (stage: Stage, employeeId: string) =>
  begin(stage, 'employeeScreening', `employee-screening:${employeeId}`, { customerId: 1001 });

/** Paths of `employee-screening`. */
const employeeScreening: readonly Scenario[] = [
  {
    workflow: 'employee-screening',
    path: 'clear',
    activities: screening(false),
    play: async (stage) => await untilItEnds(await screenEmployee(stage, 'clear')),
  },
  {
    workflow: 'employee-screening',
    path: 'locked',
    activities: screening(true),
    play: async (stage) => await untilItEnds(await screenEmployee(stage, 'locked')),
  },
  {
    workflow: 'employee-screening',
    path: 'in-flight-screening',
    activities: { screenCustomer: neverEnds },
    play: async (stage) => await untilItWaits(await screenEmployee(stage, 'in-flight'), 'ACTIVITY'),
  },
];

export const verificationScenarios: readonly Scenario[] = [
  ...customerVerification,
  ...externalVerification,
  ...employeeScreening,
];
