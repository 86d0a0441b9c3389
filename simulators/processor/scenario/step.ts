import { setTimeout as sleep } from 'node:timers/promises';
import { durationMs } from './duration.ts';
import type { Step } from './file.ts';
import type { Difference } from './match.ts';
import { differences } from './match.ts';
import { redact } from './redact.ts';
import type { Facts } from './references.ts';
import { resolve, UnknownReference } from './references.ts';
import type { StepReport } from './report.ts';
import type { Readers } from './subjects.ts';
import { compareSubject, isSubject } from './subjects.ts';
import { controlCallOf } from './words.ts';
import type { PartnerCall } from './world.ts';
import { StepFailed } from './world.ts';

type Members = Readonly<Record<string, unknown>>;

/** What a run knows while it goes on; steps put in what they gave. */
export interface Progress {
  readonly readers: Readers;
  readonly facts: Record<string, unknown>;
  /** Ids of transactions by the trace they were sent under. */
  readonly transactions: Map<string, string>;
  /** Faults that the run put up. */
  readonly faultIds: string[];
}

/** What a step did. `answer` is what its expectation looks at. */
interface Done {
  readonly sent: unknown;
  readonly answer: Members;
}

const POLL_MS = 50;
const CHANNELS: Readonly<Record<string, string>> = { secure: '/secure', lifecycle: '/lifecycle/v1' };

/** Runs a step as often as it says, and compares after each time; it never throws. */
export async function runStep(step: Step, progress: Progress): Promise<StepReport[]> {
  if (step.word === 'parallel') {
    const branches = await Promise.all(step.steps.map((one) => runStep(one, progress)));
    return branches.flat();
  }
  const reports: StepReport[] = [];
  for (let time = 0; time < step.times; time += 1) {
    const report = await runOnce(step, progress);
    reports.push(report);
    if (report.outcome === 'FAILED') break;
  }
  return reports;
}

async function runOnce(step: Step, progress: Progress): Promise<StepReport> {
  const startedAt = performance.now();
  const begun = { id: step.id, word: step.word, sent: step.input, got: null, expected: step.expect };
  const end = (rest: Partial<StepReport>): StepReport => {
    const found = rest.differences ?? [];
    return {
      ...begun,
      differences: found,
      error: null,
      outcome: found.length > 0 || (rest.error ?? null) !== null ? 'FAILED' : 'PASSED',
      ...rest,
      sent: redact(rest.sent ?? step.input),
      ms: Math.round(performance.now() - startedAt),
    };
  };
  try {
    const facts: Facts = progress.facts;
    const input = resolve(step.input, facts);
    const { sent, answer } = await act(step.word, input, progress);
    if (step.id !== null) progress.facts[step.id] = answer;
    const expected = resolve(step.expect, facts) as Members;
    const onAnswer = compareAnswer(expected, answer);
    // The answer is what it is; only what is read anew can still become right.
    const withinMs = onAnswer.length > 0 ? 0 : step.withinMs;
    const seen = await compareWithin(withinMs, () => compareSubjects(expected, answer, progress));
    const compared = { got: { answer, ...seen.got }, differences: [...onAnswer, ...seen.differences] };
    return end({ sent, expected, ...compared });
  } catch (error) {
    if (!(error instanceof StepFailed || error instanceof UnknownReference)) {
      return end({ error: `the step broke: ${error instanceof Error ? error.message : 'unknown'}` });
    }
    return end({ error: error.message });
  }
}

async function act(word: string, input: unknown, progress: Progress): Promise<Done> {
  if (word === 'wait') {
    await sleep(durationMs(String(input)) ?? 0);
    return { sent: input, answer: {} };
  }
  const members = (input ?? {}) as Members;
  if (word === 'api') return callApi(members, progress);
  const { world, cast } = progress.readers;
  const today = world.now().toISOString().slice(0, 10);
  const call = controlCallOf(word, members, cast?.card ?? null, today);
  if (call === null) throw new StepFailed(`${word} is no step`);
  const { status, body } = await world.control(call.method, call.path, call.body);
  const answer = (body ?? {}) as Members;
  if (status >= 400) return { sent: call.body, answer: { ...answer, status } };
  const { traceId, request, response, faultId } = answer;
  if (word === 'fault') progress.faultIds.push(String(faultId));
  const id = transactionIdOf(response);
  if (typeof traceId === 'string' && id !== null && !progress.transactions.has(traceId)) {
    progress.transactions.set(traceId, id);
  }
  return { sent: request ?? call.body, answer };
}

async function callApi(input: Members, { readers }: Progress): Promise<Done> {
  const { partner } = readers.world;
  if (partner === null) throw new StepFailed('api needs the partner certificate, and none is configured');
  const { channel = 'secure', method = 'GET', path, body } = input;
  const prefix = CHANNELS[String(channel)];
  if (prefix === undefined || typeof path !== 'string') {
    throw new StepFailed('api needs a path, and channel secure or lifecycle');
  }
  const call = { method: String(method), path: prefix + path, ...(body !== undefined && { body }) };
  const answer = await partner(call as PartnerCall);
  return { sent: call, answer: { ...answer } };
}

/** Compares until it holds or the time is over; what differs at last, and what was seen. */
async function compareWithin(
  withinMs: number,
  look: () => Promise<{ got: Members; differences: readonly Difference[] }>,
) {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen.differences.length === 0 || performance.now() >= deadlineMs) return seen;
    await sleep(POLL_MS);
  }
}

/** What differs in the answer itself. */
function compareAnswer(expected: Members, answer: Members): readonly Difference[] {
  const { response, ...own } = answer;
  // The members of the platform's answer stand beside those of the control call.
  const visible = { ...own, response, ...((response ?? {}) as Members) };
  const wanted = Object.fromEntries(Object.entries(expected).filter(([name]) => !isSubject(name)));
  const found = differences(wanted, visible);
  const refused = typeof own['title'] === 'string' && Number(own['status']) >= 400;
  // A refusal that nobody expects is a failure, whatever else is expected.
  if (!refused || 'status' in expected) return found;
  const got = `${String(own['status'])} ${String(own['title'])}`;
  return [...found, { path: 'status', expected: 'no refusal', got }];
}

/** What differs in the subjects that the expectation names, read now. */
async function compareSubjects(expected: Members, { response, traceId }: Members, progress: Progress) {
  const transactionId = transactionIdOf(response) ?? progress.transactions.get(String(traceId)) ?? null;
  const got: Record<string, unknown> = {};
  const found: Difference[] = [];
  for (const [name, wanted] of Object.entries(expected)) {
    if (!isSubject(name)) continue;
    const compared = await compareSubject(progress.readers, name, wanted, transactionId);
    got[name] = compared.got;
    found.push(...compared.differences);
  }
  return { got, differences: found };
}

/** The platform's id of the transaction in an answer: of a decision, or of the first record's result. */
function transactionIdOf(response: unknown): string | null {
  const { id, results } = (response ?? {}) as { id?: unknown; results?: readonly { id?: unknown }[] };
  const found = id ?? results?.[0]?.id;
  return typeof found === 'string' ? found : null;
}
