import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  patched,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type {
  AppliedDecision,
  createVerificationActivities,
  ScreenedVerification,
} from '../activities/database/verifications.ts';
import {
  afterProvider,
  decisionFault,
  rejectionReasonOf,
  type ReviewDecision,
  type VerificationStage,
  type VerificationStatus,
  type VerificationTimings,
} from '../domain/verification.ts';
import { checkAtProvider, provider, UPLOAD_TIMEOUT } from './provider-check.ts';
import { showStage } from './stage.ts';

export interface CustomerVerificationInput {
  readonly verificationId: string;
  readonly customerId: number;
  readonly timings: VerificationTimings;
}

export interface VerificationState {
  readonly stage: VerificationStage;
  readonly status: VerificationStatus;
  /** ISO 8601, start of the stage. */
  readonly since: string;
}

/** A person's decision; refused by type NOT_IN_REVIEW, REASON_REQUIRED or REASON_NOT_ALLOWED. */
export const decide = defineUpdate<{ status: VerificationStatus }, [ReviewDecision]>('decide');
/** The provider reports an end; what it found is asked for, never taken from the report. */
export const providerResult = defineSignal<[{ eventId: string; checkId: string }]>('providerResult');
export const hitDecided = defineSignal<[{ hitId: string; decision: string }]>('hitDecided');
/** The customer is gone: the case ends rejected and nobody is told. */
export const close = defineSignal<[Record<string, never>]>('close');
export const state = defineQuery<VerificationState>('state');

const retry = { initialInterval: '1s', backoffCoefficient: 2 } as const;

// One short database transaction each; a database that is away is waited for, without end.
const database = proxyActivities<ReturnType<typeof createVerificationActivities>>({
  startToCloseTimeout: '15s',
  retry: { ...retry, maximumInterval: '1m' },
});

// The customer is told already; the balance follows as soon as it can, so the pauses may grow longer (6.4).
const balances = proxyActivities<ReturnType<typeof createVerificationActivities>>({
  startToCloseTimeout: '15s',
  retry: { ...retry, maximumInterval: '5m' },
});

/**
 * Runs that began before it look at their hits only when told so, finish a provider call before they attend to
 * anything, and give the provider its time twice; `applyDecision` refers what they would accept wrongly.
 */
const ATTENTIVE = 'attentive-while-at-the-provider';

/** Verifies a customer until accepted or rejected (onboarding 6.2): by a provider, by a person, or by both. */
export async function customerVerification(input: CustomerVerificationInput): Promise<VerificationState> {
  const { verificationId, customerId, timings } = input;
  const attentive = patched(ATTENTIVE);
  const run = {
    stage: 'RECEIVED' as VerificationStage,
    status: 'IN_PROGRESS' as VerificationStatus,
    since: '',
    facts: null as ScreenedVerification | null,
    resultReported: false,
    hitDecided: false,
    closeAsked: false,
    decision: null as ReviewDecision | null,
    deciding: false,
  };
  const seenEvents = new Set<string>();
  const mustAttend = () => run.hitDecided || run.closeAsked;

  setHandler(state, () => ({ stage: run.stage, status: run.status, since: run.since }));
  setHandler(providerResult, ({ eventId }) => {
    if (seenEvents.has(eventId)) return;
    seenEvents.add(eventId);
    run.resultReported = true;
  });
  setHandler(hitDecided, () => void (run.hitDecided = true));
  setHandler(close, () => void (run.closeAsked = true));
  setHandler(
    decide,
    async (decision) => {
      run.decision = decision;
      await condition(() => run.stage === 'CLOSED');
      return { status: run.status };
    },
    {
      validator: (decision) => {
        const fault =
          run.deciding || run.decision !== null ? 'NOT_IN_REVIEW' : decisionFault(run.stage, decision);
        if (fault !== null) throw ApplicationFailure.nonRetryable('this decision cannot be taken now', fault);
      },
    },
  );

  show('RECEIVED');
  const facts = await database.screenPerson({ verificationId });
  run.facts = facts;
  let outcome =
    (await ending()) ??
    (attentive ? endingByFacts(facts) : null) ??
    (facts.mode === 'AUTOMATIC' ? await byProvider(facts) : null) ??
    (await byPerson());

  run.deciding = true;
  while ((await database.applyDecision({ verificationId, ...outcome })) === 'REFERRED') {
    run.deciding = false;
    outcome = await byPerson();
    run.deciding = true;
  }
  run.status = outcome.status;
  show('CLOSED');
  if (outcome.status === 'ACCEPTED') await balances.openDefaultBalance({ customerId });
  await condition(allHandlersFinished);
  return { stage: run.stage, status: run.status, since: run.since };

  /** Sends the case to the provider and waits for its result; null = a person has to decide. */
  async function byProvider({ pictures }: ScreenedVerification): Promise<AppliedDecision | null> {
    await enter('PROVIDER');
    const result = await checkAtProvider({
      timings,
      steps: [
        (untilMs) => provider(untilMs).createApplicant({ verificationId }),
        ...pictures.map(
          (kind) => (untilMs: number) =>
            provider(untilMs, UPLOAD_TIMEOUT).uploadDocument({ verificationId, kind }),
        ),
        (untilMs) => provider(untilMs).startCheck({ verificationId }),
      ],
      fetch(untilMs) {
        run.resultReported = false;
        return provider(untilMs).fetchCheck({ verificationId });
      },
      reported: () => run.resultReported,
      mustAttend,
      patient: !attentive,
      ending,
    });
    if (result === null || 'status' in result) return result;
    if (attentive) {
      // A list may have been loaded while the provider was at work.
      const ended = await endingByNewFacts();
      if (ended !== null) return ended;
    }
    const next = afterProvider(result.outcome, run.facts as ScreenedVerification);
    const decidedBy = 'PROVIDER';
    switch (next) {
      case 'ACCEPT':
        return { status: 'ACCEPTED', reason: null, decidedBy, note: null, notify: true };
      case 'REJECT':
        return { ...rejected(decidedBy), reason: rejectionReasonOf(result.reasons) };
      case 'REVIEW':
        return null;
    }
  }

  /** Waits for an operator, without end; the reviewers are reminded again and again. */
  async function byPerson(): Promise<AppliedDecision> {
    await enter('REVIEW');
    for (;;) {
      const attended = await decisionOrAttention();
      if (run.decision !== null) return outcomeOf(run.decision);
      if (!attended) await database.remindReviewers({ verificationId });
      const ended = await ending();
      if (ended !== null) return ended;
    }
  }

  /** False when the time for a reminder has come first. */
  async function decisionOrAttention(): Promise<boolean> {
    const wanted = () => run.decision !== null || mustAttend();
    if (timings.reviewReminderMs !== undefined) return await condition(wanted, timings.reviewReminderMs);
    await condition(wanted);
    return true;
  }

  /** How the case ends when the customer is gone or a sanction hit is confirmed (6.1), else null. */
  async function ending(): Promise<AppliedDecision | null> {
    if (run.closeAsked) return { ...rejected('SYSTEM'), notify: false };
    if (!run.hitDecided) return null;
    return await endingByNewFacts();
  }

  async function endingByNewFacts(): Promise<AppliedDecision | null> {
    run.hitDecided = false;
    run.facts = await database.readScreening({ verificationId });
    return endingByFacts(run.facts);
  }

  async function enter(stage: 'PROVIDER' | 'REVIEW'): Promise<void> {
    show(stage);
    await database.setStage({ verificationId, stage });
  }

  function show(stage: VerificationStage): void {
    run.stage = stage;
    run.since = showStage({
      stage,
      needsOperator: stage === 'REVIEW',
      subjectId: String(customerId),
      ...(run.facts === null ? {} : { partnerId: run.facts.partnerId, programmeId: run.facts.programmeId }),
    });
  }
}

const endingByFacts = ({ sanctionConfirmed }: ScreenedVerification): AppliedDecision | null =>
  sanctionConfirmed ? rejected('SYSTEM') : null;

const rejected = (decidedBy: string): AppliedDecision => ({
  status: 'REJECTED',
  reason: 'INVALID_CUSTOMER_DATA',
  decidedBy,
  note: null,
  notify: true,
});

const outcomeOf = ({ decision, reason, operatorId, note }: ReviewDecision): AppliedDecision => ({
  status: decision === 'ACCEPT' ? 'ACCEPTED' : 'REJECTED',
  reason: reason ?? null,
  decidedBy: operatorId,
  note: note ?? null,
  notify: true,
});
