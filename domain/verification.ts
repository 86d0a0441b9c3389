import { normalizeName } from './screening.ts';
import { type KycState, RISK_LEVELS, type RiskLevel } from './customer.ts';
import type { OperatorRole } from './operator.ts';

/** Who decides on a customer's identity: our operators, a provider, or the partner itself (onboarding 5). */
export const KYC_MODES = ['MANUAL', 'AUTOMATIC', 'EXTERNAL'] as const;
export type KycMode = (typeof KYC_MODES)[number];

export type VerificationStatus = 'IN_PROGRESS' | 'ACCEPTED' | 'REJECTED';
export type VerificationStage = 'RECEIVED' | 'PROVIDER' | 'REVIEW' | 'CLOSED';

/** Reasons told with REJECTED. */
export const REJECTION_REASONS = [
  'INVALID_CUSTOMER_DATA',
  'BLURRED_DOCUMENT_PHOTO',
  'INVALID_DOCUMENT_PHOTO',
  'BLURRED_SELFIE',
  'INVALID_SELFIE',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

export const DOCUMENT_TYPES = ['passport', 'identity_card', 'residence_permit', 'driving_licence'] as const;
export type DocumentType = (typeof DOCUMENT_TYPES)[number];

export const PICTURE_KINDS = ['FACE', 'FRONT', 'BACK'] as const;
export type PictureKind = (typeof PICTURE_KINDS)[number];

/** The text fields of the form, as they are stored sealed. */
export interface VerificationForm {
  readonly firstName: string;
  readonly lastName: string;
  readonly birthDate: string;
  readonly pesel: string | null;
  readonly nationality: string;
  readonly country: string;
  readonly street: string;
  readonly number: string;
  readonly apartment: string | null;
  readonly city: string;
  readonly postCode: string;
  readonly documentType: DocumentType;
  readonly identityCardNo: string;
  readonly documentExpirationDate: string;
  readonly riskLevel: RiskLevel;
  readonly pep: boolean;
}

/** Pictures a form needs; a passport has no back. */
export const requiredPictures = (documentType: DocumentType): readonly PictureKind[] =>
  documentType === 'passport' ? ['FACE', 'FRONT'] : PICTURE_KINDS;

/** A document is good until the end of its last day. */
export const isExpired = (documentExpirationDate: string, today: string): boolean =>
  documentExpirationDate < today;

export type VerificationFlag =
  'PESEL_CHECKSUM' | 'PESEL_BIRTH_DATE' | 'NAME_DIFFERS' | 'BIRTH_DATE_DIFFERS' | 'PEP_DECLARED';

/** What a reviewer should look at in a form (onboarding 5); none of it refuses the form. */
export function flagsOf(
  form: VerificationForm,
  customer: { readonly firstName: string; readonly lastName: string; readonly birthDate: string },
): VerificationFlag[] {
  const nameOf = (one: { firstName: string; lastName: string }) =>
    normalizeName(`${one.firstName} ${one.lastName}`);
  const flags: (VerificationFlag | null)[] = [
    form.pesel !== null && !peselChecksumHolds(form.pesel) ? 'PESEL_CHECKSUM' : null,
    form.pesel !== null && birthDateOfPesel(form.pesel) !== form.birthDate ? 'PESEL_BIRTH_DATE' : null,
    nameOf(form) !== nameOf(customer) ? 'NAME_DIFFERS' : null,
    form.birthDate !== customer.birthDate ? 'BIRTH_DATE_DIFFERS' : null,
    form.pep ? 'PEP_DECLARED' : null,
  ];
  return flags.filter((flag) => flag !== null);
}

const PESEL_WEIGHTS = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];

/** True when the eleventh digit of a Polish personal number follows from the other ten. */
export function peselChecksumHolds(pesel: string): boolean {
  const sum = PESEL_WEIGHTS.reduce((total, weight, at) => total + weight * Number(pesel[at]), 0);
  return (10 - (sum % 10)) % 10 === Number(pesel[10]);
}

/** The month of a Polish personal number also tells the century: plus 20 for 2000, plus 80 for 1800. */
const PESEL_CENTURIES = [1900, 2000, 2100, 2200, 1800];

/** `YYYY-MM-DD` held in a Polish personal number. */
export function birthDateOfPesel(pesel: string): string {
  const month = Number(pesel.slice(2, 4));
  const century = PESEL_CENTURIES[Math.trunc(month / 20)] ?? 1900;
  const year = century + Number(pesel.slice(0, 2));
  return `${year}-${String(month % 20).padStart(2, '0')}-${pesel.slice(4, 6)}`;
}

export type ProviderOutcome = 'APPROVED' | 'REJECTED' | 'REVIEW';

/** How carefully somebody has to be looked at. */
export interface RiskMarks {
  readonly pep: boolean;
  readonly riskLevel: RiskLevel;
}

/**
 * What several sources say of one person (onboarding 6.7): a mark that one of them gives stands, the highest risk
 * counts, and a politically exposed person is always of high risk.
 */
export function joinMarks(...sources: readonly RiskMarks[]): RiskMarks {
  const pep = sources.some((one) => one.pep);
  const levels = sources.map((one) => RISK_LEVELS.indexOf(one.riskLevel));
  return { pep, riskLevel: pep ? 'HIGH' : (RISK_LEVELS[Math.max(0, ...levels)] ?? 'HIGH') };
}

/** What is known of a verification when the provider's outcome is in. */
export interface ScreeningFacts extends RiskMarks {
  /** A hit of any list that is not decided as false. */
  readonly openHit: boolean;
}

/** Next step after the provider's outcome (onboarding 6.1): only a clean approval needs no person. */
export function afterProvider(
  outcome: ProviderOutcome,
  facts: ScreeningFacts,
): 'ACCEPT' | 'REJECT' | 'REVIEW' {
  switch (outcome) {
    case 'REJECTED':
      return 'REJECT';
    case 'REVIEW':
      return 'REVIEW';
    case 'APPROVED':
      return facts.openHit || facts.pep || facts.riskLevel === 'HIGH' ? 'REVIEW' : 'ACCEPT';
  }
}

const OUR_REASONS: readonly (readonly [provider: string, ours: RejectionReason])[] = [
  ['DATA_MISMATCH', 'INVALID_CUSTOMER_DATA'],
  ['SUSPECTED_FRAUD', 'INVALID_CUSTOMER_DATA'],
  ['DOCUMENT_INVALID', 'INVALID_DOCUMENT_PHOTO'],
  ['DOCUMENT_EXPIRED', 'INVALID_DOCUMENT_PHOTO'],
  ['DOCUMENT_BLURRED', 'BLURRED_DOCUMENT_PHOTO'],
  ['FACE_MISMATCH', 'INVALID_SELFIE'],
  ['SELFIE_INVALID', 'INVALID_SELFIE'],
  ['SELFIE_BLURRED', 'BLURRED_SELFIE'],
];

/** Our reason for the provider's (onboarding 9.3): the first of the table that the provider named. */
export function rejectionReasonOf(providerReasons: readonly string[]): RejectionReason {
  const match = OUR_REASONS.find(([provider]) => providerReasons.includes(provider));
  return match === undefined ? 'INVALID_CUSTOMER_DATA' : match[1];
}

/** A person's decision on a case in REVIEW; the reason stands exactly with REJECT. */
export interface ReviewDecision {
  readonly decision: 'ACCEPT' | 'REJECT';
  readonly reason?: RejectionReason;
  readonly operatorId: string;
  readonly note?: string;
}

/** Why a decision cannot be taken now, null when it can (onboarding 6.2, validator of `decide`). */
export function decisionFault(stage: VerificationStage, decision: ReviewDecision): string | null {
  if (stage !== 'REVIEW') return 'NOT_IN_REVIEW';
  const known = decision.reason !== undefined && REJECTION_REASONS.includes(decision.reason);
  if (decision.decision === 'REJECT') return known ? null : 'REASON_REQUIRED';
  return decision.reason === undefined ? null : 'REASON_NOT_ALLOWED';
}

/** Durations of a verification, in milliseconds. */
export interface VerificationTimings {
  readonly providerPollMs: number;
  readonly providerLimitMs: number;
  /** Between two mails to the reviewers of a case that waits; absent in runs that began before there were any. */
  readonly reviewReminderMs?: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The programme's durations, filled up with the chapter's (onboarding 6.2). */
export const verificationTimings = (programme: Partial<VerificationTimings> = {}): VerificationTimings => ({
  providerPollMs: programme.providerPollMs ?? 5 * MINUTE_MS,
  providerLimitMs: programme.providerLimitMs ?? 30 * MINUTE_MS,
  reviewReminderMs: programme.reviewReminderMs ?? DAY_MS,
});

/** True when a customer of this kyc may be given money and cards. */
export const hasPassed = (kyc: KycState): boolean => kyc === 'SUCCESS';

/** True for an operator who may decide on verifications of a programme with these `kycReviewRoles` (onboarding 5). */
export const mayReview = (role: OperatorRole, reviewRoles: readonly OperatorRole[]): boolean =>
  role === 'Admin' || reviewRoles.includes(role);
