import { createHmac } from 'node:crypto';
import { request } from 'undici';
import { nextId } from './ids.ts';
import type { CheckPlan, Outcome } from './scenario.ts';
import type { Callback, Check, State } from './state.ts';

export interface CallbackSettings {
  readonly webhookSecret: string;
  readonly nowMs: () => number;
  readonly onFault: (error: unknown) => void;
}

/** Sends what the platform is told by webhook (onboarding 9.2). */
export interface Callbacks {
  /** Sends the news of a completed check as often as its plan says. */
  announce(check: Check): void;
  /** Sends the last callback of a check once more, byte for byte; false when there was none. */
  repeat(check: Check): boolean;
  /** Goes on with what was waiting when the earlier run ended. */
  resume(): void;
  /** Drops everything that still waits to be sent. */
  forget(): void;
  stop(): void;
}

/** Waits before the attempts after one that was not taken: a webhook is worth a few tries, polling does the rest. */
const retryDelaysMs = [1_000, 5_000, 15_000];
const timeoutMs = 10_000;
const staleSeconds = 600;

/** Callbacks over the records of `state`, so that a restart loses none. */
export function createCallbacks(state: State, settings: CallbackSettings): Callbacks {
  const timers = new Set<NodeJS.Timeout>();
  const ended = new AbortController();

  function plan(callback: Callback): void {
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        send(callback).catch(settings.onFault);
      },
      Math.max(0, callback.dueMs - settings.nowMs()),
    );
    timers.add(timer);
  }

  async function send(callback: Callback): Promise<void> {
    const check = state.checks.get(callback.checkId);
    if (check === undefined) return;
    const status = await post(callback, check.plan);
    if (ended.signal.aborted || state.callbacks.get(callback.callbackId) === undefined) return;
    const attempts = callback.attempts + 1;
    const isTaken = status !== null && status < 500;
    const delayMs = retryDelaysMs[attempts - 1];
    if (isTaken || delayMs === undefined) {
      const outcome = status !== null && status < 300 ? 'ACCEPTED' : 'FAILED';
      save({ ...callback, attempts, lastStatus: status, state: outcome });
      return;
    }
    plan(save({ ...callback, attempts, lastStatus: status, dueMs: settings.nowMs() + delayMs }));
  }

  async function post(callback: Callback, flaws: CheckPlan): Promise<number | null> {
    const seconds = Math.floor(settings.nowMs() / 1_000) - (flaws.staleTimestamp ? staleSeconds : 0);
    const secret = flaws.badSignature ? `not ${settings.webhookSecret}` : settings.webhookSecret;
    const signature = createHmac('sha256', secret).update(`${seconds}.${callback.body}`).digest('hex');
    try {
      // Not fetch: it refuses some ports by number. Redirects are not followed.
      const { statusCode, body } = await request(callback.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Signature': `t=${seconds},v1=${signature}` },
        body: callback.body,
        signal: AbortSignal.any([ended.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await body.dump();
      return statusCode;
    } catch {
      return null;
    }
  }

  function save(callback: Callback): Callback {
    state.callbacks.set(callback.callbackId, callback);
    return callback;
  }

  function enqueue(check: Check, body: string, dueMs: number): void {
    const callbackId = nextId(state, 'cb');
    const { checkId, callbackUrl: url } = check;
    plan(save({ callbackId, checkId, url, body, dueMs, attempts: 0, state: 'WAITING', lastStatus: null }));
  }

  function forget(): void {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
  }

  return {
    announce(check) {
      const body = bodyOf(check, nextId(state, 'ev'));
      const dueMs = settings.nowMs() + check.plan.callbackDelayMs;
      for (let copy = 0; copy < check.plan.callbacks; copy += 1) enqueue(check, body, dueMs);
    },
    repeat(check) {
      const last = state.callbacks.all().findLast((one) => one.checkId === check.checkId);
      if (last === undefined) return false;
      enqueue(check, last.body, settings.nowMs());
      return true;
    },
    resume() {
      state.callbacks
        .all()
        .filter((one) => one.state === 'WAITING')
        .forEach(plan);
    },
    forget,
    stop() {
      ended.abort();
      forget();
    },
  };
}

function bodyOf(check: Check, eventId: string): string {
  const { checkId, applicantId, externalId, reasons, plan } = check;
  const outcome = plan.wrongOutcomeInCallback ? otherThan(check.outcome) : check.outcome;
  const body = JSON.stringify({
    eventId,
    type: 'check.completed',
    checkId,
    applicantId,
    externalId,
    outcome,
    reasons,
    occurredAt: check.completedAt,
  });
  return plan.malformed ? body.slice(0, -1) : body;
}

function otherThan(outcome: Outcome | null): Outcome {
  return outcome === 'APPROVED' ? 'REJECTED' : 'APPROVED';
}
