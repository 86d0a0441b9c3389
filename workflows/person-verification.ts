import { defineQuery, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import type { createPersonCheckActivities } from '../activities/kyc-provider/persons.ts';
import type { PictureKind, ProviderOutcome, VerificationTimings } from '../domain/verification.ts';
import { checkAtProvider, provider, UPLOAD_TIMEOUT } from './provider-check.ts';
import { showStage } from './stage.ts';

export interface PersonVerificationInput {
  readonly applicationId: string;
  readonly personId: string;
  /** Of the application: a person who changes is checked again. */
  readonly round: number;
  /** Kinds of pictures that were uploaded of the person. */
  readonly pictures: readonly PictureKind[];
  readonly timings: VerificationTimings;
}

export interface PersonVerificationState {
  readonly stage: 'PROVIDER' | 'CLOSED';
  /** Null while it runs, and when the provider brought nothing in time. */
  readonly outcome: ProviderOutcome | null;
  /** ISO 8601, start of the stage. */
  readonly since: string;
}

/** The provider reports an end; what it found is asked for, never taken from the report. */
export const providerResult = defineSignal<[{ eventId: string; checkId: string }]>('providerResult');
export const state = defineQuery<PersonVerificationState>('state');

// One short database transaction each; a database that is away is waited for, without end.
const database = proxyActivities<ReturnType<typeof createPersonCheckActivities>>({
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Has the provider look at one person of a company; the result is shown to the reviewer and decides nothing (8.5). */
export async function personVerification(input: PersonVerificationInput): Promise<PersonVerificationState> {
  const { applicationId, personId, round, pictures, timings } = input;
  const key = { personId, round };
  const run: { stage: PersonVerificationState['stage']; outcome: ProviderOutcome | null; since: string } = {
    stage: 'PROVIDER',
    outcome: null,
    since: '',
  };
  let reported = false;
  setHandler(state, () => ({ ...run }));
  setHandler(providerResult, () => void (reported = true));

  const owner = await database.beginPersonCheck({ applicationId, ...key });
  enter('PROVIDER');
  const result = await checkAtProvider({
    timings,
    steps: [
      (untilMs) => provider(untilMs).createPersonApplicant(key),
      ...pictures.map(
        (kind) => (untilMs: number) =>
          provider(untilMs, UPLOAD_TIMEOUT).uploadPersonDocument({ ...key, kind }),
      ),
      (untilMs) => provider(untilMs).startPersonCheck(key),
    ],
    fetch(untilMs) {
      reported = false;
      return provider(untilMs).fetchPersonCheck(key);
    },
    reported: () => reported,
    mustAttend: () => false,
    ending: async () => null,
  });
  await database.endPersonCheck({ ...key, result });
  run.outcome = result?.outcome ?? null;
  enter('CLOSED');
  return { ...run };

  function enter(stage: PersonVerificationState['stage']): void {
    run.stage = stage;
    run.since = showStage({ stage, needsOperator: false, subjectId: personId, ...owner });
  }
}
