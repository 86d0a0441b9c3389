import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import type { AppliedDecision, ScreenedVerification } from '../../activities/database/verifications.ts';
import type { CheckResult, ProviderStep } from '../../activities/kyc-provider/answers.ts';
import type { ReviewDecision, VerificationTimings } from '../../domain/verification.ts';
import {
  close,
  type customerVerification,
  decide,
  hitDecided,
  providerResult,
  state,
} from '../../workflows/customer-verification.ts';
import { type RunningWorker, startWorkflowWorker } from '../support/workflow-worker.ts';

/** What the collaborators of one case answer, and what they were told. */
interface Script {
  facts: ScreenedVerification;
  factsAfterHit?: Partial<ScreenedVerification>;
  checks: (CheckResult | 'down')[];
  refusedStep?: string;
  failures: number;
  /** Pause of the provider's client after a failure. */
  pauseMs: number;
  /** How often the database refers an acceptance to a person. */
  referrals: number;
  readonly told: string[];
  readonly outcomes: AppliedDecision[];
}

const scripts = new Map<string, Script>();
const scriptOf = (verificationId: string): Script => {
  const script = scripts.get(verificationId);
  if (script === undefined) throw new Error('no script');
  return script;
};

const step = async (verificationId: string, name: string): Promise<ProviderStep> => {
  const script = scriptOf(verificationId);
  if (script.failures > 0) {
    script.failures -= 1;
    script.told.push('down');
    throw ApplicationFailure.create({ type: 'KYC_PROVIDER_UNAVAILABLE', nextRetryDelay: script.pauseMs });
  }
  script.told.push(name);
  return script.refusedStep === name ? 'REFUSED' : 'DONE';
};

const activities: Partial<Activities> = {
  screenPerson: async ({ verificationId }: Of) => scriptOf(verificationId).facts,
  readScreening: async ({ verificationId }: Of) => {
    const { facts, factsAfterHit } = scriptOf(verificationId);
    return { ...facts, ...factsAfterHit };
  },
  remindReviewers: async ({ verificationId }: Of) => {
    scriptOf(verificationId).told.push('reminder');
    return 1;
  },
  setStage: async ({ verificationId, stage }: Of & { stage: string }) =>
    void scriptOf(verificationId).told.push(stage),
  applyDecision: async ({ verificationId, ...outcome }: Of & AppliedDecision) => {
    const script = scriptOf(verificationId);
    script.referrals -= 1;
    if (script.referrals >= 0) return 'REFERRED';
    script.outcomes.push(outcome);
    return 'APPLIED';
  },
  openDefaultBalance: async ({ customerId }: { customerId: number }) => {
    for (const script of scripts.values()) {
      if (script.facts.customerId === customerId) script.told.push('balance');
    }
    return 'OPENED';
  },
  createApplicant: ({ verificationId }: Of) => step(verificationId, 'applicant'),
  uploadDocument: ({ verificationId, kind }: Of & { kind: string }) => step(verificationId, kind),
  startCheck: ({ verificationId }: Of) => step(verificationId, 'check'),
  fetchCheck: async ({ verificationId }: Of): Promise<CheckResult> => {
    const script = scriptOf(verificationId);
    script.told.push('fetch');
    const result = script.checks.length > 1 ? script.checks.shift() : script.checks[0];
    if (result === 'down' || result === undefined) {
      throw ApplicationFailure.create({ type: 'KYC_PROVIDER_UNAVAILABLE', nextRetryDelay: script.pauseMs });
    }
    return result;
  },
};

interface Of {
  readonly verificationId: string;
}

const approved: CheckResult = { kind: 'COMPLETED', outcome: 'APPROVED', reasons: [] };
const running: CheckResult = { kind: 'RUNNING' };

let worker: RunningWorker;
let nextCustomer = 1000;

beforeAll(async () => {
  worker = await startWorkflowWorker(activities);
});
afterAll(() => worker.stop());

interface Given extends Partial<Omit<Script, 'facts'>> {
  readonly facts?: Partial<ScreenedVerification>;
  readonly timings?: Partial<VerificationTimings>;
}

async function given({ facts = {}, timings = {}, ...script }: Given = {}) {
  const verificationId = randomUUID();
  nextCustomer += 1;
  const told: Script = {
    facts: {
      customerId: nextCustomer,
      partnerId: 1,
      programmeId: 2,
      mode: 'AUTOMATIC',
      openHit: false,
      sanctionConfirmed: false,
      pep: false,
      riskLevel: 'LOW',
      pictures: ['FACE', 'FRONT', 'BACK'],
      ...facts,
    },
    checks: [running],
    failures: 0,
    pauseMs: 20,
    referrals: 0,
    told: [],
    outcomes: [],
    ...script,
  };
  scripts.set(verificationId, told);
  const handle = await worker.client.workflow.start<typeof customerVerification>('customerVerification', {
    taskQueue: worker.taskQueue,
    workflowId: `customer-verification:${verificationId}`,
    args: [
      {
        verificationId,
        customerId: nextCustomer,
        timings: { providerPollMs: 60_000, providerLimitMs: 120_000, ...timings },
      },
    ],
  });
  return { handle, script: told };
}

type Handle = WorkflowHandle<typeof customerVerification>;

const untilStage = (handle: Handle, stage: string) =>
  vi.waitFor(async () => expect((await handle.query(state)).stage).toBe(stage), {
    timeout: 10_000,
    interval: 30,
  });

const accept: ReviewDecision = { decision: 'ACCEPT', operatorId: 'o-1' };
const reject: ReviewDecision = {
  decision: 'REJECT',
  reason: 'INVALID_SELFIE',
  operatorId: 'o-1',
  note: 'masked',
};

describe('automatic mode', () => {
  it('accepts when the provider approves, and opens the balance', async () => {
    const { handle, script } = await given({ checks: [approved] });
    await handle.signal(providerResult, { eventId: 'ev-1', checkId: 'ch-1' });
    expect(await handle.result()).toMatchObject({ stage: 'CLOSED', status: 'ACCEPTED' });
    expect(script.told).toEqual([
      'PROVIDER',
      'applicant',
      'FACE',
      'FRONT',
      'BACK',
      'check',
      'fetch',
      'balance',
    ]);
    expect(script.outcomes).toEqual([
      { status: 'ACCEPTED', reason: null, decidedBy: 'PROVIDER', note: null, notify: true },
    ]);
  });

  it('rejects with our reason for the provider’s, and opens nothing', async () => {
    const { handle, script } = await given({
      checks: [{ kind: 'COMPLETED', outcome: 'REJECTED', reasons: ['SELFIE_BLURRED'] }],
      facts: { pictures: ['FACE', 'FRONT'] },
    });
    await handle.signal(providerResult, { eventId: 'ev-1', checkId: 'ch-1' });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
    expect(script.outcomes[0]).toMatchObject({ status: 'REJECTED', reason: 'BLURRED_SELFIE' });
    expect(script.told).not.toContain('BACK');
    expect(script.told).not.toContain('balance');
  });

  it('believes only what it asked for: a report while the check runs changes nothing', async () => {
    const { handle, script } = await given({ checks: [running, approved] });
    await handle.signal(providerResult, { eventId: 'ev-1', checkId: 'ch-1' });
    await vi.waitFor(() => expect(script.told.filter((one) => one === 'fetch')).toHaveLength(1));
    await handle.signal(providerResult, { eventId: 'ev-1', checkId: 'ch-1' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(script.told.filter((one) => one === 'fetch')).toHaveLength(1);
    await handle.signal(providerResult, { eventId: 'ev-2', checkId: 'ch-1' });
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
  });

  it('asks by itself when no report comes', async () => {
    const { handle, script } = await given({
      checks: [running, running, approved],
      timings: { providerPollMs: 50 },
    });
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
    expect(script.told.filter((one) => one === 'fetch')).toHaveLength(3);
  });

  it('hands a silent provider’s case to a person', async () => {
    const { handle, script } = await given({ timings: { providerPollMs: 100, providerLimitMs: 350 } });
    await untilStage(handle, 'REVIEW');
    expect(await handle.executeUpdate(decide, { args: [accept] })).toEqual({ status: 'ACCEPTED' });
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
    expect(script.outcomes[0]).toMatchObject({ decidedBy: 'o-1' });
  });

  it('rides out a provider that is away for a while', async () => {
    const { handle } = await given({
      checks: ['down', 'down', approved],
      failures: 2,
      timings: { providerPollMs: 50 },
    });
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
  });

  it('hands the case to a person when the provider stays away to the limit', async () => {
    const { handle, script } = await given({ failures: 1_000, timings: { providerLimitMs: 400 } });
    await untilStage(handle, 'REVIEW');
    await vi.waitFor(() =>
      expect(script.told.filter((one) => one !== 'down')).toEqual(['PROVIDER', 'REVIEW']),
    );
    await handle.signal(close, {});
    await handle.result();
  });

  it('gives the provider its time once: what it was away is not given again for its silence', async () => {
    const limit = { providerPollMs: 60_000, providerLimitMs: 4_000 };
    const { handle } = await given({ failures: 1, pauseMs: 3_000, timings: limit });
    await untilStage(handle, 'PROVIDER');
    const sinceMs = Date.parse((await handle.query(state)).since);
    await untilStage(handle, 'REVIEW');
    expect(Date.parse((await handle.query(state)).since) - sinceMs).toBeLessThan(6_000);
    await handle.signal(close, {});
    await handle.result();
  });

  it.each(['applicant', 'FRONT', 'check'])(
    'hands the case to a person when the provider refuses the %s',
    async (refusedStep) => {
      const { handle } = await given({ refusedStep });
      await untilStage(handle, 'REVIEW');
      await handle.signal(close, {});
      await handle.result();
    },
  );

  it.each([
    ['an open hit', { openHit: true }],
    ['a PEP', { pep: true }],
    ['a high risk', { riskLevel: 'HIGH' }],
  ] as const)('refers an approved case with %s to a person', async (_name, facts) => {
    const { handle } = await given({ facts, checks: [approved], timings: { providerPollMs: 50 } });
    await untilStage(handle, 'REVIEW');
    expect(await handle.executeUpdate(decide, { args: [reject] })).toEqual({ status: 'REJECTED' });
    await handle.result();
  });
});

describe('a person', () => {
  it('decides in manual mode without any provider', async () => {
    const { handle, script } = await given({ facts: { mode: 'MANUAL' } });
    await untilStage(handle, 'REVIEW');
    await handle.executeUpdate(decide, { args: [reject], updateId: 'key-1' });
    expect(script.outcomes).toEqual([
      { status: 'REJECTED', reason: 'INVALID_SELFIE', decidedBy: 'o-1', note: 'masked', notify: true },
    ]);
    expect(script.told).toEqual(['REVIEW']);
  });

  it.each([
    ['a rejection without a reason', { decision: 'REJECT', operatorId: 'o' }, 'REASON_REQUIRED'],
    ['an acceptance with a reason', { ...reject, decision: 'ACCEPT' }, 'REASON_NOT_ALLOWED'],
  ] as const)('cannot give %s', async (_name, decision, type) => {
    const { handle, script } = await given({ facts: { mode: 'MANUAL' } });
    await untilStage(handle, 'REVIEW');
    await expect(handle.executeUpdate(decide, { args: [decision as ReviewDecision] })).rejects.toMatchObject({
      cause: { type },
    });
    expect(script.outcomes).toEqual([]);
    await handle.signal(close, {});
    await handle.result();
  });

  it('cannot decide while the provider has the case', async () => {
    const { handle } = await given();
    await untilStage(handle, 'PROVIDER');
    await expect(handle.executeUpdate(decide, { args: [accept] })).rejects.toMatchObject({
      cause: { type: 'NOT_IN_REVIEW' },
    });
    await handle.signal(close, {});
    await handle.result();
  });

  it('is reminded again and again, until the decision', async () => {
    const { handle, script } = await given({ facts: { mode: 'MANUAL' }, timings: { reviewReminderMs: 200 } });
    await untilStage(handle, 'REVIEW');
    await vi.waitFor(
      () => expect(script.told.filter((one) => one === 'reminder').length).toBeGreaterThan(1),
      {
        timeout: 10_000,
      },
    );
    expect(await handle.executeUpdate(decide, { args: [accept] })).toEqual({ status: 'ACCEPTED' });
    await handle.result();
    const reminders = script.told.filter((one) => one === 'reminder').length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(script.told.filter((one) => one === 'reminder')).toHaveLength(reminders);
  });

  it('decides once: the same update id gives the first answer, another one is refused or too late', async () => {
    const { handle, script } = await given({ facts: { mode: 'MANUAL' } });
    await untilStage(handle, 'REVIEW');
    const answers = await Promise.allSettled([
      handle.executeUpdate(decide, { args: [accept], updateId: 'key-1' }),
      handle.executeUpdate(decide, { args: [accept], updateId: 'key-1' }),
      handle.executeUpdate(decide, { args: [reject], updateId: 'key-2' }),
    ]);
    expect(answers[0]).toEqual(answers[1]);
    expect(script.outcomes).toHaveLength(1);
    await handle.result();
  });
});

describe('from elsewhere', () => {
  it('a deleted customer ends the case rejected, and nobody is told', async () => {
    const { handle, script } = await given();
    await untilStage(handle, 'PROVIDER');
    await handle.signal(close, {});
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
    expect(script.outcomes[0]).toMatchObject({
      reason: 'INVALID_CUSTOMER_DATA',
      notify: false,
      decidedBy: 'SYSTEM',
    });
  });

  it('a confirmed sanction hit ends the case rejected', async () => {
    const { handle, script } = await given({
      facts: { mode: 'MANUAL', openHit: true },
      factsAfterHit: { sanctionConfirmed: true },
    });
    await untilStage(handle, 'REVIEW');
    await handle.signal(hitDecided, { hitId: 'h-1', decision: 'CONFIRMED' });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
    expect(script.outcomes[0]).toMatchObject({ reason: 'INVALID_CUSTOMER_DATA', notify: true });
  });

  it('a sanction hit that is confirmed already ends the case before anything is sent', async () => {
    const { handle, script } = await given({
      facts: { openHit: true, sanctionConfirmed: true },
      checks: [approved],
      timings: { providerPollMs: 50 },
    });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
    expect(script.outcomes).toMatchObject([{ reason: 'INVALID_CUSTOMER_DATA', decidedBy: 'SYSTEM' }]);
    expect(script.told).toEqual([]);
  });

  it('a hit that came while the provider worked keeps its approval from being final', async () => {
    const { handle } = await given({
      factsAfterHit: { openHit: true },
      checks: [approved],
      timings: { providerPollMs: 50 },
    });
    await untilStage(handle, 'REVIEW');
    await handle.executeUpdate(decide, { args: [reject] });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
  });

  it('an approval that the database refers goes to a person', async () => {
    const { handle, script } = await given({
      referrals: 1,
      checks: [approved],
      timings: { providerPollMs: 50 },
    });
    await untilStage(handle, 'REVIEW');
    expect(await handle.executeUpdate(decide, { args: [accept] })).toEqual({ status: 'ACCEPTED' });
    await handle.result();
    expect(script.outcomes).toMatchObject([{ status: 'ACCEPTED', decidedBy: 'o-1' }]);
    expect(script.told.filter((one) => one === 'balance')).toHaveLength(1);
  });

  it.each<[string, Given]>([
    ['the applicant', { failures: 1_000 }],
    ['the result', { checks: ['down'], timings: { providerPollMs: 50 } }],
  ])('a confirmed hit does not wait for a provider who is away when asked for %s', async (_what, script) => {
    const { handle, script: told } = await given({
      pauseMs: 20_000,
      factsAfterHit: { sanctionConfirmed: true },
      ...script,
    });
    const asked = () => told.told.filter((one) => one === 'down' || one === 'fetch').length;
    await vi.waitFor(() => expect(asked()).toBe(1), { timeout: 10_000 });
    const beganMs = Date.now();
    await handle.signal(hitDecided, { hitId: 'h-1', decision: 'CONFIRMED' });
    expect(await handle.result()).toMatchObject({ status: 'REJECTED' });
    expect(Date.now() - beganMs).toBeLessThan(10_000);
    expect(asked()).toBe(1);
  });

  it('a hit found to be false meanwhile leaves the call to the provider as it is', async () => {
    const { handle, script } = await given({
      facts: { openHit: true },
      factsAfterHit: { openHit: false },
      failures: 1,
      pauseMs: 2_000,
      checks: [approved],
      timings: { providerPollMs: 50 },
    });
    await vi.waitFor(() => expect(script.told).toContain('down'), { timeout: 10_000 });
    await handle.signal(hitDecided, { hitId: 'h-1', decision: 'FALSE_POSITIVE' });
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
    expect(script.told.filter((one) => one === 'applicant')).toHaveLength(1);
  });

  it('a hit found to be false lets the provider’s approval stand', async () => {
    const { handle } = await given({
      facts: { openHit: true },
      factsAfterHit: { openHit: false },
      checks: [approved],
    });
    await untilStage(handle, 'PROVIDER');
    await handle.signal(hitDecided, { hitId: 'h-1', decision: 'FALSE_POSITIVE' });
    await handle.signal(providerResult, { eventId: 'ev-1', checkId: 'ch-1' });
    expect(await handle.result()).toMatchObject({ status: 'ACCEPTED' });
  });
});

describe('for operators', () => {
  it('shows stage, subject and owner in search attributes, and that somebody is waited for', async () => {
    const { handle, script } = await given({ facts: { mode: 'MANUAL' } });
    await untilStage(handle, 'REVIEW');
    const { searchAttributes } = await handle.describe();
    expect(searchAttributes).toMatchObject({
      Stage: ['REVIEW'],
      NeedsOperator: [true],
      SubjectId: [String(script.facts.customerId)],
      PartnerId: ['1'],
      ProgrammeId: ['2'],
    });
    await handle.signal(close, {});
    await handle.result();
    expect((await handle.describe()).searchAttributes).toMatchObject({
      Stage: ['CLOSED'],
      NeedsOperator: [false],
    });
  });
});
