export const OPERATOR_ROLES = ['Admin', 'Manager', 'Employee'] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

/** `PARTNER`: staff of one partner; `PLATFORM`: of the BIN sponsor and host, for all partners. */
export const OPERATOR_SCOPES = ['PARTNER', 'PLATFORM'] as const;
export type OperatorScope = (typeof OPERATOR_SCOPES)[number];

/** As stored; an operator is LOCKED while `lockedUntil` lies ahead (channels 12). */
export type StoredOperatorState = 'INVITED' | 'ACTIVE' | 'DISABLED';
export type OperatorState = StoredOperatorState | 'LOCKED';

/** The state that is shown and acted on at `now`. */
export const operatorStateAt = (
  stored: { readonly state: StoredOperatorState; readonly lockedUntil: Date | null },
  now: Date,
): OperatorState =>
  stored.state === 'ACTIVE' && stored.lockedUntil !== null && stored.lockedUntil > now
    ? 'LOCKED'
    : stored.state;

/** How long a session lives: after its last use, and in all. */
export const OPERATOR_SESSION = { idleSeconds: 15 * 60, absoluteSeconds: 8 * 60 * 60 } as const;
/** A code given this lately counts as a step-up (administration 2). */
export const STEP_UP_SECONDS = 5 * 60;
