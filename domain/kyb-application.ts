/** A company's application (onboarding 8.1): states, sections, and what may happen when. */
export const KYB_STATUSES = [
  'DRAFT',
  'SUBMITTED',
  'IN_REVIEW',
  'NEEDS_CORRECTION',
  'ON_HOLD',
  'ACCEPTED',
  'REJECTED',
  'EXPIRED',
] as const;
export type KybStatus = (typeof KYB_STATUSES)[number];

export const KYB_SECTIONS = ['CONTACT', 'ENTITY', 'BUSINESS', 'PERSONS', 'DOCUMENTS'] as const;
export type KybSection = (typeof KYB_SECTIONS)[number];

/** Sections that are filled by sending their fields; DOCUMENTS is filled by uploads. */
export type KybFormSection = Exclude<KybSection, 'DOCUMENTS'>;

export const SECTION_STATES = ['PENDING', 'VERIFIED', 'NEEDS_CORRECTION'] as const;
export type SectionState = (typeof SECTION_STATES)[number];

export type KybChannel = 'PUBLIC' | 'SERVER' | 'ADMIN';

/** What an operator may do to an application; each is an update of its workflow. */
export const KYB_ACTIONS = [
  'reviewSection',
  'requestCorrection',
  'hold',
  'resume',
  'accept',
  'reject',
] as const;
export type KybAction = (typeof KYB_ACTIONS)[number];

export interface SectionMark {
  readonly section: KybSection;
  readonly state: SectionState;
  /** True when the applicant has changed it since it was marked. */
  readonly changed: boolean;
}

const FINAL: readonly KybStatus[] = ['ACCEPTED', 'REJECTED', 'EXPIRED'];

/** True when nothing more can happen to an application. */
export const isFinal = (status: KybStatus): boolean => FINAL.includes(status);

const ALLOWED_IN: Readonly<Record<KybAction, readonly KybStatus[]>> = {
  reviewSection: ['SUBMITTED', 'IN_REVIEW'],
  requestCorrection: ['IN_REVIEW'],
  hold: ['SUBMITTED', 'IN_REVIEW'],
  resume: ['ON_HOLD'],
  accept: ['IN_REVIEW'],
  reject: ['SUBMITTED', 'IN_REVIEW', 'ON_HOLD', 'NEEDS_CORRECTION'],
};

/** True when `action` is open in `status`, whatever else it needs. */
export const allows = (status: KybStatus, action: KybAction): boolean => ALLOWED_IN[action].includes(status);

/** The state after an action that was allowed. */
export function statusAfter(action: KybAction): KybStatus {
  switch (action) {
    case 'reviewSection':
    case 'resume':
      return 'IN_REVIEW';
    case 'requestCorrection':
      return 'NEEDS_CORRECTION';
    case 'hold':
      return 'ON_HOLD';
    case 'accept':
      return 'ACCEPTED';
    case 'reject':
      return 'REJECTED';
  }
}

/** True when the applicant may change a section: any of a draft, afterwards those that were marked. */
export const mayChange = (status: KybStatus, state: SectionState): boolean =>
  status === 'DRAFT' || (status === 'NEEDS_CORRECTION' && state === 'NEEDS_CORRECTION');

/** True when the applicant may submit: a draft, or a correction with every marked section changed. */
export function maySubmit(status: KybStatus, sections: readonly SectionMark[]): boolean {
  if (status === 'DRAFT') return true;
  return (
    status === 'NEEDS_CORRECTION' && sections.every((one) => one.state !== 'NEEDS_CORRECTION' || one.changed)
  );
}

/** Why an application cannot be accepted, null when it can. */
export function acceptanceFault(facts: {
  readonly sections: readonly SectionMark[];
  readonly openHit: boolean;
  readonly sanctionConfirmed: boolean;
  /** Somebody of the company is declared to be on a list of sanctions. */
  readonly sanctionDeclared: boolean;
}): 'SECTIONS_NOT_VERIFIED' | 'SCREENING_HIT_OPEN' | null {
  if (!allVerified(facts.sections)) return 'SECTIONS_NOT_VERIFIED';
  return facts.openHit || facts.sanctionConfirmed || facts.sanctionDeclared ? 'SCREENING_HIT_OPEN' : null;
}

/** What an operator asks for; texts may name people and are stored sealed. */
export type KybCommand = { readonly operatorId: string } & (
  | {
      readonly action: 'reviewSection';
      readonly section: KybSection;
      readonly result: SectionState;
      /** Needed with NEEDS_CORRECTION; mailed to the applicant. */
      readonly comment?: string;
    }
  | { readonly action: 'requestCorrection' | 'resume' }
  | { readonly action: 'accept'; readonly note?: string }
  | { readonly action: 'hold' | 'reject'; readonly reason: string }
);

export type CommandFault =
  'STATE_CONFLICT' | 'COMMENT_REQUIRED' | 'REASON_REQUIRED' | 'SECTIONS_NOT_VERIFIED';

/** Why a command cannot be taken now, null when it can, as far as state and sections tell (onboarding 8.1). */
export function commandFault(
  status: KybStatus,
  sections: readonly SectionMark[],
  command: KybCommand,
): CommandFault | null {
  if (!allows(status, command.action)) return 'STATE_CONFLICT';
  switch (command.action) {
    case 'reviewSection':
      return command.result === 'NEEDS_CORRECTION' && isBlank(command.comment) ? 'COMMENT_REQUIRED' : null;
    case 'requestCorrection':
      return sections.some((one) => one.state === 'NEEDS_CORRECTION') ? null : 'STATE_CONFLICT';
    case 'hold':
    case 'reject':
      return isBlank(command.reason) ? 'REASON_REQUIRED' : null;
    case 'accept':
      return allVerified(sections) ? null : 'SECTIONS_NOT_VERIFIED';
    case 'resume':
      return null;
  }
}

const isBlank = (text: string | undefined): boolean => text === undefined || text.trim() === '';

const allVerified = (sections: readonly SectionMark[]): boolean =>
  KYB_SECTIONS.every((section) =>
    sections.some((one) => one.section === section && one.state === 'VERIFIED'),
  );

/** Durations of an application, in milliseconds (onboarding 8.5). */
export interface KybTimings {
  /** Reminders of a draft, counted from its last change, in order. */
  readonly reminderMs: readonly number[];
  readonly draftMs: number;
  readonly correctionMs: number;
  readonly screeningMs: number;
  /** Reminders of reviewers while an application waits for them. */
  readonly reviewReminderMs: number;
}

const DAY_MS = 86_400_000;

/** The programme's durations, filled up with the chapter's. */
export const kybTimings = (programme: Partial<KybTimings> = {}): KybTimings => ({
  reminderMs: programme.reminderMs ?? [3 * DAY_MS, 10 * DAY_MS],
  draftMs: programme.draftMs ?? 30 * DAY_MS,
  correctionMs: programme.correctionMs ?? 30 * DAY_MS,
  screeningMs: programme.screeningMs ?? 30 * 60_000,
  reviewReminderMs: programme.reviewReminderMs ?? DAY_MS,
});

/** Life of a token that opens an application. */
export const KYB_TOKEN_MS = 14 * DAY_MS;
