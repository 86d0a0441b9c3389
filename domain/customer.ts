/** The person a partner serves (onboarding 1): states, KYC states and the rules that join them. */
export const CUSTOMER_STATES = ['UNVERIFIED', 'VERIFIED', 'LOCKED', 'DELETED'] as const;
export type CustomerState = (typeof CUSTOMER_STATES)[number];

/** States that a partner may send; the others follow from lock and delete. */
export const SETTABLE_STATES = ['UNVERIFIED', 'VERIFIED'] as const;
export type SettableState = (typeof SETTABLE_STATES)[number];

export const KYC_STATES = ['NOT_STARTED', 'IN_PROGRESS', 'SUCCESS', 'FAILED'] as const;
export type KycState = (typeof KYC_STATES)[number];

export const RISK_LEVELS = ['LOW', 'MEDIUM', 'HIGH'] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

/** What is stored sealed under the customer's own key. */
export interface PersonalData {
  readonly firstName: string;
  readonly lastName: string;
  /** E.164 digits without plus. */
  readonly phone: string;
  /** Lower case. */
  readonly email: string;
  /** `YYYY-MM-DD`. */
  readonly birthDate: string;
  readonly nationality: string | null;
  /** ISO 639-1. */
  readonly language: string | null;
}

export const ADDRESS_TYPES = ['RESIDENCE', 'CORRESPONDENCE', 'DELIVERY'] as const;
export type AddressType = (typeof ADDRESS_TYPES)[number];

/** A postal address as it is stored sealed. */
export interface Address {
  readonly street: string;
  readonly number: string;
  readonly apartment: string | null;
  readonly city: string;
  readonly postCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly region: string | null;
}

/** True while a customer may be given balances, cards and verifications. */
export const isActive = (state: CustomerState): boolean => state === 'UNVERIFIED' || state === 'VERIFIED';

/** Whole years between two dates `YYYY-MM-DD`; somebody born on 29 February is a year older on 1 March. */
export function ageOn(birthDate: string, today: string): number {
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return today.slice(5) < birthDate.slice(5) ? years - 1 : years;
}

/** Kyc after a form was taken in (onboarding 1): a customer who has passed keeps SUCCESS during the review. */
export function kycAfterSubmission(kyc: KycState): KycState {
  switch (kyc) {
    case 'NOT_STARTED':
    case 'FAILED':
    case 'IN_PROGRESS':
      return 'IN_PROGRESS';
    case 'SUCCESS':
      return 'SUCCESS';
  }
}

/** Kyc after a decision, and whether a rejected re-verification locks the customer (onboarding 1). */
export function kycAfterDecision(
  kyc: KycState,
  status: 'ACCEPTED' | 'REJECTED',
): { readonly kyc: KycState; readonly addsNegativeLock: boolean } {
  if (status === 'ACCEPTED') return { kyc: 'SUCCESS', addsNegativeLock: false };
  if (kyc === 'SUCCESS') return { kyc: 'SUCCESS', addsNegativeLock: true };
  return { kyc: 'FAILED', addsNegativeLock: false };
}

/** What follows when the partner sets kyc itself (onboarding 1, last row of the kyc table). */
export interface KycChange {
  readonly becomesSuccess: boolean;
  /** The lock NAGATIVE_VERIFICATION of origin SYSTEM. */
  readonly negativeLock: 'add' | 'remove' | 'keep';
}

/** Classifies the change of kyc from `from` to `to`. */
export function kycChange(from: KycState, to: KycState): KycChange {
  if (from === to) return { becomesSuccess: false, negativeLock: 'keep' };
  if (to === 'SUCCESS') return { becomesSuccess: true, negativeLock: 'remove' };
  return { becomesSuccess: false, negativeLock: from === 'SUCCESS' ? 'add' : 'keep' };
}

/** A new document date lifts DOCUMENT_EXPIRED when it is later than the old one and still good (onboarding 2). */
export const renewsDocument = (oldDate: string | null, newDate: string, today: string): boolean =>
  newDate >= today && (oldDate === null || newDate > oldDate);
