/** The company a partner serves (onboarding 4): its states, and those of the people who work for it. */
export const CORPORATION_STATES = ['ACTIVE', 'LOCKED', 'DELETED'] as const;
export type CorporationState = (typeof CORPORATION_STATES)[number];

export const KYB_STATES = ['NOT_STARTED', 'IN_PROGRESS', 'SUCCESS', 'FAILED'] as const;
export type KybState = (typeof KYB_STATES)[number];

export const LEGAL_FORMS = [
  'SOLE_TRADER',
  'PARTNERSHIP',
  'LIMITED_COMPANY',
  'JOINT_STOCK',
  'FOUNDATION',
  'ASSOCIATION',
  'OTHER',
] as const;
export type LegalForm = (typeof LEGAL_FORMS)[number];

export const CORPORATION_ADDRESS_TYPES = ['REGISTERED', 'CORRESPONDENCE'] as const;
export type CorporationAddressType = (typeof CORPORATION_ADDRESS_TYPES)[number];

export const EMPLOYEE_ROLES = ['OWNER', 'ADMIN', 'EMPLOYEE'] as const;
export type EmployeeRole = (typeof EMPLOYEE_ROLES)[number];

/** REMOVED is final; a person who comes back is a new employee. */
export const EMPLOYEE_STATES = ['ACTIVE', 'SUSPENDED', 'REMOVED'] as const;
export type EmployeeState = (typeof EMPLOYEE_STATES)[number];

/** How a company is reached; stored sealed, for a sole trader's are those of a person. */
export interface CorporationContact {
  /** Lower case. */
  readonly email: string;
  /** E.164 digits without plus. */
  readonly phone: string;
}

/** A company as far as it is asked whether it may be given balances and cards. */
export interface CorporationStanding {
  readonly state: CorporationState;
  readonly kyb: KybState;
  readonly transactionalLocks: number;
}

/** Why a company may not be given a balance or card, in the order of onboarding 4; null when it may. */
export function standingRefusal({
  state,
  kyb,
  transactionalLocks,
}: CorporationStanding): 'CORPORATION_NOT_ACTIVE' | 'KYB_REQUIRED' | 'TRANSACTIONAL_LOCK' | null {
  if (state !== 'ACTIVE') return 'CORPORATION_NOT_ACTIVE';
  if (kyb !== 'SUCCESS') return 'KYB_REQUIRED';
  return transactionalLocks > 0 ? 'TRANSACTIONAL_LOCK' : null;
}
