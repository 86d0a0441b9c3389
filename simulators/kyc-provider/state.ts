import type { CheckPlan, Outcome, Scenario } from './scenario.ts';
import type { Collection, Store } from './store.ts';

/** A person to be checked. Of the personal data only what decides the outcome is kept. */
export interface Applicant {
  readonly applicantId: string;
  readonly externalId: string;
  /** Empty for somebody who was not asked for it. */
  readonly identityCardNo: string;
}

/** A document that came: its hash and length, never its content. */
export interface ReceivedDocument {
  readonly documentId: string;
  readonly applicantId: string;
  readonly kind: 'FACE' | 'FRONT' | 'BACK';
  readonly sha256: string;
  readonly bytes: number;
}

export interface Check {
  readonly checkId: string;
  readonly applicantId: string;
  readonly externalId: string;
  readonly callbackUrl: string;
  readonly checks: readonly string[];
  readonly state: 'RUNNING' | 'COMPLETED';
  readonly outcome: Outcome | null;
  readonly reasons: readonly string[];
  readonly completedAt: string | null;
  /** When the check completes by itself, epoch milliseconds; null: never. */
  readonly dueMs: number | null;
  readonly plan: CheckPlan;
}

export interface Callback {
  readonly callbackId: string;
  readonly checkId: string;
  readonly url: string;
  /** The body, byte for byte as it is sent each time. */
  readonly body: string;
  readonly dueMs: number;
  readonly attempts: number;
  readonly state: 'WAITING' | 'ACCEPTED' | 'FAILED';
  readonly lastStatus: number | null;
}

export interface ReceivedCall {
  readonly callId: string;
  readonly at: string;
  readonly call: ProviderCall;
  readonly externalId: string | null;
  readonly key: string | null;
  readonly status: number;
}

export type ProviderCall = 'applicants' | 'documents' | 'checks' | 'getCheck' | 'deleteApplicant';

export interface KnownAnswer {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: unknown;
}

export interface State {
  readonly applicants: Collection<Applicant>;
  readonly documents: Collection<ReceivedDocument>;
  readonly checks: Collection<Check>;
  readonly callbacks: Collection<Callback>;
  readonly calls: Collection<ReceivedCall>;
  readonly answers: Collection<KnownAnswer>;
  readonly scenarios: Collection<Scenario>;
  readonly ids: Collection<{ readonly seed: string; readonly drawn: number }>;
}

/** Opens everything the provider knows, as the store holds it. */
export function openState(store: Store): State {
  return {
    applicants: store.collection('applicants'),
    documents: store.collection('documents'),
    checks: store.collection('checks'),
    callbacks: store.collection('callbacks'),
    calls: store.collection('calls'),
    answers: store.collection('answers'),
    scenarios: store.collection('scenarios'),
    ids: store.collection('ids'),
  };
}

/** Forgets everything. */
export function clearState(state: State): void {
  for (const collection of Object.values(state)) collection.clear();
}
