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
