import { type FieldFault, Refusal } from './errors.ts';
import type { OperatorRole } from './operator.ts';
import type { VerificationTimings } from './verification.ts';

/** What operators set of a programme (administration 4.18); what of it belongs to a later release is not here. */
export interface ProgrammeSettings {
  readonly issuerCode: string;
  readonly name: string;
  /** CLOSED takes no new users, companies, applications, balances and cards; what is there goes on. */
  readonly state: 'ACTIVE' | 'CLOSED';
  readonly sandbox: boolean;
  readonly balanceHolder: 'platform' | 'external';
  readonly funding: 'credit' | 'deposit';
  readonly enforcePartnerBalance: boolean;
  readonly sharedAuthorization: boolean;
  readonly fxMode: 'network' | 'platform';
  readonly defaultCurrency: string;
  readonly currencies: readonly string[];
  readonly autoCreateBalance: boolean;
  readonly autoCorporation: boolean;
  readonly kycMode: 'MANUAL' | 'AUTOMATIC' | 'EXTERNAL';
  readonly externalKyc: boolean;
  readonly externalKyb: boolean;
  readonly corporateHolderKyc: 'required' | 'waived';
  readonly kycProvider: string | null;
  readonly kycReviewRoles: readonly OperatorRole[];
  /** Members that are not there take the default of onboarding 6. */
  readonly kycTimings: Partial<VerificationTimings>;
  readonly minAge: number;
  readonly timezone: string;
  readonly country: string;
  /** Null: as the kind of purchase has it (money 5). */
  readonly holdDays: number | null;
  readonly allowPartialApproval: boolean;
  readonly enrolment: 'OPEN' | 'CLOSED' | 'BOTH';
  readonly stepUp: 'REQUIRED' | 'APP';
  readonly sessionMinutes: number;
  readonly appPinLength: number;
  readonly manyCardsThreshold: number | null;
  readonly screeningThreshold: number;
  readonly extraLockReasons: readonly string[];
}

/** Settings of a new programme that nobody has to say. */
export const PROGRAMME_DEFAULTS = {
  state: 'ACTIVE',
  sandbox: false,
  enforcePartnerBalance: true,
  sharedAuthorization: false,
  fxMode: 'network',
  autoCreateBalance: true,
  autoCorporation: false,
  externalKyb: false,
  corporateHolderKyc: 'required',
  kycProvider: null,
  kycReviewRoles: ['Admin'],
  kycTimings: {},
  minAge: 18,
  timezone: 'UTC',
  holdDays: null,
  allowPartialApproval: false,
  enrolment: 'BOTH',
  stepUp: 'REQUIRED',
  sessionMinutes: 10,
  appPinLength: 6,
  manyCardsThreshold: null,
  screeningThreshold: 0.92,
  extraLockReasons: [],
} as const satisfies Partial<ProgrammeSettings>;

/** What stands from the first balance on: balances, cards and the partner's own system are built on it. */
const FIXED = ['issuerCode', 'balanceHolder', 'funding', 'defaultCurrency'] as const;

/** Those of `changed` that stand from the first balance on. */
export const fixedAmong = (changed: readonly (keyof ProgrammeSettings)[]): (keyof ProgrammeSettings)[] =>
  FIXED.filter((name) => changed.includes(name));

/**
 * Refuses settings that cannot stand together. `providers` are the KYC providers that this installation knows.
 * Throws `PROGRAMME_INVALID`, `SHARED_AUTHORIZATION_NOT_ALLOWED`.
 */
export function refuseSettings(settings: ProgrammeSettings, providers: readonly string[]): void {
  const faults = settingFaults(settings, providers);
  if (faults.length > 0) {
    throw new Refusal('PROGRAMME_INVALID', 'These settings cannot stand together.', { fields: faults });
  }
  if (settings.balanceHolder === 'external' && settings.sharedAuthorization) {
    throw new Refusal(
      'SHARED_AUTHORIZATION_NOT_ALLOWED',
      'A partner that keeps the balances decides by them; it has no vote beside.',
    );
  }
}

function settingFaults(settings: ProgrammeSettings, providers: readonly string[]): FieldFault[] {
  const { kycMode, kycProvider } = settings;
  const faults: FieldFault[] = [];
  const fault = (field: keyof ProgrammeSettings, message: string) => faults.push({ field, message });
  if (settings.balanceHolder === 'external' && settings.funding === 'credit') {
    fault('funding', 'must be deposit where balances are at the partner');
  }
  if (!settings.currencies.includes(settings.defaultCurrency)) {
    fault('currencies', 'must hold the default currency');
  }
  if (kycMode === 'AUTOMATIC' && kycProvider === null) fault('kycProvider', 'is needed to verify by itself');
  if (kycProvider !== null && !providers.includes(kycProvider)) {
    fault('kycProvider', 'must be a provider of this installation');
  }
  return faults;
}

/** Refuses what a closed programme does not take any more. Throws `STATE_CONFLICT`. */
export function refuseClosed({ state }: { readonly state: ProgrammeSettings['state'] }): void {
  if (state === 'CLOSED') throw new Refusal('STATE_CONFLICT', 'This programme is closed.');
}
