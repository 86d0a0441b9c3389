import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  type ChildWorkflowHandle,
  condition,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import type { createCompanyRegistryActivities } from '../activities/company-registry/companies.ts';
import type { createKybActivities, KybState } from '../activities/database/kyb-applications.ts';
import {
  commandFault,
  isFinal,
  type KybAction,
  type KybCommand,
  type KybStatus,
  type KybTimings,
  type SectionMark,
} from '../domain/kyb-application.ts';
import { verificationTimings, type VerificationTimings } from '../domain/verification.ts';
import { personVerification, type PersonVerificationInput } from './person-verification.ts';
import { showStage } from './stage.ts';

export interface CorporationOnboardingInput {
  readonly applicationId: string;
  readonly timings: KybTimings;
  /** Of the provider's checks of persons; absent in runs that began before there were any. */
  readonly checkTimings?: VerificationTimings;
}

export interface OnboardingState {
  readonly status: KybStatus;
  readonly sections: readonly SectionMark[];
  /** ISO 8601, start of the state. */
  readonly since: string;
}

/** Commands of operators (onboarding 8.5); refused by the title that the caller is told. */
export const reviewSection = defineUpdate<OnboardingState, [KybCommand]>('reviewSection');
export const requestCorrection = defineUpdate<OnboardingState, [KybCommand]>('requestCorrection');
export const hold = defineUpdate<OnboardingState, [KybCommand]>('hold');
export const resume = defineUpdate<OnboardingState, [KybCommand]>('resume');
export const accept = defineUpdate<OnboardingState, [KybCommand]>('accept');
export const reject = defineUpdate<OnboardingState, [KybCommand]>('reject');
/** The applicant has sent the form, for the `round`th time. */
export const submitted = defineSignal<[{ round: number }]>('submitted');
/** The applicant was at work: the time-outs begin anew. */
export const touched = defineSignal<[object]>('touched');
export const hitDecided = defineSignal<[{ hitId: string; decision: string }]>('hitDecided');
export const state = defineQuery<OnboardingState>('state');

type PersonToCheck = Pick<PersonVerificationInput, 'personId' | 'pictures'>;
type ScreeningActivities = ReturnType<typeof createKybActivities> &
  ReturnType<typeof createCompanyRegistryActivities>;

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' } as const;

// One short database transaction each; a database that is away is waited for, without end.
const database = proxyActivities<ReturnType<typeof createKybActivities>>({
  startToCloseTimeout: '15s',
  retry,
});

/** One command on its way: the main flow does it, its handler waits for what came of it. */
interface Asked {
  readonly command: KybCommand;
  readonly key: string;
  outcome: 'DONE' | { readonly refused: string } | null;
}

/** Brings a company's application to its end (onboarding 8.5): draft, screening, review, corrections. */
export async function corporationOnboarding(input: CorporationOnboardingInput): Promise<OnboardingState> {
  const { applicationId, timings } = input;
  const run = {
    status: 'DRAFT' as KybStatus,
    sections: [] as readonly SectionMark[],
    since: '',
    round: 0,
    screenedRound: 0,
    submittedRound: 0,
    changes: 0,
    partnerId: 0,
    programmeId: 0,
  };
  const asked: Asked[] = [];
  const shown = (): OnboardingState => ({ status: run.status, sections: run.sections, since: run.since });

  setHandler(state, shown);
  setHandler(submitted, ({ round }) => void (run.submittedRound = Math.max(run.submittedRound, round)));
  setHandler(touched, () => void (run.changes += 1));
  // The hits themselves are read from the database when somebody accepts.
  setHandler(hitDecided, () => undefined);
  for (const [action, update] of Object.entries(UPDATES) as [KybAction, typeof accept][]) {
    setHandler(update, (command) => take(command), { validator: (command) => refuse(action, command) });
  }

  adopt(await database.startKyb({ applicationId }));
  while (!isFinal(run.status)) {
    switch (run.status) {
      case 'DRAFT':
        await waitForDraft();
        break;
      case 'NEEDS_CORRECTION':
        await waitForCorrection();
        break;
      case 'SUBMITTED':
        if (run.screenedRound < run.round) await screen();
        else await nextCommand();
        break;
      default:
        await nextCommand();
    }
  }
  for (const one of asked) one.outcome ??= { refused: 'STATE_CONFLICT' };
  await condition(allHandlersFinished);
  return shown();

  /** Until the form is sent: reminders, and the end of a draft that nobody touches any more. */
  async function waitForDraft(): Promise<void> {
    let reminders = 0;
    let pauseMs = timings.reminderMs[0] ?? timings.draftMs;
    while (run.status === 'DRAFT') {
      const before = run.changes;
      await condition(() => run.submittedRound > run.round || run.changes > before, Math.max(1, pauseMs));
      if (run.submittedRound > run.round) return adopt(await database.readKyb({ applicationId }));
      const due = timings.reminderMs[reminders];
      if (run.changes > before) {
        pauseMs = due ?? timings.draftMs;
      } else if (due !== undefined) {
        reminders += 1;
        await database.remindKybApplicant({ applicationId, reminder: reminders });
        pauseMs = (timings.reminderMs[reminders] ?? timings.draftMs) - due;
      } else {
        pauseMs = await endWait('DRAFT', timings.draftMs);
      }
    }
  }

  /** Until the correction is sent, somebody rejects the application, or it is put on hold for want of one. */
  async function waitForCorrection(): Promise<void> {
    let pauseMs = timings.correctionMs;
    while (run.status === 'NEEDS_CORRECTION') {
      const before = run.changes;
      const event = () => run.submittedRound > run.round || run.changes > before || isAsked();
      const woken = await condition(event, Math.max(1, pauseMs));
      if (run.submittedRound > run.round) return adopt(await database.readKyb({ applicationId }));
      if (isAsked()) return await nextCommand();
      pauseMs = woken ? timings.correctionMs : await endWait('NEEDS_CORRECTION', timings.correctionMs);
    }
  }

  /** Ends a wait in the database, which knows when the applicant was last at work; gives what is left of it. */
  async function endWait(status: 'DRAFT' | 'NEEDS_CORRECTION', untouchedMs: number): Promise<number> {
    const ended = await database.endKybWait({ applicationId, status, untouchedMs });
    adopt(ended.state);
    return ended.leftMs;
  }

  /**
   * Company and changed persons against the lists, the register and the provider; what does not answer in time is
   * reviewed without it.
   */
  async function screen(): Promise<void> {
    const untilMs = Date.now() + timings.screeningMs;
    const screening = proxyActivities<ScreeningActivities>({
      startToCloseTimeout: '15s',
      scheduleToCloseTimeout: timings.screeningMs,
      retry,
    });
    let complete = true;
    try {
      const { persons, checks } = await screening.screenKybCompany({ applicationId });
      for (const personId of persons) await screening.screenKybPerson({ applicationId, personId });
      // A run that began before there were registers and checks goes on without them.
      if (checks !== undefined) {
        const started = await Promise.all(checks.map(startCheck));
        await screening.checkCompanyRegistry({ applicationId });
        await resultsOf(started, untilMs);
      }
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      complete = false;
    }
    const { round } = run;
    adopt(await database.concludeKybScreening({ applicationId, round, complete }));
    run.screenedRound = round;
  }

  /** The provider's look at one person, by a workflow that outlives this one; null when it ran already. */
  async function startCheck({ personId, pictures }: PersonToCheck): Promise<CheckHandle | null> {
    const { round } = run;
    try {
      return await startChild(personVerification, {
        workflowId: `person-verification:${personId}:${round}`,
        args: [
          { applicationId, personId, round, pictures, timings: input.checkTimings ?? verificationTimings() },
        ],
        parentClosePolicy: 'ABANDON',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return null;
    }
  }

  /** Waits for the checks, as long as nobody asks for something else. */
  async function resultsOf(checks: readonly (CheckHandle | null)[], untilMs: number): Promise<void> {
    let left = 0;
    for (const check of checks) {
      if (check === null) continue;
      left += 1;
      // How it ended stands in the database: a check that failed is one that has brought nothing.
      void check
        .result()
        .catch(() => undefined)
        .finally(() => (left -= 1));
    }
    if (left > 0) await condition(() => left === 0 || isAsked(), Math.max(1, untilMs - Date.now()));
  }

  /** Waits for an operator, without end, and does what they ask; reviewers are reminded meanwhile. */
  async function nextCommand(): Promise<void> {
    const waits = run.status === 'SUBMITTED' || run.status === 'IN_REVIEW';
    if (!waits) await condition(isAsked);
    else if (!(await condition(isAsked, timings.reviewReminderMs))) {
      return await database.remindKybReviewers({ applicationId });
    }
    const next = asked.find((one) => one.outcome === null);
    if (next === undefined) return;
    try {
      const { command, key } = next;
      adopt(await database.applyKybCommand({ applicationId, command, key }));
      next.outcome = 'DONE';
    } catch (error) {
      if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) throw error;
      next.outcome = { refused: error.cause.type ?? 'STATE_CONFLICT' };
    }
  }

  function isAsked(): boolean {
    return asked.some((one) => one.outcome === null);
  }

  async function take(command: KybCommand): Promise<OnboardingState> {
    const mine: Asked = { command, key: currentUpdateInfo()?.id ?? '', outcome: null };
    asked.push(mine);
    await condition(() => mine.outcome !== null);
    if (mine.outcome === 'DONE') return shown();
    throw ApplicationFailure.nonRetryable('this cannot be done now', mine.outcome?.refused);
  }

  function refuse(action: KybAction, command: KybCommand): void {
    const early = action === 'reviewSection' && run.status === 'SUBMITTED' && run.screenedRound < run.round;
    const mismatch = command.action !== action;
    const fault = early || mismatch ? 'STATE_CONFLICT' : commandFault(run.status, run.sections, command);
    if (fault !== null) throw ApplicationFailure.nonRetryable('this cannot be done now', fault);
  }

  function adopt(now: KybState): void {
    const changed = run.since === '' || run.status !== now.status;
    Object.assign(run, {
      status: now.status,
      sections: now.sections,
      round: now.round,
      partnerId: now.partnerId,
      programmeId: now.programmeId,
    });
    if (!changed) return;
    run.since = showStage({
      stage: run.status,
      needsOperator: run.status === 'SUBMITTED' || run.status === 'IN_REVIEW' || run.status === 'ON_HOLD',
      subjectId: applicationId,
      partnerId: run.partnerId,
      programmeId: run.programmeId,
    });
  }
}

type CheckHandle = ChildWorkflowHandle<typeof personVerification>;

const UPDATES = { reviewSection, requestCorrection, hold, resume, accept, reject };
