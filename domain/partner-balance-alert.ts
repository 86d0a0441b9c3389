/** What a partner asks to be told about one of its balances (money 2); minor units of its currency. */
export interface AlertSettings {
  /** Told when the balance is below. */
  readonly threshold: number;
  /** Armed again when the balance is at least this: without a gap, a balance at the edge would mail all day. */
  readonly rearmLevel: number;
  readonly emails: readonly string[];
  readonly enabled: boolean;
}

export type AlertState = 'ARMED' | 'FIRED';

/** Where an alert stands; `toldAtMs`: when the addresses were last told that the balance is low. */
export interface Alert extends AlertSettings {
  readonly state: AlertState;
  readonly toldAtMs: number | null;
}

const REMINDER_MS = 24 * 3_600_000;

/** The level at which an alert is armed again unless the partner names one: a tenth above, rounded up. */
export const defaultRearmLevel = (threshold: number): number => {
  const tenth = (threshold - (threshold % 10)) / 10 + (threshold % 10 === 0 ? 0 : 1);
  return Math.min(threshold + tenth, Number.MAX_SAFE_INTEGER);
};

/** What is due for an alert at a value of its balance, or null (money 2). */
export function dueStep(alert: Alert, value: number, nowMs: number): 'FIRE' | 'REMIND' | 'REARM' | null {
  if (!alert.enabled) return null;
  switch (alert.state) {
    case 'ARMED':
      return value < alert.threshold ? 'FIRE' : null;
    case 'FIRED':
      if (value >= alert.rearmLevel) return 'REARM';
      return alert.toldAtMs === null || nowMs - alert.toldAtMs >= REMINDER_MS ? 'REMIND' : null;
  }
}
