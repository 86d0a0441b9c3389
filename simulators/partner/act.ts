import type { Behaviour } from './behaviour.ts';
import { refusal, type Call, type Delivery, type Outcome } from './call.ts';
import { factsOf } from './facts.ts';
import { straight, type Bend } from './process.ts';
import type { Action } from './rules.ts';
import { wait } from './wait.ts';

export interface Acted {
  readonly delivery: Delivery;
  /** Name of the rule that made the answer; null for plain reference behaviour. */
  readonly rule: string | null;
  /** What was done, or null when nothing was. */
  readonly outcome: Outcome | null;
}

type Step = Delivery | 'MODE_CHANGED';

/**
 * Answers a call as rules and mode have it. A call that a mode holds back is decided again when the mode
 * changes; its effect happens at most once all the same. `hungUp` aborts when the caller is gone.
 */
export async function act(
  behaviour: Behaviour,
  call: Call,
  hungUp: AbortSignal,
  processCall: (bend: Bend) => Outcome,
): Promise<Acted> {
  const facts = factsOf(call);
  const ended = behaviour.ended();
  let outcome: Outcome | null = null;
  const processOnce = (bend: Bend): Outcome => (outcome ??= processCall(bend));
  for (;;) {
    const chosen = behaviour.choose(facts);
    const modeChanged = chosen?.fromMode === true ? behaviour.modeChanged() : null;
    const pause = createPause(ended, modeChanged);
    const action = chosen?.rule.action ?? null;
    const step = await perform(action, pause, hungUp, () => behaviour.random(), processOnce);
    if (step === 'MODE_CHANGED') continue;
    return { delivery: step, rule: chosen?.rule.name ?? null, outcome };
  }
}

type Pause = (ms: number, hungUp?: AbortSignal) => Promise<'ELAPSED' | 'MODE_CHANGED' | 'OVER'>;

/** A wait that ends early when the mode changes, the simulator ends, or (if given) the caller hangs up. */
function createPause(ended: AbortSignal, modeChanged: AbortSignal | null): Pause {
  return async (ms, hungUp) => {
    const signals = [ended, modeChanged, hungUp].filter((signal) => signal instanceof AbortSignal);
    const by = await wait(ms, signals);
    if (by === null) return 'ELAPSED';
    return by === modeChanged ? 'MODE_CHANGED' : 'OVER';
  };
}

async function perform(
  action: Action | null,
  pause: Pause,
  hungUp: AbortSignal,
  random: () => number,
  processOnce: (bend: Bend) => Outcome,
): Promise<Step> {
  const answerAfter = async (ms: number, bend: Bend): Promise<Step> => {
    const end = ms === 0 ? 'ELAPSED' : await pause(ms);
    return settle(end, () => ({ kind: 'ANSWER', answer: processOnce(bend).answer }));
  };
  if (action === null) return answerAfter(0, straight);
  switch (action.kind) {
    case 'APPROVE':
      return answerAfter(action.delayMs ?? 0, { ...straight, verdict: { kind: 'APPROVE' } });
    case 'DECLINE': {
      const answer = refusal(action.status, action.title, 'Declined by a rule of the simulator.');
      return answerAfter(action.delayMs ?? 0, { ...straight, verdict: { kind: 'DECLINE', answer } });
    }
    case 'DELAY':
      return answerAfter(Math.round(action.ms + random() * (action.jitterMs ?? 0)), straight);
    case 'HANG':
      return settle(await pause(action.ms, hungUp), () => ({ kind: 'CLOSE' }));
    case 'LATE': {
      const { answer } = processOnce(straight);
      return settle(await pause(action.ms), () => ({ kind: 'ANSWER', answer }));
    }
    case 'STATUS': {
      const { status, body = null, headers = {} } = action;
      return { kind: 'ANSWER', answer: { status, body, headers } };
    }
    case 'RESET':
      if (action.when === 'after') processOnce(straight);
      return { kind: 'RESET' };
    case 'PROCESS_THEN_STATUS':
      processOnce(straight);
      return { kind: 'ANSWER', answer: { status: action.status, body: null } };
    case 'PROCESS_THEN_HANG':
      processOnce(straight);
      return settle(await pause(action.ms, hungUp), () => ({ kind: 'CLOSE' }));
    case 'IGNORE_KEY':
      return answerAfter(0, { ...straight, ignoreKey: true });
    case 'NO_TOMBSTONE':
      return answerAfter(0, { ...straight, keepTombstone: false });
  }
}

function settle(end: 'ELAPSED' | 'MODE_CHANGED' | 'OVER', deliver: () => Delivery): Step {
  switch (end) {
    case 'ELAPSED':
      return deliver();
    case 'MODE_CHANGED':
      return 'MODE_CHANGED';
    case 'OVER':
      return { kind: 'CLOSE' };
  }
}
