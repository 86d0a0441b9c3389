import { describe, expect, it } from 'vitest';
import {
  acceptanceFault,
  allows,
  commandFault,
  isFinal,
  KYB_ACTIONS,
  KYB_SECTIONS,
  KYB_STATUSES,
  type KybCommand,
  mayChange,
  maySubmit,
  type SectionMark,
  type SectionState,
} from '../../domain/kyb-application.ts';
import { missingDocuments } from '../../domain/kyb-document.ts';
import { type KybPerson, ownershipFault } from '../../domain/kyb-form.ts';

const marks = (changes: Partial<Record<string, SectionState>> = {}, changed = false): SectionMark[] =>
  KYB_SECTIONS.map((section) => ({ section, state: changes[section] ?? 'PENDING', changed }));

const verified = KYB_SECTIONS.map((section): SectionMark => ({ section, state: 'VERIFIED', changed: false }));

describe('states of an application (onboarding 8.1)', () => {
  it('allow exactly what the table says', () => {
    const table = Object.fromEntries(
      KYB_STATUSES.map((status) => [status, KYB_ACTIONS.filter((action) => allows(status, action))]),
    );
    expect(table).toEqual({
      DRAFT: [],
      SUBMITTED: ['reviewSection', 'hold', 'reject'],
      IN_REVIEW: ['reviewSection', 'requestCorrection', 'hold', 'accept', 'reject'],
      NEEDS_CORRECTION: ['reject'],
      ON_HOLD: ['resume', 'reject'],
      ACCEPTED: [],
      REJECTED: [],
      EXPIRED: [],
    });
    expect(KYB_STATUSES.filter(isFinal)).toEqual(['ACCEPTED', 'REJECTED', 'EXPIRED']);
  });

  it('let the applicant change a draft, and afterwards the marked sections alone', () => {
    expect(mayChange('DRAFT', 'PENDING')).toBe(true);
    expect(mayChange('NEEDS_CORRECTION', 'NEEDS_CORRECTION')).toBe(true);
    expect(mayChange('NEEDS_CORRECTION', 'VERIFIED')).toBe(false);
    expect(mayChange('IN_REVIEW', 'NEEDS_CORRECTION')).toBe(false);
    expect(mayChange('ON_HOLD', 'NEEDS_CORRECTION')).toBe(false);
  });

  it('take a correction when every marked section was changed', () => {
    const marked = { ENTITY: 'NEEDS_CORRECTION', PERSONS: 'NEEDS_CORRECTION' } as const;
    expect(maySubmit('DRAFT', marks())).toBe(true);
    expect(maySubmit('NEEDS_CORRECTION', marks(marked, true))).toBe(true);
    const one = marks(marked, true).map((mark) =>
      mark.section === 'PERSONS' ? { ...mark, changed: false } : mark,
    );
    expect(maySubmit('NEEDS_CORRECTION', one)).toBe(false);
    expect(maySubmit('SUBMITTED', marks())).toBe(false);
  });
});

describe('commands of operators', () => {
  const operatorId = 'ada';

  it.each<[KybCommand, SectionMark[], string | null]>([
    [{ action: 'accept', operatorId }, verified, null],
    [{ action: 'accept', operatorId }, verified.slice(1), 'SECTIONS_NOT_VERIFIED'],
    [{ action: 'accept', operatorId }, marks(), 'SECTIONS_NOT_VERIFIED'],
    [{ action: 'requestCorrection', operatorId }, marks(), 'STATE_CONFLICT'],
    [{ action: 'requestCorrection', operatorId }, marks({ ENTITY: 'NEEDS_CORRECTION' }), null],
    [{ action: 'reject', reason: '  ', operatorId }, marks(), 'REASON_REQUIRED'],
    [{ action: 'hold', reason: 'x', operatorId }, marks(), null],
    [{ action: 'resume', operatorId }, marks(), 'STATE_CONFLICT'],
    [
      { action: 'reviewSection', section: 'ENTITY', result: 'NEEDS_CORRECTION', operatorId },
      marks(),
      'COMMENT_REQUIRED',
    ],
    [{ action: 'reviewSection', section: 'ENTITY', result: 'PENDING', operatorId }, marks(), null],
  ])('in review: %o', (command, sections, fault) => {
    expect(commandFault('IN_REVIEW', sections, command)).toBe(fault);
  });

  it('accept nobody with an open hit, a confirmed sanction, or a declared one', () => {
    const clean = { sections: verified, openHit: false, sanctionConfirmed: false, sanctionDeclared: false };
    expect(acceptanceFault(clean)).toBeNull();
    for (const fact of ['openHit', 'sanctionConfirmed', 'sanctionDeclared']) {
      expect(acceptanceFault({ ...clean, [fact]: true })).toBe('SCREENING_HIT_OPEN');
    }
    expect(acceptanceFault({ ...clean, sections: marks() })).toBe('SECTIONS_NOT_VERIFIED');
  });
});

describe('ownership (onboarding 8.2)', () => {
  const person = (changes: Partial<KybPerson>): KybPerson => ({
    personId: 'p',
    roles: ['REPRESENTATIVE', 'BENEFICIAL_OWNER'],
    firstName: 'Ada',
    lastName: 'Nowak',
    birthDate: '1980-01-01',
    nationality: 'PL',
    nationalId: null,
    phone: '48123456789',
    address: null,
    ownership: 10_000,
    controlByOtherMeans: false,
    sourceOfFunds: 'SALARY',
    sourceOfFundsText: null,
    pep: false,
    pepDetails: null,
    sanctioned: false,
    ...changes,
  });
  const fault = (persons: readonly Partial<KybPerson>[], noOwnerAbove25 = false) =>
    ownershipFault({ persons: persons.map(person), noOwnerAbove25 });

  it.each<[string, readonly Partial<KybPerson>[], boolean, RegExp | null]>([
    ['one owner of all', [{}], false, null],
    ['101 percent', [{ ownership: 6_000 }, { ownership: 4_100 }], false, /more than 100/],
    ['25.01 percent, not named as owner', [{ roles: ['REPRESENTATIVE'], ownership: 2_501 }], true, /25/],
    ['25.01 percent, named', [{ ownership: 2_501 }], false, null],
    ['25.00 percent as owner without control', [{ ownership: 2_500 }], true, /controlByOtherMeans/],
    [
      '25.00 percent as owner with control, nobody above, a manager',
      [
        {
          ownership: 2_500,
          controlByOtherMeans: true,
          roles: ['REPRESENTATIVE', 'BENEFICIAL_OWNER', 'SENIOR_MANAGER'],
        },
      ],
      true,
      null,
    ],
    [
      'nobody above, not declared',
      [{ roles: ['REPRESENTATIVE', 'SENIOR_MANAGER'], ownership: 0 }],
      false,
      /noOwner/,
    ],
    ['nobody above, no manager', [{ roles: ['REPRESENTATIVE'], ownership: 0 }], true, /SENIOR_MANAGER/],
    ['no representative', [{ roles: ['BENEFICIAL_OWNER'] }], false, /REPRESENTATIVE/],
  ])('%s', (_name, persons, noOwnerAbove25, expected) => {
    const found = fault(persons, noOwnerAbove25);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatch(expected);
  });
});

describe('documents needed (onboarding 8.3)', () => {
  const company = { legalForm: 'LIMITED_COMPANY', hasLicences: false, personIds: ['p'] } as const;
  const fieldsOf = (...args: Parameters<typeof missingDocuments>) =>
    missingDocuments(...args).map((one) => one.field);
  const of = (type: 'PERSON_DOCUMENT_FRONT' | 'PERSON_SELFIE', documentType: 'passport' | 'identity_card') =>
    ({ type, personId: 'p', documentType }) as const;

  it('of a company, a sole trader, one with licences', () => {
    expect(fieldsOf({ ...company, personIds: [] }, [])).toEqual([
      'documents.REGISTRY_EXTRACT',
      'documents.OWNERSHIP_STRUCTURE',
    ]);
    expect(fieldsOf({ legalForm: 'SOLE_TRADER', hasLicences: true, personIds: [] }, [])).toEqual([
      'documents.REGISTRY_EXTRACT',
      'documents.LICENCE',
    ]);
  });

  it('of a person: the back too, unless the front is of a passport', () => {
    const shown = (documentType: 'passport' | 'identity_card') =>
      fieldsOf({ ...company, legalForm: 'SOLE_TRADER' }, [
        { type: 'REGISTRY_EXTRACT', personId: null, documentType: null },
        of('PERSON_DOCUMENT_FRONT', documentType),
        of('PERSON_SELFIE', documentType),
      ]);
    expect(shown('passport')).toEqual([]);
    expect(shown('identity_card')).toEqual(['persons.0.documents.PERSON_DOCUMENT_BACK']);
  });
});
