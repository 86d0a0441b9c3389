import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../../activities/index.ts';
import type { CheckResult } from '../../../activities/kyc-provider/answers.ts';
import type { VerificationTimings } from '../../../domain/verification.ts';
import { begin, neverEnds, type Scenario, type Stage, untilItEnds, untilItWaits } from '../scenario.ts';

const HOUR_MS = 3_600_000;
const SLOW: VerificationTimings = { providerPollMs: HOUR_MS, providerLimitMs: HOUR_MS };
const APPROVED: CheckResult = { kind: 'COMPLETED', outcome: 'APPROVED', reasons: [] };
const RUNNING: CheckResult = { kind: 'RUNNING' };

/** The provider's calls about a person; `checks` are its answers in order, the last one for good. */
export function personCheckActivities(checks: readonly CheckResult[] = [APPROVED]): Partial<Activities> {
  const left = [...checks];
  const done = async () => 'DONE' as const;
  return {
    beginPersonCheck: async () => ({ partnerId: 1, programmeId: 2 }),
    createPersonApplicant: done,
    uploadPersonDocument: done,
    startPersonCheck: done,
    fetchPersonCheck: async () => (left.length > 1 ? left.shift() : left[0]) ?? RUNNING,
    endPersonCheck: async () => undefined,
  };
}

const verify = (stage: Stage, id: string, timings: VerificationTimings) =>
  begin(stage, 'personVerification', `person-verification:${id}:1`, {
    applicationId: 'application-1',
    personId: id,
    round: 1,
    pictures: ['FACE', 'FRONT'],
    timings,
  });

/** A path to its end; `reports` are sent when the run waits for one. */
const path = (
  name: string,
  activities: Partial<Activities>,
  { reports = 0, timings = SLOW }: { readonly reports?: number; readonly timings?: VerificationTimings } = {},
): Scenario => ({
  workflow: 'person-verification',
  path: name,
  activities,
  async play(stage) {
    const run = await verify(stage, name, timings);
    for (let n = 1; n <= reports; n += 1) {
      await untilItWaits(run, 'TIMER');
      await run.signal('providerResult', { eventId: `ev-${n}`, checkId: 'ch-1' });
    }
    return await untilItEnds(run);
  },
});

const inFlight = (
  name: string,
  waits: 'ACTIVITY' | 'TIMER',
  activities: Partial<Activities> = {},
): Scenario => ({
  workflow: 'person-verification',
  path: `in-flight-${name}`,
  activities: { ...personCheckActivities(), ...activities },
  play: async (stage) => await untilItWaits(await verify(stage, `in-flight-${name}`, SLOW), waits),
});

/** Paths of `person-verification`. */
export const personVerificationScenarios: readonly Scenario[] = [
  path('approved', personCheckActivities(), { reports: 1 }),
  path('approved-after-repeated-reports', personCheckActivities([RUNNING, APPROVED]), { reports: 2 }),
  path('refused', { ...personCheckActivities(), createPersonApplicant: async () => 'REFUSED' }),
  path('silent-provider', personCheckActivities([RUNNING]), {
    timings: { providerPollMs: 200, providerLimitMs: 500 },
  }),
  path(
    'provider-away',
    {
      ...personCheckActivities(),
      startPersonCheck: async () => {
        throw ApplicationFailure.create({ type: 'KYC_PROVIDER_UNAVAILABLE', nextRetryDelay: 50 });
      },
    },
    { timings: { providerPollMs: 200, providerLimitMs: 500 } },
  ),
  inFlight('beginning', 'ACTIVITY', { beginPersonCheck: neverEnds }),
  inFlight('submitting', 'ACTIVITY', { uploadPersonDocument: neverEnds }),
  inFlight('provider-wait', 'TIMER'),
  inFlight('ending', 'ACTIVITY', { createPersonApplicant: async () => 'REFUSED', endPersonCheck: neverEnds }),
];
