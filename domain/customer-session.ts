/** Times of a user's session, all by the database's clock. */
export interface SessionTimes {
  readonly lastUsedAt: Date;
  readonly absoluteExpiresAt: Date;
  /** Since a refresh took its place. */
  readonly replacedAt: Date | null;
  readonly endedAt: Date | null;
}

/** `REUSED`: an old token came after its grace, so somebody else may hold it (channels 11). */
export type SessionVerdict = 'LIVE' | 'EXPIRED' | 'REUSED';

export const ABSOLUTE_HOURS = 12;
export const STEP_UP_SECONDS = 120;
const GRACE_MS = 10_000;

/** When a session ends unless it is used again. */
export function expiryOf(
  { lastUsedAt, absoluteExpiresAt }: Pick<SessionTimes, 'lastUsedAt' | 'absoluteExpiresAt'>,
  sessionMinutes: number,
): Date {
  const idle = lastUsedAt.getTime() + sessionMinutes * 60_000;
  return new Date(Math.min(idle, absoluteExpiresAt.getTime()));
}

/** Whether a token of these times opens anything at `now`. */
export function judgeSession(times: SessionTimes, sessionMinutes: number, now: Date): SessionVerdict {
  if (times.endedAt !== null) return 'EXPIRED';
  if (times.replacedAt !== null && now.getTime() > times.replacedAt.getTime() + GRACE_MS) return 'REUSED';
  return now >= expiryOf(times, sessionMinutes) ? 'EXPIRED' : 'LIVE';
}
