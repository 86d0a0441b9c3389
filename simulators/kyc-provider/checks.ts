import type { Callbacks } from './callbacks.ts';
import { nextId } from './ids.ts';
import { planCheck, type Outcome } from './scenario.ts';
import { scenarioFor } from './scenarios.ts';
import type { Applicant, Check, State } from './state.ts';

export interface CheckSettings {
  readonly delayMs: number;
  readonly nowMs: () => number;
}

/** Checks that complete by themselves when their time has come. */
export interface Checks {
  start(applicant: Applicant, checks: readonly string[], callbackUrl: string): Check;
  /** Completes a check by hand and announces it. */
  complete(check: Check, outcome: Outcome, reasons: readonly string[]): void;
  /** Goes on with what was running when the earlier run ended. */
  resume(): void;
  /** Drops the timers of all running checks. */
  forget(): void;
}

/** Checks over the records of `state`; `callbacks` announces each completed one. */
export function createChecks(state: State, callbacks: Callbacks, settings: CheckSettings): Checks {
  const timers = new Map<string, NodeJS.Timeout>();

  function plan(check: Check): void {
    if (check.dueMs === null) return;
    const timer = setTimeout(
      () => {
        const running = state.checks.get(check.checkId);
        if (running?.state === 'RUNNING') complete(running, check.plan.outcome, check.plan.reasons);
      },
      Math.max(0, check.dueMs - settings.nowMs()),
    );
    timers.set(check.checkId, timer);
  }

  function complete(check: Check, outcome: Outcome, reasons: readonly string[]): void {
    clearTimeout(timers.get(check.checkId));
    timers.delete(check.checkId);
    const completedAt = new Date(settings.nowMs()).toISOString();
    const completed: Check = { ...check, state: 'COMPLETED', outcome, reasons, completedAt, dueMs: null };
    state.checks.set(check.checkId, completed);
    callbacks.announce(completed);
  }

  return {
    start(applicant, checks, callbackUrl) {
      const { applicantId, externalId, identityCardNo } = applicant;
      const planned = planCheck(scenarioFor(state, externalId), identityCardNo, settings.delayMs);
      const check: Check = {
        checkId: nextId(state, 'ch'),
        applicantId,
        externalId,
        callbackUrl,
        checks,
        state: 'RUNNING',
        outcome: null,
        reasons: [],
        completedAt: null,
        dueMs: planned.completes ? settings.nowMs() + planned.delayMs : null,
        plan: planned,
      };
      state.checks.set(check.checkId, check);
      plan(check);
      return check;
    },
    complete: (check, outcome, reasons) =>
      // Completed by hand, a silent check is announced too.
      complete(
        { ...check, plan: { ...check.plan, callbacks: Math.max(1, check.plan.callbacks) } },
        outcome,
        reasons,
      ),
    resume() {
      state.checks
        .all()
        .filter((check) => check.state === 'RUNNING')
        .forEach(plan);
    },
    forget() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
