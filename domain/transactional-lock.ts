/** Reasons for which a customer or corporation may not transact (onboarding 7), spelled as on the wire. */
export const LOCK_REASONS = [
  'DOCUMENT_EXPIRED',
  'SCREENING_DETECTED',
  'TEMPORARY_LOCKED',
  'MANY_CARDS_LOCK',
  'NAGATIVE_VERIFICATION',
  'FRAUD_SUSPECTED',
  'PROSECUTOR_LOCK',
  'POLICE_LOCK',
  'PEKAO_LOCK',
  'ZEN_LOCK',
  'FENIGE_LOCK',
  'PRADO_VERIFICATION',
] as const;
export type LockReason = (typeof LOCK_REASONS)[number];

export const LOCK_ORIGINS = ['SYSTEM', 'OPERATOR', 'PARTNER'] as const;
export type LockOrigin = (typeof LOCK_ORIGINS)[number];

/** Locks of origin SYSTEM that an accepted verification lifts (onboarding 6.2, step 5). */
export const LIFTED_BY_ACCEPTANCE = ['DOCUMENT_EXPIRED', 'NAGATIVE_VERIFICATION'] as const;

/** What is also understood, though answers spell it as the documents do. */
const ALIASES: Readonly<Record<string, LockReason>> = { NEGATIVE_VERIFICATION: 'NAGATIVE_VERIFICATION' };

/** How a programme's own reasons are written. */
export const EXTRA_LOCK_REASON = /^[A-Z][A-Z_]{2,39}$/;

/** The reason that `text` names, in any case: of the platform, an alias, or of the programme; null when unknown. */
export function lockReasonOf(text: string, extraReasons: readonly string[]): string | null {
  const name = text.trim().toUpperCase();
  const known = ALIASES[name] ?? LOCK_REASONS.find((one) => one === name);
  return known ?? extraReasons.find((one) => one === name) ?? null;
}

/** True for the one reason that may end by itself. */
export const mayEndByItself = (reason: string): boolean => reason === 'TEMPORARY_LOCKED';
